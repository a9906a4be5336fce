"""Virtual devices: written from the facts, not from the product."""
