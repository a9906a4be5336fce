"""rsu-agent: what it says on air is witnessed, or it says that it does not know."""
