"""Passwords that stand in no site file: named there, kept elsewhere, read when a device is opened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import SecretStr

from rsu_agent.ports.declare import Declared
from rsu_agent.ports.trouble import DeviceLost

PREFIX = "credential:"
DIRECTORY = "CREDENTIALS_DIRECTORY"  # systemd's, of a service with LoadCredential
OWN = Path("/etc/rsu-agent/credentials")  # for whoever runs without systemd
MOST_BYTES = 4096
HINT = (
    "put it into /etc/rsu-agent/credentials, or give it to the service with LoadCredential= (docs/deploy.md)"
)
Settings = TypeVar("Settings", bound=Declared)


def with_credentials(settings: Settings) -> Settings:
    """The same settings with every `credential:NAME` of a secret key replaced by what it names.

    Raises DeviceLost `credential_missing` where there is none of that name, or it cannot be read.
    """
    found = {
        key: type(getattr(settings, key))(_read(value.removeprefix(PREFIX)))
        for key, value in secrets(settings)
        if value.startswith(PREFIX)
    }
    return settings.model_copy(update=found) if found else settings


def secrets(settings: Declared) -> Iterator[tuple[str, str]]:
    """(key, value) of every secret key that says something."""
    for key, field in type(settings).model_fields.items():
        extra = field.json_schema_extra
        value = getattr(settings, key)
        value = value.get_secret_value() if isinstance(value, SecretStr) else value
        if isinstance(extra, dict) and extra.get("secret") and isinstance(value, str) and value:
            yield key, value


def service_folder() -> Path | None:
    """Where the service manager keeps what it gives this service; None where it gives nothing."""
    given = os.environ.get(DIRECTORY)
    return Path(given) if given else None


def credential_file(name: str, folder: Path) -> Path:
    """A file by its name: absolute, among the service's credentials, else in this folder."""
    given = service_folder()
    return given / name if given is not None and (given / name).exists() else folder / name


def _read(name: str) -> str:
    """The first line of a credential."""
    if not name or Path(name).name != name:
        raise DeviceLost("credential_missing", f"{name!r} is no name of a credential", HINT)
    path = credential_file(name, OWN)
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES).decode(errors="replace").split("\n", 1)[0].rstrip("\r")
    except FileNotFoundError:
        places = ", ".join(str(each) for each in (service_folder(), OWN) if each is not None)
        raise DeviceLost("credential_missing", f"{name}: in none of {places}", HINT) from None
    except OSError as error:
        raise DeviceLost("credential_missing", f"{path}: {error.strerror}", HINT) from None
