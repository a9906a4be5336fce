"""Why a value is refused, in words: from what pydantic found and what the key was declared to be."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from ruamel.yaml.comments import TaggedScalar

from rsu_agent.ports.declare import Misfit, Step
from rsu_agent.ports.plugins import plugins
from rsu_agent.settings.language import later, say, spoken

HIDDEN = "***"  # what stands for a secret
IN_ADDRESS = re.compile(r"(?<=://)[^/@\s]+(?=@)")
LONGEST_SHOWN = 60  # characters of a wrong value: enough to find it, short enough to read
SECRET = re.compile(r"pass(word|wd|phrase)?$|secret|token|credential", re.IGNORECASE)
KINDS = {  # what pydantic asks for -> in words
    "int": later("must be a whole number"),
    "float": later("must be a number"),
    "finite_number": later("must be a finite number"),
    "string": later("must be text (in quotation marks if it looks like a number)"),
    "bool": later("must be true or false"),
    "list": later("must be a list, [a, b]"),
    "dict": later("must be a section of keys"),
    "model": later("must be a section of keys"),
}
LIMITS = {  # pydantic's type -> (words, its name of the limit)
    "greater_than": later("must be more than {limit}"),
    "greater_than_equal": later("must be at least {limit}"),
    "less_than": later("must be less than {limit}"),
    "less_than_equal": later("must be at most {limit}"),
    "too_short": later("must have at least {limit} entries"),
    "too_long": later("must have at most {limit} entries"),
    "string_too_short": later("must have at least {limit} characters"),
    "string_too_long": later("must have at most {limit} characters"),
}
LIMIT_NAMES = ("gt", "ge", "lt", "le", "min_length", "max_length")
PATTERNS = {  # patterns that several keys share -> what they mean
    r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$": later("1 to 63 letters, digits, _ or -"),
    r"^[a-z0-9-]{1,40}$": later("1 to 40 small letters, digits or -"),
    r"^http://[^/@\s]+(/\S*)?$": later(
        "an address http://HOST/PATH without a login; give user, and password: credential:NAME"
    ),
    r"^rtsps?://[^/@\s]+(/\S*)?$": later(
        "an address rtsp://HOST/PATH without a login; give user, and password: credential:NAME"
    ),
    r"^/dev/\S+$": later("a device of this machine, /dev/..."),
    r"^[^:\r\n]{1,64}$": later("1 to 64 characters without a colon"),
    r"^[0-9a-fA-F]{4}$": later("four hexadecimal digits"),
    r"^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$": later("six pairs of hexadecimal digits, 02:00:00:00:00:0c"),
    r"^udp(-in)?://": later("udp://HOST:PORT or udp-in://ADDRESS:PORT"),
    r"^udp-in://": later("udp-in://ADDRESS:PORT"),
    r"^tcp-in://": later("tcp-in://ADDRESS:PORT"),
    r"^(phase|ped|overlap) ([1-9]|1[0-6])$": later("phase N, ped N or overlap N, N from 1 to 16"),
    r"^[A-Za-z0-9]{1,40}ExecutionProvider$": later("a name of ONNX Runtime such as CPUExecutionProvider"),
}


def reason(entry: dict[str, Any], model: type[BaseModel], path: Sequence[Step], driver: str | None) -> str:
    """One error of pydantic in words. path: where it stands; driver: of the section, if it has one."""
    kind, given, context = entry["type"], entry.get("input"), entry.get("ctx", {})
    if isinstance(given, TaggedScalar):
        return say("the tag {tag} means nothing here", tag=str(given.tag.value))
    match kind:
        case "extra_forbidden":
            return _unknown(str(path[-1]), _keys_beside(model, path), driver)
        case "missing":
            return say("is missing") + _what_it_is(model, path, driver)
        case "union_tag_invalid":
            return _no_driver(str(context.get("tag")), _choices(context.get("expected_tags", "")))
        case "union_tag_not_found" if isinstance(given, dict):
            return say("is missing: one of {choices}", choices=", ".join(_drivers_for(path)))
        case "union_tag_not_found" | "model_attributes_type":
            return say(KINDS["model"]) + _not(given)
        case "literal_error":
            return _none_of(given, context.get("expected", ""))
        case "value_error":
            return said_of(context.get("error"), entry["msg"])
        case "string_pattern_mismatch":
            pattern = context.get("pattern", "")
            meaning = say(PATTERNS[pattern]) if pattern in PATTERNS else pattern
            return say("must be {meaning}", meaning=meaning) + _not(given)
    return (_limited(kind, context) or _kind(kind) or f"{entry['msg'][:1].lower()}{entry['msg'][1:]}") + (
        say(" and has {count}", count=len(given))
        if isinstance(given, list) and "too_" in kind
        else _not(given)
    )


def said_of(error: Any, message: str) -> str:
    """The words of a validator of ours."""
    return say(error.text, **error.values) if isinstance(error, Misfit) else str(error or message)


def shown(given: Any) -> str:
    """What stands there, in few characters on one line."""
    if given is None:
        return say("empty")
    text = without_login(repr(given.value if isinstance(given, TaggedScalar) else given))
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def without_login(text: str) -> str:
    """Addresses in a text without the name and password that may stand in them."""
    return IN_ADDRESS.sub(HIDDEN, text)


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """The likeliest of some choices, or nothing."""
    close = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.6)
    return say("; did you mean {word}?", word=close[0]) if close else ""


def _not(given: Any) -> str:
    return say(", not {given}", given=shown(given))


def _kind(kind: str) -> str:
    name = "finite_number" if kind == "finite_number" else kind.split("_")[0]
    return say(KINDS[name]) if name in KINDS else ""


def _limited(kind: str, context: dict[str, Any]) -> str:
    limit = next((context[name] for name in LIMIT_NAMES if name in context), None)
    return say(LIMITS[kind], limit=format(limit, "g")) if kind in LIMITS and limit is not None else ""


def _unknown(key: str, beside: list[str], driver: str | None) -> str:
    if SECRET.search(key):
        return say("secrets never stand in this file: give it as a credential (docs/guide/configuration.md)")
    said = say("no such setting of the driver {driver}", driver=driver) if driver else say("no such setting")
    return said + did_you_mean(key, beside)


def _no_driver(name: str, choices: list[str]) -> str:
    if (other := plugins().get(name)) is not None:
        said = later("{name} is a driver for another section, of a {kind}; one of {choices}")
        return say(said, name=name, kind=str(other.kind), choices=", ".join(choices))
    return say("no driver {name}", name=repr(name)) + did_you_mean(name, choices)


def _none_of(given: Any, expected: str) -> str:
    choices = _choices(expected.replace(" or ", ", "))
    said = say("{given} is none of {choices}", given=shown(given), choices=", ".join(choices))
    return said + did_you_mean(str(given), choices)


def _choices(quoted: str) -> list[str]:
    return [each.strip().strip("'") for each in quoted.split(",") if each.strip()]


def _drivers_for(path: Sequence[Step]) -> list[str]:
    """The drivers of the section that a path leads into."""
    kind = str(path[0]).removesuffix("s")
    return sorted(name for name, plugin in plugins().items() if plugin.kind.value == kind)


def _what_it_is(model: type[BaseModel], path: Sequence[Step], driver: str | None) -> str:
    """Of a missing key: its sentence, and an example where one was declared."""
    field = next(iter(_fields(model, path, driver)), None)
    if field is None:
        return ""
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    sentence = str(extra.get("zh") or "") if spoken() != "en" else field.description or ""
    unit = f" ({extra['unit']})" if extra.get("unit") else ""
    example = say(", for example {example}", example=field.examples[0]) if field.examples else ""
    return f": {sentence.rstrip('.。')}{unit}{example}" if sentence else ""


def _fields(model: type[BaseModel], path: Sequence[Step], driver: str | None) -> list[FieldInfo]:
    owners = [each for each in _owners(model, path) if path[-1] in each.model_fields]
    own = [each for each in owners if driver is None or each.__name__.endswith(f"_{driver}")]
    return [each.model_fields[str(path[-1])] for each in own or owners]


def _keys_beside(model: type[BaseModel], path: Sequence[Step]) -> list[str]:
    """Keys that may stand where the last step of the path stands, over all drivers."""
    return sorted({name for found in _owners(model, path) for name in found.model_fields})


def _owners(model: type[BaseModel], path: Sequence[Step]) -> list[type[BaseModel]]:
    """The models that the last step of a path may be a key of."""
    models: list[type[BaseModel]] = [model]
    for step in path[:-1]:
        if isinstance(step, int):
            continue
        models = [
            inner
            for outer in models
            if step in outer.model_fields
            for inner in _models_in(outer.model_fields[step].annotation)
        ]
    return models


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Union, list) or get_args(annotation):
        return [found for inner in get_args(annotation) for found in _models_in(inner)]
    return []
