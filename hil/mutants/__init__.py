"""Installations with one thing wrong, and whether the product names it (field-rules 7)."""
