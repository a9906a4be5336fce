"""Passwords stand in no site file: they are named there and read where the service manager keeps them."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from rsu_agent.ports import credentials
from rsu_agent.ports.assets import asset
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.credentials import DIRECTORY, with_credentials
from rsu_agent.ports.declare import Declared, setting
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.settings.explain import SiteInvalid
from rsu_agent.settings.model import open_section
from rsu_agent.settings.read import read_site

BASE = asset("config/virtual.yaml").read_text()


class Made(Declared):
    """A driver's settings with every kind of secret."""

    user: str | None = setting(None, en="User.", zh="用户。")
    password: SecretStr | None = setting(None, en="Password.", zh="密码。", secret=True)
    community: str = setting("public", en="Community.", zh="团体名。", secret=True)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder, own = tmp_path / "given", tmp_path / "own"
    folder.mkdir()
    own.mkdir()
    monkeypatch.setenv(DIRECTORY, str(folder))
    monkeypatch.setattr(credentials, "OWN", own)
    return folder


def test_what_is_named_is_read_and_the_rest_stays(kept: Path) -> None:
    (kept / "cam").write_text("geh:eim\u00e4\n")
    made = with_credentials(Made(user="pole", password=SecretStr("credential:cam")))
    assert made.password is not None
    assert (made.user, made.password.get_secret_value(), made.community) == (
        "pole",
        "geh:eim\u00e4",
        "public",
    )
    assert "geh" not in repr(made)
    assert with_credentials(Made(community="credential:cam")).community == "geh:eim\u00e4"
    plain = Made(user="credential:cam")
    assert with_credentials(plain) is plain, "only keys declared secret name credentials"


def test_the_services_own_comes_before_the_folder_of_whoever_has_no_systemd(kept: Path) -> None:
    (kept.parent / "own" / "cam").write_text("old")
    assert with_credentials(Made(community="credential:cam")).community == "old"
    (kept / "cam").write_text("new")
    assert with_credentials(Made(community="credential:cam")).community == "new"


@pytest.mark.parametrize("name", ["none", "", "../cam", "a/b", ".."])
def test_a_credential_that_is_not_there_is_a_lost_device_with_what_to_do(kept: Path, name: str) -> None:
    (kept.parent / "cam").write_text("x")
    with pytest.raises(DeviceLost) as caught:
        with_credentials(Made(password=SecretStr(f"credential:{name}")))
    assert caught.value.reason == "credential_missing"
    assert "LoadCredential" in caught.value.hint


def site(tmp_path: Path, more: str) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(BASE.replace("    latency_ms: 0\n", f"    latency_ms: 0\n{more}", 1))
    return path


def test_a_camera_opens_with_its_credential_and_says_which_one_is_missing(tmp_path: Path, kept: Path) -> None:
    read = read_site(site(tmp_path, "    user: pole\n    password: credential:cam-1\n"))
    with pytest.raises(DeviceLost, match="cam-1"):
        open_section(read.settings.cameras[0], SystemClock())
    (kept / "cam-1").write_text("secret")
    open_section(read.settings.cameras[0], SystemClock())


def test_a_password_in_the_site_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SiteInvalid) as caught:
        read_site(site(tmp_path, "    user: pole\n    password: hunter2\n"))
    (fault,) = caught.value.faults
    assert fault.path == "cameras.0.password"
    assert "credential:NAME" in fault.reason
    assert "hunter2" not in str(fault)
