"""What a power cut leaves: every write of a real outbox recorded, replayed as a disk might have it."""
