"""The scorer: truth log and receiving ends only."""
