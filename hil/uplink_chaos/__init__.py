"""Kills of edge, broker and receiver in turn while records flow; afterwards the district holds every one."""
