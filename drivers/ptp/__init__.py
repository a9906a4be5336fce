"""Time quality as linuxptp's ptp4l reports it."""
