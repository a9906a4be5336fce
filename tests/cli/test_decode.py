"""`rsu decode` as it is typed: arguments, standard input, files, a live port, exit statuses."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import asn1tools
import dpkt
import pytest
from speaking import GENEROUS_S, RSU, one_object, rsu

from rsu_agent.cli.exits import Exit
from tests.messages.tshark import USER_0, capture

SPATEM = "02040001e2400018800001f48100003d0903039010010467177017a21789500102180bb800"  # facts/radio.md 2.1
GEO = (
    "ffffffffffff020000000001894711001a0120500200002901003c000200000000013497b1380d8638204426e640800000000000000007d40000"
    + SPATEM
)


def test_a_pasted_frame_becomes_a_tree_with_units() -> None:
    done = rsu("decode", GEO)
    assert done.returncode == Exit.OK
    assert done.stdout.splitlines()[:3] == [
        "SPATEM (etsi, 95 bytes)",
        "  note: GeoNetworking, station type 15, BTP port 2004",
        "  header: protocolVersion 2, messageID 4, stationID 123456",
    ]
    assert "likelyTime: 12050  (1205.0 s)" in done.stdout


def test_json_is_one_object_with_the_whole_message() -> None:
    told = one_object(rsu("decode", "--json", SPATEM))
    assert (told["set"], told["message"], told["bytes"]) == ("etsi", "SPATEM", 37)
    assert told["value"]["intersections"][0]["id"] == {"region": 0, "id": 1001}
    assert told["header"]["stationID"] == 123_456


def test_a_log_file_is_read_line_by_line_and_a_bad_line_fails_the_whole(tmp_path: Path) -> None:
    log = tmp_path / "radio.log"
    log.write_text(f"20:03:09 tx {SPATEM}\n\n20:03:10 tx {GEO}\n")
    good = rsu("decode", "--file", log, "--json")
    assert good.returncode == Exit.OK
    assert [json.loads(line)["message"] for line in good.stdout.splitlines()] == ["SPATEM", "SPATEM"]
    log.write_text(f"tx {SPATEM}\ntx ffffffffffff\n")
    bad = rsu("decode", "--file", log, "--json")
    assert bad.returncode == Exit.CHECK_FAILED
    assert json.loads(bad.stdout.splitlines()[1])["reason"] == "malformed"


def test_a_binary_file_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "one.bin").write_bytes(bytes.fromhex(SPATEM))
    assert one_object(rsu("decode", "--json", "--file", tmp_path / "one.bin"))["message"] == "SPATEM"


def test_a_missing_file_a_wrong_set_and_nothing_at_all_say_what_to_do(tmp_path: Path) -> None:
    missing = rsu("decode", "--file", tmp_path / "none.log")
    assert (missing.returncode, "No such file" in missing.stderr) == (Exit.FAILED, True)
    wrong = rsu("decode", "--set", "dsrc", SPATEM)
    assert (wrong.returncode, "one of csae53" in wrong.stderr) == (Exit.USAGE, True)
    nothing = rsu("decode", "--json")
    assert (nothing.returncode, "examples" in one_object(nothing)["error"]) == (Exit.USAGE, True)
    old = rsu("decode", "--set", "csae53-2017", SPATEM)
    assert (old.returncode, "53-2017 has other bits" in old.stderr) == (Exit.CHECK_FAILED, True)


def test_standard_input_is_read_as_it_comes() -> None:
    done = subprocess.run(
        [*RSU, "decode", "--json", "-"],
        input=f"{SPATEM}\n",
        capture_output=True,
        text=True,
        timeout=GENEROUS_S,
    )
    assert one_object(done)["message"] == "SPATEM"


def test_a_live_port_is_read_until_ctrl_c() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [*RSU, "decode", "--json", "--port", f"127.0.0.1:{port}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as listening:
        assert listening.stderr is not None
        assert listening.stdout is not None
        assert "Ctrl-C ends" in listening.stderr.readline()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as vehicle:
            vehicle.sendto(bytes.fromhex(GEO), ("127.0.0.1", port))
        assert json.loads(listening.stdout.readline())["message"] == "SPATEM"
        listening.send_signal(signal.SIGINT)
        assert listening.wait(GENEROUS_S) == 130
        assert "Traceback" not in listening.stderr.read()


def ethernet_udp(payload: bytes) -> bytes:
    """A UDP datagram in IPv4 in Ethernet."""
    udp = dpkt.udp.UDP(sport=1, dport=5900, ulen=8 + len(payload), data=payload)
    ip = dpkt.ip.IP(src=b"\x7f\0\0\1", dst=b"\x7f\0\0\1", p=17, data=udp)
    ip.len = len(ip)
    return bytes(dpkt.ethernet.Ethernet(type=0x0800, data=ip))


@pytest.mark.parametrize("writer", [dpkt.pcap.Writer, dpkt.pcapng.Writer])
def test_a_capture_gives_its_datagrams_and_its_frames(writer: Any, tmp_path: Path) -> None:
    path = tmp_path / "air.pcap"
    with path.open("wb") as file:
        written = writer(file)
        written.writepkt(ethernet_udp(bytes.fromhex(SPATEM)), 1.0)
        written.writepkt(bytes.fromhex(GEO), 2.0)
        written.writepkt(bytes(dpkt.ethernet.Ethernet(type=0x0806, data=b"\0" * 28)), 3.0)
        written.writepkt(ethernet_udp(bytes.fromhex(GEO)), 4.0)
    done = rsu("decode", "--json", "--file", path)
    assert done.returncode == Exit.OK
    assert [json.loads(line)["message"] for line in done.stdout.splitlines()] == ["SPATEM"] * 3


def test_bare_messages_in_a_capture_are_read_and_a_cut_capture_says_where(tmp_path: Path) -> None:
    path = capture(tmp_path / "bare.pcap", [bytes.fromhex(SPATEM)] * 2, USER_0)
    assert rsu("decode", "--json", "--file", path).stdout.count("\n") == 2
    path.write_bytes(path.read_bytes()[:20])
    cut = rsu("decode", "--file", path)
    assert (cut.returncode, "after 0 packets" in cut.stderr) == (Exit.FAILED, True)


OWN_SCHEMA = """
Own DEFINITIONS AUTOMATIC TAGS ::= BEGIN
BasicSafetyMessage ::= SEQUENCE {
    count INTEGER (0..127), key OCTET STRING (SIZE(2)), flags BIT STRING (SIZE(4)),
    way CHOICE { left BOOLEAN, speed INTEGER (0..8191) }, list SEQUENCE (SIZE(0..3)) OF INTEGER (0..7), ... }
END
"""


def test_a_licensed_message_is_read_with_the_operators_own_schema(tmp_path: Path) -> None:
    own = tmp_path / "own.asn"
    own.write_text(OWN_SCHEMA)
    value = {"count": 5, "key": b"\xab\xcd", "flags": (b"\xa0", 4), "way": ("speed", 77), "list": [1, 2]}
    body = asn1tools.compile_string(OWN_SCHEMA, "uper").encode("BasicSafetyMessage", value)
    frame = (b"\x00\x14" + bytes([len(body)]) + body).hex()
    told = one_object(rsu("decode", "--json", "--schema", own, frame))
    assert told["message"] == "BasicSafetyMessage"
    assert told["value"] == {
        "count": 5,
        "key": "abcd",
        "flags": {"bits": "1010"},
        "way": {"speed": 77},
        "list": [1, 2],
    }
    assert '"speed": 77' in rsu("decode", "--schema", own, frame).stdout
    assert one_object(rsu("decode", "--json", frame))["raw"] == body.hex()
    cut = rsu("decode", "--schema", own, frame[:4] + "01" + frame[6:8] + "00")
    assert (cut.returncode, "Traceback" in cut.stderr) == (Exit.CHECK_FAILED, False)


def test_a_schema_that_is_none_or_lacks_the_type_says_so(tmp_path: Path) -> None:
    own = tmp_path / "own.asn"
    own.write_text("Own DEFINITIONS ::= BEGIN Other ::= BOOLEAN")
    broken = rsu("decode", "--schema", own, "001401aa00")
    assert (broken.returncode, "own.asn" in broken.stderr) == (Exit.FAILED, True)
    own.write_text("Own DEFINITIONS AUTOMATIC TAGS ::= BEGIN Other ::= BOOLEAN END")
    lacking = rsu("decode", "--schema", own, "001402aa00")
    assert (lacking.returncode, "no type of that name" in lacking.stderr) == (Exit.CHECK_FAILED, True)
    assert rsu("decode", "--schema", tmp_path / "none.asn", "001402aa00").returncode == Exit.FAILED
