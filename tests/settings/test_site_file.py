"""Site files: what is wrong is said all at once, each at its line and column."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError
from ruamel.yaml import YAML

from rsu_agent.ports.assets import asset
from rsu_agent.settings.crossing import CrossingInvalid, read_crossing
from rsu_agent.settings.explain import SiteInvalid
from rsu_agent.settings.model import driver_settings, site_model
from rsu_agent.settings.read import read_site

SITE = asset("config/virtual.yaml")


def faults(tmp_path: Path, change: dict[str, str]) -> list[str]:
    """Faults of the virtual site with pieces of its text replaced."""
    text = SITE.read_text()
    for old, new in change.items():
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "site.yaml"
    path.write_text(text)
    with pytest.raises(SiteInvalid) as caught:
        read_site(path)
    return [str(fault).removeprefix(str(path) + ":") for fault in caught.value.faults]


def test_the_virtual_site_is_valid_and_its_driver_settings_are_its_own() -> None:
    site = read_site(SITE)
    assert len(site.crossing.lanes) == 28
    assert driver_settings(site.settings.controller).model_dump()["baud"] == 115200


def test_a_misspelt_key_is_named_at_its_place_with_what_was_meant(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, {"  baud: 115200": "  boud: 115200"})
    line = SITE.read_text().splitlines().index("  baud: 115200") + 1
    assert fault == f"{line}:3: controller.boud: no such setting of the driver gbt20999; did you mean baud?"


def test_every_fault_is_found_at_once(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        {
            "  baud: 115200": "  baud: 5",
            "ids: test ": "ids: tset ",
            "driver: chrony": "driver: chronie",
            "budget_kBps: 30": "budget_kBps: -1",
        },
    )
    paths = [fault.split(": ")[1] for fault in found]
    assert paths == ["crossing.ids", "controller.baud", "time.driver", "radio.budget_kBps"]
    assert "did you mean test?" in found[0]
    assert "did you mean chrony?" in found[2]


def test_a_radio_that_cannot_say_the_message_set_is_refused(tmp_path: Path) -> None:
    gn_udp = 'driver: gn_udp, address: "02:00:00:00:00:01", lat_deg: 22.69, lon_deg: 114.34'
    (fault,) = faults(tmp_path, {"radio: {driver: udp_raw": f"radio: {{{gn_udp}"})
    assert "radio.standard: gn_udp takes etsi only (see 61:" in fault


def test_the_edition_of_2017_is_refused_by_name(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, {"standard: csae53-2020": "standard: csae53-2017"})
    assert "radio.standard" in fault
    assert "2017" in fault


def test_a_crossing_that_cannot_be_said_in_its_set_is_refused_with_sizes(tmp_path: Path) -> None:
    crossing = json.loads(asset("config/crossings/virtual.geojson").read_text())
    lane = next(f for f in crossing["features"] if f["properties"].get("kind") == "lane")
    (lon, lat) = lane["geometry"]["coordinates"][0]
    zigzag = [[lon + 4e-5 * (n % 2), lat + 2e-5 * n] for n in range(40)]
    lane["geometry"]["coordinates"] = zigzag + lane["geometry"]["coordinates"][1:]
    (tmp_path / "crossing.geojson").write_text(json.dumps(crossing))
    (fault,) = faults(tmp_path, {"crossings/virtual.geojson": "crossing.geojson"})
    assert "crossing.file: cannot be said in csae53-2020" in fault
    assert "receivers hold 31" in fault


def test_a_missing_key_points_at_the_section_that_lacks_it(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, {"  port: /dev/serial/by-id/controller\n": ""})
    assert "controller.port: is missing: Serial port" in fault
    assert fault.endswith("for example /dev/serial/by-id/usb-FTDI_USB-RS485_A1-if00-port0")


def test_a_group_without_a_phase_and_ids_of_the_other_kind_are_disagreements(tmp_path: Path) -> None:
    found = faults(tmp_path, {"    7: [11]\n": "", "ids: test ": "ids: assigned "})
    assert any("lamp groups of the crossing without a phase: [11]" in fault for fault in found)
    assert any("node 12 region 0 are test ids" in fault for fault in found)


@pytest.mark.parametrize("name", ["controller", "radio", "time", "uplink"])
def test_a_sensor_may_not_be_named_as_health_and_metrics_name_another_device(
    tmp_path: Path, name: str
) -> None:
    (fault,) = faults(tmp_path, {"name: radar-south-west": f"name: {name}"})
    assert f"radars.0.name: {name} is what metrics and health call another device" in fault


def test_one_group_in_two_phases_is_refused(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, {"7: [11]": "7: [11, 10]"})
    assert "signals.phases.7.1: lamp group 10 stands in phase 6 too (see 13:9)" in fault


def test_an_uplink_without_tls_is_for_this_machine_only(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, {"uplink: {host: 127.0.0.1,": "uplink: {host: 10.1.2.3,"})
    assert "uplink.tls: may be off only towards this machine" in fault


@pytest.mark.parametrize("text", ["", "- a\n", "a: [", "\x00", "a: b\nc"])
def test_what_is_no_site_file_is_said_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(text)
    with pytest.raises(SiteInvalid):
        read_site(path)


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(SiteInvalid, match="cannot be read"):
        read_site(tmp_path / "none.yaml")


def test_a_crossing_with_loose_ends_is_refused_with_every_reason(tmp_path: Path) -> None:
    text = asset("config/crossings/virtual.geojson").read_text()
    broken = text.replace('"to_lane":26', '"to_lane":99', 1).replace(
        '"kind":"conflict_area"', '"kind":"confl"', 1
    )
    path = tmp_path / "c.geojson"
    path.write_text(broken)
    with pytest.raises(CrossingInvalid) as caught:
        read_crossing(path)
    reasons = " ".join(caught.value.reasons)
    assert "names a lane that is not given" in reasons
    assert "exactly one conflict_area is needed" in reasons


def test_the_schema_holds_the_keys_of_every_driver_with_both_languages() -> None:
    schema = site_model().model_json_schema()
    controller = schema["$defs"]["controller_gbt20999"]["properties"]
    assert "baud" in controller
    assert controller["baud"]["zh"]
    assert controller["baud"]["description"]


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("{group: 16, box: [630, 124, 20, 18]}", "box: reaches beyond the picture of 640x384 px"),
        ("{group: 16, box: [-1, 124, 5, 18]}", "box: reaches beyond the picture of 640x384 px"),
        ("{group: 99, box: [588, 124, 5, 18]}", "group: lamp group 99 stands in no phase"),
        ("{group: 16, box: [588, 124, 5, 5]}", "a box of 5x5 px is too small for lamps to be read"),
        ("{group: 16, box: [588, 124, 2, 18]}", "a box of 2x18 px is too small for lamps to be read"),
        ("{group: 16, box: [588, 124, 0, 18]}", "a box of 0x18 px is too small for lamps to be read"),
        ("{group: 16, box: [588, 124, 5, 18], layout: horizontal}", "5x18 px is too small for lamps"),
        ("{group: 16, box: [588, 124, 2, 4], layout: single}", "2x4 px is too small for a lamp to be read"),
        ("{group: 16, box: [588, 124, 5]}", "box: "),
        ("{group: 16, box: [588, 124, 5, 18], layout: round}", "layout: "),
    ],
)
def test_a_head_that_no_camera_can_read_is_told_at_its_place(tmp_path: Path, head: str, reason: str) -> None:
    last = "{group: 16, box: [588, 124, 5, 18], layout: vertical}"
    (fault,) = faults(tmp_path, {last: head})
    line = next(n for n, text in enumerate(SITE.read_text().splitlines(), 1) if last in text)
    assert fault.startswith(f"{line}:")
    assert ": cameras.0.heads.11" in fault
    assert reason in fault


UPLINK = "uplink: {host: 127.0.0.1, port: 1883, tls: false}"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("tls: {cert: c.pem}", "uplink.tls.cert: a certificate needs its key and the key its certificate"),
        ("tls: {on: false, ca: ca.pem}", "uplink.tls.ca: certificates are of no use while it is off"),
        ("tls: {certificate: c.pem}", "uplink.tls.certificate: no such setting"),
        ("tls: true, district_key: abc", "uplink.district_key: must be 32 bytes in base64"),
        ("tls: true, district_key: QUJD", "uplink.district_key: must be 32 bytes in base64"),
        ("tls: true, live: {objects_hz: 11}", "uplink.live.objects_hz: must be at most 10, not 11"),
        ("tls: true, password: x", "uplink.password: secrets never stand in this file"),
    ],
)
def test_what_is_wrong_with_an_uplink_is_said(tmp_path: Path, change: str, fault: str) -> None:
    (said,) = faults(tmp_path, {UPLINK: UPLINK.replace("tls: false", change)})
    assert fault in said


def test_tls_is_a_word_or_a_section_of_files(tmp_path: Path) -> None:
    def tls(text: str) -> Any:
        path = tmp_path / "site.yaml"
        path.write_text(SITE.read_text().replace(UPLINK, UPLINK.replace("tls: false", text)))
        uplink = read_site(path).settings.uplink
        assert uplink is not None
        return uplink.tls

    assert tls("tls: true").on
    assert not tls("tls: false").on
    assert tls("tls: {ca: ca.pem, cert: c.pem, key: k.pem}").cert == "c.pem"


@pytest.mark.parametrize(
    "tls", [True, False, {"ca": "ca.pem"}, {}, "true", 1, None, {"on": "x"}, {"c": 1}, []]
)
def test_the_schema_takes_the_forms_of_tls_that_a_site_file_may_have_and_no_other(tls: Any) -> None:
    tree = YAML(typ="safe").load(SITE.read_text())
    tree["uplink"]["tls"] = tls
    schema = Draft202012Validator(site_model().model_json_schema())
    wrong = [list(error.absolute_path) for error in schema.iter_errors(tree)]
    try:
        site_model().model_validate(tree)
    except ValidationError:
        assert wrong == [["uplink", "tls"]] or wrong == [["uplink"]]
    else:
        assert wrong == []
