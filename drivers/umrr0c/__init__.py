"""smartmicro UMRR-0C traffic radars on a serial line; never tried on real bytes."""
