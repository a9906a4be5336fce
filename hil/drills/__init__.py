"""The counted drills of a pole: what is killed, late, mixed or strange when somebody changes it."""
