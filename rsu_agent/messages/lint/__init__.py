"""What is wrong with a crossing, before a vehicle finds out: rules by the source that asks for them."""
