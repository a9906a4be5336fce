"""Scenarios: given, when, expect in a file, run on the fake clock or with real processes."""
