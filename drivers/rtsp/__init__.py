"""Cameras that serve RTSP."""
