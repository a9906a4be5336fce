"""Bits and bytes: pure framing, checksums, byte tables."""
