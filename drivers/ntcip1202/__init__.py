"""NTCIP 1202: signal controllers read by SNMPv1, over UDP or PMPP on a serial line."""
