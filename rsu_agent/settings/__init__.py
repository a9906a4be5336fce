"""The site: one model, every fault with file, line and column."""
