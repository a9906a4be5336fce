"""The painter: pictures of the virtual crossing, with exact labels."""
