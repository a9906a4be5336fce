"""A site without a time source: the clock is never trusted."""
