"""`rsu bundle`: what helps from afar is in it, what is nobody's to read is not."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
import zstandard
from typer.testing import CliRunner

from rsu_agent.cli import bundled
from rsu_agent.cli.bundled import MOST_BYTES, Box, collected, packed
from rsu_agent.cli.exits import Exit
from rsu_agent.cli.main import app
from rsu_agent.outlets.outbox import Outbox
from rsu_agent.ports.assets import asset
from rsu_agent.settings.secrets import leaks, secrets_of, without_secrets

SECRET = "geheim-7c1"
SITE = asset("config/virtual.yaml").read_text().replace(
    "    latency_ms: 0\n", f"    latency_ms: 0\n    user: me\n    password: {SECRET}  # of the camera\n", 1
)  # fmt: skip
KEY = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA\n-----END PRIVATE KEY-----"


@pytest.fixture
def box(tmp_path: Path) -> Box:
    (tmp_path / "site.yaml").write_text(SITE)
    box = Outbox(tmp_path / "state" / "outbox", 1 << 20, site="site-1")
    box.append({"k": "event", "n": 1}, "hi").wait(10)
    box.close()
    return Box(tmp_path / "site.yaml", tmp_path / "state", tmp_path / "run" / "ctl.sock")


def opened(path: Path) -> dict[str, str]:
    plain = zstandard.ZstdDecompressor().decompress(path.read_bytes(), max_output_size=100 << 20)
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        return {m.name: tar.extractfile(m).read().decode() for m in tar.getmembers()}  # type: ignore[union-attr]


def test_a_box_that_is_down_gives_what_it_has_and_says_what_is_missing(box: Box, tmp_path: Path) -> None:
    out = tmp_path / "b.tar.zst"
    words = ["bundle", "--out", str(out), "--site", str(box.site), "--state", str(box.state), "--json"]
    done = CliRunner().invoke(app, [*words, "--socket", str(box.socket)])
    assert done.exit_code == Exit.OK, done.output
    told, texts = json.loads(done.stdout), opened(out)
    assert set(texts) == {f"rsu-bundle/{name}" for name in told["parts"]}
    assert json.loads(texts["rsu-bundle/outbox.json"])["hi"]["produced"] == 1
    assert "outbox/hi.sqlite" in texts["rsu-bundle/files.txt"]
    assert json.loads(texts["rsu-bundle/about.json"])["packages"]["rsu-agent"]
    assert told["missing"]["agent/status.json"] == "the agent does not answer"
    assert told["bytes"] < 20e6
    assert CliRunner().invoke(app, words).exit_code == Exit.FAILED, "it overwrites nothing"


def test_no_secret_is_in_it_wherever_it_stood(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = (
        f"opening http://me:{SECRET}@10.0.0.3/ failed\n{KEY}\nAuthorization: Bearer abc.def\nall is well"
    )
    monkeypatch.setattr(bundled, "_journal", lambda: journal)
    texts, _ = collected(box)
    whole = "\n".join(texts.values())
    for secret in (SECRET, "MC4CAQ", "abc.def"):
        assert secret not in whole
    assert "password: ***  # of the camera" in texts["site.yaml"]
    assert "all is well" in texts["journal.txt"]
    assert SECRET.encode() not in zstandard.ZstdDecompressor().decompress(
        packed(texts), max_output_size=1 << 26
    )


def test_a_part_that_still_holds_one_stays_out(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled, "without_secrets", lambda text, _secrets: text)
    texts, missing = collected(box)
    assert "site.yaml" not in texts
    assert missing["site.yaml"] == "holds a secret of the site file, a password"


def test_a_part_is_bounded(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled, "_journal", lambda: "x" * (3 * MOST_BYTES))
    assert len(collected(box)[0]["journal.txt"]) == MOST_BYTES


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("rtsp://admin:12345@10.0.0.3/1", ["a login in an address"]),
        ("password: hunter2", ["a password"]),
        ('{"token": "abc"}', ["a token"]),
        (KEY, ["a private key"]),
        (KEY[:60], ["a private key"]),
        (f"so {SECRET} stands here", ["a secret of the site file"]),
        ('password: null\n"token": ""\nsecret=none\nhttp://10.0.0.3/', []),
    ],
)
def test_what_looks_like_a_secret_is_found_and_hidden(text: str, found: list[str]) -> None:
    secrets = secrets_of(SITE)
    assert secrets == {SECRET}
    assert leaks(text, secrets) == found
    assert leaks(without_secrets(text, secrets), secrets) == []


@pytest.mark.parametrize("text", ["a: [", "\t", "", "- 1", "x: &x [*x]"])
def test_a_site_file_that_is_none_has_no_secrets_and_does_no_harm(text: str) -> None:
    hidden: Any = secrets_of(text)
    assert hidden == frozenset()
