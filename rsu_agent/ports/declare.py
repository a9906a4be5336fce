"""Declaring settings: every key once, with unit, range, default, example and a sentence in both languages."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Declared(BaseModel):
    """Base of every settings model: unknown keys are errors, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)


def setting(
    default: Any = ...,
    *,
    en: str,
    zh: str,
    unit: str | None = None,
    example: Any = None,
    secret: bool = False,
    **limits: Any,
) -> Any:
    """One key. `limits` are pydantic's (ge, le, gt, lt, min_length, max_length, pattern)."""
    extra: dict[str, Any] = {"zh": zh, "unit": unit, "secret": secret}
    examples = [example] if example is not None else None
    return Field(default, description=en, examples=examples, json_schema_extra=extra, **limits)
