"""OmniPreSense OPS243 speed and range radars on a serial line."""
