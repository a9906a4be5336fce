"""Reports become what the lights will do. Pure."""
