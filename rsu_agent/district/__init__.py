"""The other end: receive, store once, acknowledge after commit."""
