"""The relay, over real HTTP, in front of a stand-in for the broker."""
