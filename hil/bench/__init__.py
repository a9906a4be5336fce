"""Benchmarks: one file each, a table of them, the verb `rsu bench`."""
