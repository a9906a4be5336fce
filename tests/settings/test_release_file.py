"""A release file from an enemy: one clear sentence, and nothing is changed."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_release import KEY, STRANGER, box, keys, no_trial, program, release_file

from rsu_agent.settings import release_install
from rsu_agent.settings.release_file import BadRelease, known_keys, opened, verify
from rsu_agent.settings.release_install import NoRoom, check, install, trial_with
from rsu_agent.settings.release_pack import pack, signed, told_of
from rsu_agent.settings.releases import Refused, Releases

Told = dict[str, Any]
PATHS = [
    "../evil",
    "/etc/evil",
    "a/../../evil",
    "./a",
    "a//b",
    "release.json",
    ".complete",
    "",
    "a\nb",
    "a/./b",
]


@pytest.fixture
def kept(tmp_path: Path) -> Releases:
    return box(tmp_path / "opt", counter=3)


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    return keys(tmp_path / "keys")


def refused(kept: Releases, file: Path, ours: Path) -> BadRelease:
    """Why it is not installed; nothing of the box is another one."""
    before = state(kept)
    for act in (
        lambda: check(kept, file, known_keys(ours)),
        lambda: install(kept, file, known_keys(ours), no_trial, 60, []),
    ):
        with pytest.raises(BadRelease) as bad:
            act()
    assert state(kept) == before
    return bad.value


def state(kept: Releases) -> dict[str, bytes | str]:
    """Everything that is in place, but what a next installation sweeps away."""
    found: dict[str, bytes | str] = {"current": kept.current() or ""}
    for path in kept.root.rglob("*"):
        if path.is_file() and ".partial" not in str(path) and not path.name.endswith("lock"):
            found[str(path)] = path.read_bytes()
    return found


def archive(out: Path, parts: list[tuple[tarfile.TarInfo | str, bytes]], packed_by: Any = None) -> Path:
    """A tar of our own making."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, data in parts:
            info = tarfile.TarInfo(name) if isinstance(name, str) else name
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    out.write_bytes((packed_by or zstandard.compress)(plain.getvalue()))
    return out


def told(tmp_path: Path, change: Callable[[Told], object] = lambda _: None) -> bytes:
    """release.json of a small release, changed and then signed: what even a stolen key may not do."""
    folder = program(tmp_path / "source", "2.0")
    said = json.loads(told_of(folder, "2.0", 4))
    change(said)
    return json.dumps(said).encode()


def payload(tmp_path: Path) -> list[tuple[tarfile.TarInfo | str, bytes]]:
    source = tmp_path / "source"
    files = sorted(path for path in source.rglob("*") if path.is_file())
    return [(f"payload/{path.relative_to(source)}", path.read_bytes()) for path in files]


def test_a_release_of_ours_is_installed_as_it_was_made(kept: Releases, ours: Path, tmp_path: Path) -> None:
    file = release_file(tmp_path, "2.0", 4)
    release, key = check(kept, file, known_keys(ours))
    assert (release.version, release.counter, key) == ("2.0", 4, "ours")
    pending = install(kept, file, known_keys(ours), no_trial, 60, ["true"])
    assert (kept.current(), pending.old, pending.counter, kept.counter()) == ("2.0", "1.0", 4, 0)
    [made] = tmp_path.glob("made-2.0-*")
    for path in made.rglob("*"):
        if path.is_file():
            there = kept.folder / "2.0" / path.relative_to(made)
            assert there.read_bytes() == path.read_bytes()
            assert there.stat().st_mode & 0o777 == path.stat().st_mode & 0o755
    with pytest.raises(Refused, match="another release waits"):
        install(kept, file, known_keys(ours), no_trial, 60, [])
    kept.confirm("good")
    assert refused(kept, file, ours).code == "same"


def test_gzip_is_taken_too_and_the_same_folder_gives_the_same_bytes(
    kept: Releases, ours: Path, tmp_path: Path
) -> None:
    said = told(tmp_path)
    parts = [("release.json", said), ("release.sig", signed(said, KEY)), *payload(tmp_path)]
    file = archive(tmp_path / "r.tar.gz", parts, gzip.compress)
    assert check(kept, file, known_keys(ours))[0].version == "2.0"
    pack(tmp_path / "source", said, signed(said, KEY), tmp_path / "one")
    pack(tmp_path / "source", said, signed(said, KEY), tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_the_links_of_an_environment_come_along(kept: Releases, ours: Path, tmp_path: Path) -> None:
    folder = program(tmp_path / "source", "2.0")
    (folder / "bin/python3").symlink_to("/usr/bin/python3")
    (folder / "bin/python").symlink_to("python3")
    (folder / "lib64").symlink_to("lib")
    said = told_of(folder, "2.0", 4)
    pack(folder, said, signed(said, KEY), tmp_path / "r.tar.zst")
    install(kept, tmp_path / "r.tar.zst", known_keys(ours), no_trial, 60, [])
    assert (kept.folder / "2.0/bin/python3").readlink() == Path("/usr/bin/python3")
    assert (kept.folder / "2.0/lib64").readlink() == Path("lib")
    (folder / "lib/away").symlink_to("/etc/passwd")
    with pytest.raises(BadRelease, match="says what no release may"):
        told_of(folder, "2.0", 4)


@pytest.mark.parametrize(("key", "known"), [(STRANGER, True), (KEY, False)])
def test_a_stranger_s_release_is_refused_and_so_is_any_without_keys(
    kept: Releases, ours: Path, tmp_path: Path, key: Any, known: bool
) -> None:
    bad = refused(kept, release_file(tmp_path, "2.0", 4, key), ours if known else tmp_path)
    assert bad.code == "signature"
    assert ("known: ours" in str(bad)) == known


def test_each_of_several_keys_holds(kept: Releases, ours: Path, tmp_path: Path) -> None:
    both = known_keys(ours) | {"next": STRANGER.public_key()}
    assert check(kept, release_file(tmp_path, "2.0", 4, STRANGER), both)[1] == "next"
    assert check(kept, release_file(tmp_path, "2.1", 4, KEY), both)[1] == "ours"


@pytest.mark.parametrize(
    ("version", "counter", "more", "code", "words"),
    [
        ("2.0", 2, {}, "downgrade", "older (2) than what was found good here (3)"),
        ("2.0", 4, {"arch": "vax"}, "arch", "it is for vax"),
        ("2.0", 9, {"after": 5}, "too_far", "it follows on 5, here is 3"),
        ("1.0", 4, {}, "other_content", "version 1.0 is there with other content"),
    ],
)
def test_what_does_not_fit_the_box_is_refused(
    kept: Releases, ours: Path, tmp_path: Path, version: str, counter: int, more: Told, code: str, words: str
) -> None:
    bad = refused(kept, release_file(tmp_path, version, counter, **more), ours)
    assert bad.code == code
    assert words in str(bad)


@pytest.mark.parametrize("path", PATHS)
def test_a_path_that_leads_elsewhere_is_refused_even_when_signed(
    kept: Releases, ours: Path, tmp_path: Path, path: str
) -> None:
    said = told(tmp_path, lambda said: said["members"][0].update(path=path))
    parts = [("release.json", said), ("release.sig", signed(said, KEY)), *payload(tmp_path)]
    assert refused(kept, archive(tmp_path / "r", parts), ours).code == "content"
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said.update(links={"bin/python": "/etc/passwd"}),
        lambda said: said.update(links={"../python": "python3"}),
        lambda said: said.update(links={"bin/rsu": "python3"}),
        lambda said: said.update(version="../../2.0"),
        lambda said: said.update(version=".hidden"),
        lambda said: said.update(counter=0),
        lambda said: said.update(counter="many"),
        lambda said: said.update(name="another"),
        lambda said: said.update(members=[]) or said.update(members="none"),
        lambda said: said["members"][0].update(size=-1),
        lambda said: said["members"][0].update(size=1 << 60),
        lambda said: said["members"][0].update(mode=0o4755),
        lambda said: said["members"][0].update(sha256="short"),
        lambda said: said["members"][0].update(more=1),
        lambda said: said["members"].append(said["members"][0]),
        lambda said: said["members"][0].update(path=said["members"][1]["path"] + "/below"),
        lambda said: said.pop("arch"),
    ],
)
def test_release_json_is_taken_in_one_form_only(
    kept: Releases, ours: Path, tmp_path: Path, change: Callable[[Told], object]
) -> None:
    said = told(tmp_path, change)
    parts = [("release.json", said), ("release.sig", signed(said, KEY)), *payload(tmp_path)]
    assert refused(kept, archive(tmp_path / "r", parts), ours).code == "content"


def odd(kind: bytes, name: str = "payload/bin/rsu") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "/etc/passwd"
    return info


@pytest.mark.parametrize(
    "change",
    [
        lambda parts: [(odd(tarfile.SYMTYPE), b""), *parts[1:]],
        lambda parts: [(odd(tarfile.LNKTYPE), b""), *parts[1:]],
        lambda parts: [(odd(tarfile.CHRTYPE), b""), *parts[1:]],
        lambda parts: [(odd(tarfile.BLKTYPE), b""), *parts[1:]],
        lambda parts: [(odd(tarfile.FIFOTYPE), b""), *parts[1:]],
        lambda parts: [(odd(tarfile.DIRTYPE), b""), *parts[1:]],
        lambda parts: [("payload/../../evil", parts[0][1]), *parts[1:]],
        lambda parts: [*reversed(parts)],
        lambda parts: parts[:-1],
        lambda parts: [*parts, ("payload/more", b"x")],
        lambda parts: [(parts[0][0], b"#" * len(parts[0][1])), *parts[1:]],
        lambda parts: [(parts[0][0], parts[0][1] + b"#"), *parts[1:]],
    ],
)
def test_an_archive_that_holds_something_else_than_was_signed_is_refused(
    kept: Releases, ours: Path, tmp_path: Path, change: Callable[[list[Any]], list[Any]]
) -> None:
    said = told(tmp_path)
    parts = [("release.json", said), ("release.sig", signed(said, KEY)), *change(payload(tmp_path))]
    assert refused(kept, archive(tmp_path / "r", parts), ours).code == "content"
    assert not list(tmp_path.rglob("evil"))


def test_what_unpacks_to_a_bomb_is_left_off_early(kept: Releases, ours: Path, tmp_path: Path) -> None:
    bomb = tarfile.TarInfo("huge")
    bomb.type = tarfile.XHDTYPE  # a header that the reader would take into memory
    for packed_by in (zstandard.compress, gzip.compress):
        file = archive(tmp_path / "bomb", [(bomb, bytes(64 << 20))], packed_by)
        assert file.stat().st_size < 1 << 20
        assert refused(kept, file, ours).code == "too_large"
    said = told(tmp_path)
    parts = [("release.json", said), ("release.sig", signed(said, KEY)), (bomb, bytes(64 << 20))]
    assert refused(kept, archive(tmp_path / "later", parts), ours).code == "too_large"


@pytest.mark.parametrize("begins", [b"", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", bytes(10_000)])
def test_what_is_no_archive_is_refused(kept: Releases, ours: Path, tmp_path: Path, begins: bytes) -> None:
    (tmp_path / "r").write_bytes(begins + bytes(range(200)) * 9 if begins else b"")
    assert refused(kept, tmp_path / "r", ours).code == "format"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.floats(0, 0.999), flip=st.booleans(), bit=st.integers(0, 7))
def test_cut_anywhere_or_with_a_bit_flipped_nothing_of_it_is_taken(
    tmp_path_factory: pytest.TempPathFactory, cut: float, flip: bool, bit: int
) -> None:
    place = tmp_path_factory.mktemp("cut")
    data = bytearray(release_file(place, "2.0", 4).read_bytes())
    at = int(cut * len(data))
    if flip:
        data[at] ^= 1 << bit
    (place / "bad").write_bytes(data if flip else data[:at])
    try:
        with opened(place / "bad", {"ours": KEY.public_key()}) as archive:
            verify(archive)
    except BadRelease:
        return
    assert flip  # a bit that means nothing: what came out is what was signed


def test_a_full_disk_is_seen_before_anything_is_written(
    kept: Releases, ours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(kept)
    monkeypatch.setattr(release_install, "SPARE", 1 << 60)
    with pytest.raises(NoRoom, match="MB are needed"):
        install(kept, release_file(tmp_path, "2.0", 4), known_keys(ours), no_trial, 60, [])
    assert state(kept) == before


def test_without_a_keeper_nothing_is_installed(kept: Releases, ours: Path, tmp_path: Path) -> None:
    kept.keeper.unlink()
    with pytest.raises(Refused, match="run deploy/install once"):
        install(kept, release_file(tmp_path, "2.0", 4), known_keys(ours), no_trial, 60, [])


def test_a_release_that_fails_its_own_trial_is_not_put_in_place(
    kept: Releases, ours: Path, tmp_path: Path
) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("site: 1\n")
    before = state(kept)
    trial = trial_with(site)
    with pytest.raises(BadRelease, match="config check"):
        install(kept, release_file(tmp_path, "2.0", 4, config=3), known_keys(ours), trial, 60, [])
    assert state(kept) == before
    good = release_file(tmp_path, "2.1", 4)
    assert install(kept, good, known_keys(ours), trial, 60, []).new == "2.1"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("#!/no/such/program\n", "does not run here"),
        ("#!/bin/sh\necho 9.9\n", "calls itself 9.9, not 2.0"),
        ("#!/bin/sh\necho broken >&2; exit 9\n", "fails: rsu --version: broken"),
        ("#!/bin/sh\nexec sleep 60\n", "does not run here"),
    ],
)
def test_the_trial_says_what_is_wrong(
    tmp_path: Path, text: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release_install, "TRY_S", 1.0 if "sleep" in text else 60.0)
    folder = program(tmp_path / "source", "2.0")
    release = release_install.Release("2.0", 4, "any", "3.11", 0, ())
    (folder / "bin/rsu").write_text(text)
    with pytest.raises(BadRelease, match=words):
        trial_with(tmp_path / "none")(folder, release)
