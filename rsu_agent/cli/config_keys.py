"""`rsu config list | show | get | set | unset | diff`: the site file key by key."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from rsu_agent.cli.exits import Exit, code_of
from rsu_agent.cli.output import print_json, stop
from rsu_agent.settings.described import Described, described, secret_keys
from rsu_agent.settings.dotted import NoSuchKey, steps, value_at
from rsu_agent.settings.explain import SiteInvalid
from rsu_agent.settings.language import because, later, say
from rsu_agent.settings.parts import overruled
from rsu_agent.settings.read import read_site
from rsu_agent.settings.reasons import HIDDEN, without_login
from rsu_agent.settings.written import NotWritable
from rsu_agent.settings.written_key import remove_key, write_key

Site = Annotated[Path, typer.Option("--site", help="The site file.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on one line.")]
SITE = Path("/etc/rsu-agent/site.yaml")
NOT_YET = later("the running agent keeps what it has until it is started again")


def list_keys(
    prefix: Annotated[str, typer.Argument(help="Only keys that begin so.", show_default=False)] = "",
    doc: Annotated[bool, typer.Option("--doc", help="With unit, limits, default and a sentence.")] = False,
    as_json: Json = False,
) -> None:
    """List every key that a site file may have; of cameras and radars as `cameras.*.latency_ms`.

    Examples: rsu config list radio. · rsu config list uplink --doc
    """
    found = [each for each in described() if each.path.startswith(prefix)]
    if not found:
        stop(
            Exit.USAGE,
            say("no key begins with {prefix}; `rsu config list` shows all", prefix=prefix),
            as_json=as_json,
        )
    if as_json:
        fields = ("path", "driver", "kind", "unit", "limits", "default", "example", "en", "zh")
        print_json({"keys": [{name: getattr(each, name) for name in fields} for each in found]})
        return
    for each in found:
        typer.echo(_name(each))
        if doc:
            for line in _sentences(each):
                typer.echo(f"    {line}")


def show(site: Site = SITE, as_json: Json = False) -> None:
    """Show what holds: every value, those of defaults too; passwords are not shown, alone or in addresses.

    Example: rsu config show --site site.yaml
    """
    settings = _read(site, as_json).settings
    tree = _hidden(settings.model_dump(mode="json"))
    if as_json:
        print_json({"settings": tree})
        return
    written = set(_flat(settings.model_dump(mode="json", exclude_unset=True)))
    for path, value in _flat(tree).items():
        typer.echo(f"{path} = {_text(value)}{'' if path in written else '  # default'}")


def get(
    key: Annotated[str, typer.Argument(help="As radio.standard or cameras.north.latency_ms.")],
    site: Site = SITE,
    as_json: Json = False,
) -> None:
    """Print one value or section as it holds, a default too.

    Examples: rsu config get radio.standard · rsu config get cameras.north.pose --json
    """
    value = _value(_hidden(_read(site, as_json).settings.model_dump(mode="json")), key, as_json)
    if as_json:
        print_json({"key": key, "value": value})
    elif isinstance(value, dict | list):
        for path, each in _flat(value).items():
            typer.echo(f"{path} = {_text(each)}")
    else:
        typer.echo(_text(value))


def set_(
    key: Annotated[str, typer.Argument(help="As uplink.quota_mb or cameras.north.latency_ms.")],
    value: Annotated[str, typer.Argument(help="As it would be written in the file.")],
    site: Site = SITE,
    as_json: Json = False,
) -> None:
    """Write one value into the site file, if the whole file is valid with it; comments and other lines stay.

    Examples: rsu config set uplink.quota_mb 1024 · rsu config set cameras.north.field.covers '[N, E]'
    """
    _write(lambda: write_key(site, key, value), key, site, as_json)


def unset(
    key: Annotated[str, typer.Argument(help="As uplink.quota_mb.")], site: Site = SITE, as_json: Json = False
) -> None:
    """Take one key out of the site file, so that its default holds.

    Example: rsu config unset uplink.quota_mb
    """
    _write(lambda: remove_key(site, key), key, site, as_json)


def diff(
    other: Annotated[Path, typer.Argument(help="The file that would come in its place.")],
    site: Site = SITE,
    as_json: Json = False,
) -> None:
    """Show which values another site file would change; exit code 7 when there are any.

    Example: rsu config diff new.yaml
    """
    now, then = (_flat(_read(path, as_json).settings.model_dump()) for path in (site, other))
    changes = [
        {"key": key, **{what: _told(key, flat.get(key)) for what, flat in (("was", now), ("is", then))}}
        for key in sorted(now.keys() | then.keys())
        if now.get(key) != then.get(key) or (key in now) != (key in then)
    ]
    if as_json:
        print_json({"changes": changes})
    for change in [] if as_json else changes:
        typer.echo(f"{change['key']}: {_text(change['was'])} -> {_text(change['is'])}")
    if changes:
        raise typer.Exit(int(Exit.DIFFERS))
    if not as_json:
        typer.echo(say("the same values"))


def _write(act: Any, key: str, site: Path, as_json: bool) -> None:
    try:
        act()
    except SiteInvalid as invalid:
        _faults(invalid, as_json)
    except (NotWritable, NoSuchKey) as error:
        stop(Exit.USAGE, say("{error}; nothing was changed", error=error), as_json=as_json)
    except OSError as error:
        stop(
            code_of(error),
            say("{site}: {strerror}; nothing was changed", site=site, strerror=because(error)),
            as_json=as_json,
        )
    other = overruled(site, key.split("."))
    if as_json:
        print_json({"key": key, "changed": True, "overruled": other and other._asdict()})
        return
    typer.echo(say("{site}: {key} is written; {yet}", site=site, key=key, yet=say(NOT_YET)))
    if other is not None:
        said = later("but {file}:{line} has the last word on it")
        typer.echo(say(said, file=other.file, line=other.line), err=True)


def _read(path: Path, as_json: bool) -> Any:
    try:
        return read_site(path)
    except SiteInvalid as invalid:
        _faults(invalid, as_json)


def _faults(invalid: SiteInvalid, as_json: bool) -> None:
    faults = [str(fault) for fault in invalid.faults]
    if as_json:
        print_json({"valid": False, "faults": faults})
    for fault in [] if as_json else faults:
        typer.echo(fault)
    typer.echo(say("{count} fault(s); nothing was changed", count=len(faults)), err=True)
    raise typer.Exit(int(Exit.INVALID)) from None


def _value(tree: Any, key: str, as_json: bool) -> Any:
    try:
        return value_at(tree, steps(tree, key))
    except NoSuchKey as error:
        stop(Exit.USAGE, str(error), as_json=as_json)
    except (KeyError, IndexError):
        stop(Exit.USAGE, say("{key}: no such key; `rsu config list` shows all", key=key), as_json=as_json)


def _flat(tree: Any, before: str = "") -> dict[str, Any]:
    """Values by dotted name; items of a list by their name, or their place."""
    return dict(_leaves(tree, before))


def _leaves(tree: Any, before: str) -> Iterator[tuple[str, Any]]:
    if isinstance(tree, dict) and tree:
        for key, value in tree.items():
            yield from _leaves(value, f"{before}.{key}" if before else str(key))
    elif isinstance(tree, list) and any(isinstance(each, dict) for each in tree):
        for at, value in enumerate(tree):
            yield from _leaves(value, f"{before}.{value.get('name', at)}")
    else:
        yield before, tree


def _told(key: str, value: Any) -> Any:
    """Of a secret only that there is one."""
    last = key.rsplit(".", 1)[-1]
    told = _hidden({last: value})[last]
    return told if isinstance(told, bool | int | float | list | None) else str(told)


def _hidden(value: Any) -> Any:
    """Without what is nobody's to read."""
    if isinstance(value, dict):
        secret = secret_keys()
        return {k: HIDDEN if k in secret and each else _hidden(each) for k, each in value.items()}
    if isinstance(value, list):
        return [_hidden(each) for each in value]
    return without_login(value) if isinstance(value, str) else value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _name(each: Described) -> str:
    return f"{each.path}  ({each.driver})" if each.driver else each.path


def _sentences(each: Described) -> Iterator[str]:
    chinese = (os.environ.get("RSU_LANG") or os.environ.get("LANG", "")).lower().startswith("zh")
    yield each.zh if chinese else each.en
    told = [each.kind, each.unit, each.limits]
    told.append("必填" if each.default is None and chinese else "required" if each.default is None else "")
    if each.default is not None:
        told.append(f"{'默认' if chinese else 'default'} {each.default}")
    if each.example:
        told.append(f"{'例' if chinese else 'as'} {each.example}")
    yield " · ".join(word for word in told if word)
