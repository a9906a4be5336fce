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


Step = str | int


class Misfit(ValueError):
    """What a validator finds wrong: a sentence with `{name}` for values, where, and where the other half is.

    where, other: keys and indices from the model whose validator raises it. at_key: the key is wrong, not
    its value.
    """

    def __init__(
        self,
        text: str,
        *where: Step,
        other: tuple[Step, ...] | None = None,
        at_key: bool = False,
        **values: object,
    ) -> None:
        self.text, self.where, self.other, self.at_key, self.values = text, where, other, at_key, values
        super().__init__(text.format(**values))
