"""Continental ARS408 and ARS404 radars, and NanoRadar's of the same layout, over CAN."""
