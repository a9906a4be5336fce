"""Accounts of the page: names, roles and scrypt hashes in a file that only its owner reads."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rsu_agent.settings.language import say

ROLES = ("viewer", "technician", "admin")  # each may what those before it may
LEAST_LENGTH = 10  # characters of a password
LONGEST = 256
NAME = re.compile(r"[a-z][a-z0-9._-]{0,31}")
COST = {"n": 1 << 15, "r": 8, "p": 1}  # scrypt: 32 MB and some 0.1 s a try
MOST_MEMORY = 80 << 20
SALT_BYTES = 16


class AccountRefused(Exception):
    """What is asked for cannot be done; says why."""


def accounts_folder() -> Path:
    """Where the page keeps its accounts: the folder of its unit, else the person's own."""
    if given := os.environ.get("RSU_WEB_STATE"):
        return Path(given)
    if os.geteuid() == 0:
        return Path("/var/lib/rsu-agent-web")
    own = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    return Path(own) / "rsu-agent-web"


def may(role: str | None, least: str) -> bool:
    """Whether somebody of this role may do what asks for `least`."""
    return role in ROLES and ROLES.index(role) >= ROLES.index(least)


class Accounts:
    """The file `users.json` in `folder`; read anew when it has changed. Raises OSError, AccountRefused."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._file = folder, folder / "users.json"
        self._read: tuple[int, dict[str, dict[str, Any]]] = (-1, {})

    def names(self) -> dict[str, str]:
        """Each name with its role."""
        return {name: str(told["role"]) for name, told in sorted(self._users().items())}

    def role(self, name: str) -> str | None:
        """The role of somebody; None: there is no such account."""
        told = self._users().get(name)
        return None if told is None else str(told["role"])

    def mark(self, name: str) -> str | None:
        """A word that changes with the password, so that sessions of the old one end."""
        told = self._users().get(name)
        return None if told is None else str(told["salt"])

    def add(self, name: str, password: str, role: str) -> None:
        """A new account."""
        _of_shape(name, role)
        with self._changed() as users:
            if name in users:
                raise AccountRefused(say("there is an account {name} already", name=name))
            users[name] = {"role": role, "made_utc_s": round(time.time()), **_hashed(password)}

    def set_password(self, name: str, password: str) -> None:
        """Another password; whoever is in with the old one is out."""
        with self._changed() as users:
            _known(users, name).update(_hashed(password))

    def set_role(self, name: str, role: str) -> None:
        """Another role, at once."""
        _of_shape(name, role)
        with self._changed() as users:
            _known(users, name)["role"] = role

    def remove(self, name: str) -> None:
        """No such account any more; whoever is in with it is out."""
        with self._changed() as users:
            _known(users, name)
            del users[name]

    def is_right(self, name: str, password: str) -> bool:
        """Whether the password is that of the account; takes as long where there is none."""
        told = self._users().get(name) or {"salt": "AAAA", "hash": "", **COST}
        made = _scrypt(password[:LONGEST], base64.b64decode(told["salt"]), {key: told[key] for key in COST})
        return hmac.compare_digest(made, str(told["hash"]))

    def _users(self) -> dict[str, dict[str, Any]]:
        try:
            changed = self._file.stat().st_mtime_ns
            if changed != self._read[0]:
                self._read = changed, json.loads(self._file.read_text())["users"]
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError):
            raise AccountRefused(
                say("{file} is no list of accounts: look at it, or remove it", file=self._file)
            ) from None
        return self._read[1]

    @contextmanager
    def _changed(self) -> Iterator[dict[str, dict[str, Any]]]:
        """The accounts to change; written whole or not at all, one writer at a time."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / "users.lock").open("w") as lock:
            owned_as(self.folder, self.folder / "users.lock")
            fcntl.flock(lock, fcntl.LOCK_EX)
            users = dict(self._users())
            yield users
            new = self._file.with_suffix(".new")
            with contextlib.suppress(FileNotFoundError):
                new.unlink()
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump({"users": users}, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            owned_as(self.folder, new)
            new.replace(self._file)


def owned_as(folder: Path, path: Path) -> None:
    """What root makes for the page belongs to the owner of its folder."""
    if os.geteuid() == 0:
        told = folder.stat()
        os.chown(path, told.st_uid, told.st_gid)


def _of_shape(name: str, role: str) -> None:
    if not NAME.fullmatch(name):
        raise AccountRefused(
            say("a name is small letters, digits, dots and dashes, 32 at most, a letter first")
        )
    if role not in ROLES:
        raise AccountRefused(say("a role is one of {roles}", roles=", ".join(ROLES)))


def _known(users: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
    if name not in users:
        raise AccountRefused(say("there is no account {name}: rsu user list shows them", name=name))
    users[name] = dict(users[name])
    return users[name]


def _hashed(password: str) -> dict[str, Any]:
    if not LEAST_LENGTH <= len(password) <= LONGEST:
        raise AccountRefused(
            say("a password has {least} to {most} characters", least=LEAST_LENGTH, most=LONGEST)
        )
    salt = secrets.token_bytes(SALT_BYTES)
    return {"salt": base64.b64encode(salt).decode(), "hash": _scrypt(password, salt, COST), **COST}


def _scrypt(password: str, salt: bytes, cost: dict[str, int]) -> str:
    made = hashlib.scrypt(password.encode(), salt=salt, maxmem=MOST_MEMORY, dklen=32, **cost)
    return base64.b64encode(made).decode()
