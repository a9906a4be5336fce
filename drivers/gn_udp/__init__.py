"""Radios of Europe reached by UDP: an Ethernet frame with GeoNetworking and BTP-B in one datagram."""
