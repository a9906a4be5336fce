"""RSMP 3.x: the supervisor of a traffic light controller, JSON over TCP."""
