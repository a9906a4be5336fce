"""The site's own Ed25519 key, with which it signs what it keeps: from systemd's credentials, or made once."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from rsu_agent.ports.credentials import service_folder

CREDENTIAL = "evidence.key"  # of systemd: LoadCredential=evidence.key:PATH
PRIVATE, PUBLIC = "site.key", "site.pub"
READABLE_BY_OWNER = 0o600


def site_key(folder: Path) -> Ed25519PrivateKey:
    """The key; at the first start it is made. Its public half lies beside it. Raises OSError, ValueError."""
    given = service_folder()
    credential = None if given is None else given / CREDENTIAL
    if credential is not None and credential.exists():
        key = private_key(credential)
    elif (folder / PRIVATE).exists():
        key = private_key(folder / PRIVATE)
    else:
        key = _made(folder)
    public = public_pem(key.public_key())
    path = folder / PUBLIC
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_bytes() != public:
        path.write_bytes(public)
    return key


def existing_key(folder: Path) -> Ed25519PrivateKey:
    """The key, where there is one. Raises OSError, ValueError."""
    return private_key(folder / PRIVATE)


def public_pem(key: Ed25519PublicKey) -> bytes:
    """As openssl reads it."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form)


def read_public(data: bytes) -> Ed25519PublicKey:
    """A public key in PEM. Raises ValueError."""
    try:
        key = serialization.load_pem_public_key(data)
    except UnsupportedAlgorithm as error:
        raise ValueError(str(error)) from None
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("not an Ed25519 key")
    return key


def private_key(path: Path) -> Ed25519PrivateKey:
    """A private key in a PEM file. Raises OSError, ValueError."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (UnsupportedAlgorithm, TypeError) as error:
        raise ValueError(f"{path}: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path}: not an Ed25519 key")
    return key


def _made(folder: Path) -> Ed25519PrivateKey:
    """Whole on the disk or not at all."""
    key = Ed25519PrivateKey.generate()
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{PRIVATE}.part"
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, READABLE_BY_OWNER)
    with os.fdopen(handle, "wb") as file:
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / PRIVATE)
    return key
