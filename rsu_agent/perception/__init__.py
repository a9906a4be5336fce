"""Pixels and returns become tracks."""
