"""Nouns become bytes on air: one folder a message set. Pure."""
