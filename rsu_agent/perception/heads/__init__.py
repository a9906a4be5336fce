"""Detectors that operators bring: which head an ONNX file has, how it is fed, what its numbers mean."""
