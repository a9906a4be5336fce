"""Drafts of crossing files from other people's maps, for a person to put right."""
