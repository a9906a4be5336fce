"""GA/T 508: countdown displays on RS-485, overheard."""
