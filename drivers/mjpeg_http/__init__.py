"""Cameras that serve MJPEG over HTTP."""
