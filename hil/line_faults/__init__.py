"""Counted line faults on the fake clock: the product from line to air against what the line carried."""
