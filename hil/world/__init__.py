"""The virtual crossing: users that follow, stop and go at the lights."""
