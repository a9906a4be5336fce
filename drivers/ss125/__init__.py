"""Wavetronix SmartSensor HD (SS125), polled over serial or TCP."""
