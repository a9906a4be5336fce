"""Cameras behind a GStreamer pipeline."""
