"""Lanes and movements. Pure: who is on which lane, passes which line when, and by which light."""
