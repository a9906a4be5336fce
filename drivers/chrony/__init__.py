"""Time quality as chronyd reports it."""
