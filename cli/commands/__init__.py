"""One module per command. Commands are thin: they parse words, open what is needed, and show what comes of it."""
