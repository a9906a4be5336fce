"""One folder a device, reached only through entry points."""
