"""Reading a leap-seconds.list: expiry, TAI minus UTC, and every way in which a file is not to be used."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.runtime.leap_file import LeapFile, LeapFileFault, read_leap_file

# Origin: leap-seconds.list of IERS as Debian's tzdata 2025b ships it, prose left out; the hash is its own.
UPDATED, EXPIRES = "3960835200", "3991593600"
ENTRIES = (  # NTP seconds, TAI minus UTC
    "2272060800 10,2287785600 11,2303683200 12,2335219200 13,2366755200 14,2398291200 15,2429913600 16,"
    "2461449600 17,2492985600 18,2524521600 19,2571782400 20,2603318400 21,2634854400 22,2698012800 23,"
    "2776982400 24,2840140800 25,2871676800 26,2918937600 27,2950473600 28,2982009600 29,3029443200 30,"
    "3076704000 31,3124137600 32,3345062400 33,3439756800 34,3550089600 35,3644697600 36,3692217600 37"
)
HASH = "49db2447 571e5e1b 2f002a53 9c8da8e4 39b8e49e"
FILE = "\n".join(
    [
        "#\tATOMIC TIME",
        f"#$\t{UPDATED}",
        "#\tFile expires on 28 June 2026",
        f"#@\t{EXPIRES}",
        "#",
        *(entry.replace(" ", "      ") + "      # 1 Jan" for entry in ENTRIES.split(",")),
        "#",
        f"#h\t{HASH}",
        "",
    ]
)


def utc_s(year: int, month: int, day: int) -> float:
    return datetime(year, month, day, tzinfo=UTC).timestamp()


def signed(updated: str, expires: str, *entries: tuple[str, str]) -> str:
    """A file with a hash that fits."""
    digest = hashlib.sha1((updated + expires + "".join(map("".join, entries))).encode()).hexdigest()
    words = " ".join(digest[at : at + 8] for at in range(0, 40, 8))
    lines = "\n".join(f"{at} {offset}" for at, offset in entries)
    return f"#$ {updated}\n#@ {expires}\n{lines}\n#h {words}\n"


def test_the_file_of_iers_gives_its_expiry_and_todays_offset() -> None:
    leaps = read_leap_file(FILE)
    assert leaps.expires_utc_s == utc_s(2026, 6, 28)
    assert leaps.tai_minus_utc_s(utc_s(2026, 6, 27)) == 37
    assert len(leaps.changes) == 28


def test_the_offset_changes_with_the_second_after_the_leap() -> None:
    leaps = read_leap_file(FILE)
    turn_s = utc_s(2017, 1, 1)
    assert [leaps.tai_minus_utc_s(turn_s + off_s) for off_s in (-1.0, 0.0)] == [36, 37]
    assert leaps.tai_minus_utc_s(utc_s(1971, 12, 31)) is None


def test_an_expired_file_knows_nothing() -> None:
    leaps = read_leap_file(FILE)
    assert leaps.tai_minus_utc_s(leaps.expires_utc_s) is None


def test_debians_own_copy_is_read() -> None:
    path = Path("/usr/share/zoneinfo/leap-seconds.list")
    if not path.exists():
        pytest.skip("no leap-seconds.list here (Debian package tzdata)")
    changes = read_leap_file(path.read_text(encoding="utf-8")).changes
    assert (utc_s(2017, 1, 1), 37) in changes


def test_a_hash_may_lack_leading_zeros() -> None:
    files = (signed(UPDATED, str(3_991_593_600 + day), ("3692217600", "37")) for day in range(1000))
    front, back = next(file for file in files if " 0" in file.partition("#h")[2]).split("#h")
    assert read_leap_file(front + "#h" + back.replace(" 0", " ")) == read_leap_file(front + "#h" + back)


def test_line_ends_of_another_system_change_nothing() -> None:
    assert read_leap_file(FILE.replace("\n", "\r\n")) == read_leap_file(FILE)


FAULTS = {
    "no_update": FILE.replace("#$", "#!"),
    "no_expiry": FILE.replace("#@", "#!"),
    "no_hash": FILE.replace("#h", "#!"),
    "wrong_hash": FILE.replace(EXPIRES, "3999999999"),
    "bad_entry": FILE.replace("3692217600      37", "2017-01-01      37"),
    "no_entry": f"#$ {UPDATED}\n#@ {EXPIRES}\n#h {HASH}\n",
    "out_of_order": signed(UPDATED, EXPIRES, ("3692217600", "37"), ("3644697600", "36")),
}


@pytest.mark.parametrize(("reason", "text"), FAULTS.items(), ids=FAULTS)
def test_a_fault_has_a_reason(reason: str, text: str) -> None:
    with pytest.raises(LeapFileFault) as fault:
        read_leap_file(text)
    assert fault.value.reason == reason


@pytest.mark.parametrize("twice", [f"#@ {EXPIRES}\n", f"#$ {UPDATED}\n", f"#h {HASH}\n"])
def test_what_may_stand_once_is_refused_twice(twice: str) -> None:
    with pytest.raises(LeapFileFault):
        read_leap_file(FILE + twice)


@pytest.mark.parametrize("digit", [("37", "38"), ("3692217600", "3692217601"), (UPDATED, "3960835201")])
def test_a_changed_digit_does_not_pass_the_hash(digit: tuple[str, str]) -> None:
    with pytest.raises(LeapFileFault, match="wrong_hash"):
        read_leap_file(FILE.replace(*digit))


@given(st.text(max_size=80), st.integers(0, len(FILE)), st.integers(0, 40))
def test_no_text_raises_anything_else(noise: str, at: int, cut: int) -> None:
    for text in (noise, FILE[:at] + noise + FILE[at + cut :]):
        with suppress(LeapFileFault):
            assert isinstance(read_leap_file(text), LeapFile)
