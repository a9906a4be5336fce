"""Cameras on this machine: V4L2 devices."""
