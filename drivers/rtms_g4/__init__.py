"""ISS RTMS G4 radars that tell each vehicle, over serial or TCP."""
