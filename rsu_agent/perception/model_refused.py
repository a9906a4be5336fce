"""Why a model is not used."""

from __future__ import annotations


class ModelRefused(Exception):
    """A model that may not or cannot be used; says what to do."""
