"""The window: the crossing live in a browser, a process of its own."""
