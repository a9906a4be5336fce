"""Time quality measured by gpsd against a satellite receiver."""
