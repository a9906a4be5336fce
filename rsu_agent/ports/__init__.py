"""Doors: contracts that devices fulfil, the clock, byte lines, links."""
