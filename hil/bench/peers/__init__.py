"""Trackers of others, in an environment of their own, on the same feed as ours."""
