"""The front door: the command rsu."""
