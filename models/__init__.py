"""Training of the bundled detector: rendered scenes in, weights, manifest and card out."""
