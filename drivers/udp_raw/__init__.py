"""Radios that take one UPER message a UDP datagram."""
