"""Working with dead letters: keeping, foreseeing, replaying, editing. For the command line and for pages alike."""
