"""conf.d beside the site file: merged key by key, and each fault in the file that it was written in."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsu_agent.ports.assets import asset
from rsu_agent.settings.explain import SiteInvalid
from rsu_agent.settings.parts import MOST_FILES, Place, extra_files, overruled, read_parts
from rsu_agent.settings.read import read_site

BASE = asset("config/virtual.yaml").read_text()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "conf.d").mkdir()
    path = tmp_path / "site.yaml"
    path.write_text(BASE)
    return path


def add(site: Path, name: str, text: str) -> Path:
    path = site.parent / "conf.d" / name
    path.write_text(text)
    return path


def faults(site: Path) -> list[tuple[str, int, int, str]]:
    with pytest.raises(SiteInvalid) as caught:
        read_site(site)
    return [(Path(each.file).name, each.line, each.column, each.path) for each in caught.value.faults]


def test_a_later_file_has_the_last_word_on_a_key_and_the_rest_stays(site: Path) -> None:
    add(site, "10-port.yaml", "controller: {baud: 9600}\n")
    add(site, "20-port.yaml", "# 现场改为高速\ncontroller:\n  baud: 57600\n")
    controller = read_site(site).settings.controller.model_dump()
    assert (controller["baud"], controller["port"]) == (57600, "/dev/serial/by-id/controller")


def test_a_list_comes_whole_in_the_place_of_the_earlier_one(site: Path) -> None:
    add(site, "no-cameras.yaml", "cameras: []\n")
    settings = read_site(site).settings
    assert settings.cameras == []
    assert len(settings.radars) == 1


def test_a_fault_is_told_in_the_file_that_it_was_written_in(site: Path) -> None:
    add(site, "10.yaml", "controller:\n  baud: 5\n")
    add(site, "20.yaml", "radio: {budget_kBps: -1, boud: 3}\n")
    assert faults(site) == [
        ("10.yaml", 2, 9, "controller.baud"),
        ("20.yaml", 1, 22, "radio.budget_kBps"),
        ("20.yaml", 1, 26, "radio.boud"),
    ]


def test_two_places_that_disagree_may_stand_in_two_files(site: Path) -> None:
    extra = add(
        site,
        "radar.yaml",
        BASE[BASE.index("radars:") : BASE.index("perception:")].replace("radar-south-west", "south-west"),
    )
    with pytest.raises(SiteInvalid) as caught:
        read_site(site)
    (fault,) = caught.value.faults
    assert (fault.file, fault.path) == (str(extra), "radars.0.name")
    assert fault.other is not None
    assert fault.other.file == str(site)
    assert str(fault).endswith(f"(see {site}:29:11)")


def test_files_that_are_no_yaml_are_all_told_of_and_empty_or_hidden_ones_say_nothing(site: Path) -> None:
    add(site, "00-empty.yaml", "# nothing yet\n")
    add(site, ".hidden.yaml", "a: [")
    add(site, "notes.txt", "a: [")
    assert read_site(site).settings.controller.driver == "gbt20999"
    add(site, "30.yaml", "radio: {port: 1\n")
    add(site, "40.yaml", "- a\n")
    assert [(name, line, column) for name, line, column, _ in faults(site)] == [
        ("30.yaml", 1, 8),
        ("40.yaml", 1, 1),
    ]


def test_a_folder_with_too_many_files_is_refused(site: Path) -> None:
    for number in range(MOST_FILES + 1):
        add(site, f"{number:03}.yaml", "")
    with pytest.raises(SiteInvalid, match=f"{MOST_FILES} are read at most"):
        read_site(site)


def test_a_missing_key_is_told_where_its_section_is_written_best(site: Path) -> None:
    site.write_text(BASE.replace("  port: /dev/serial/by-id/controller\n", ""))
    add(site, "10.yaml", "controller: {baud: 9600}\n")
    assert faults(site) == [("site.yaml", 23, 3, "controller.port")]


def test_who_has_the_last_word_on_a_value_is_known(site: Path) -> None:
    extra = add(site, "10.yaml", "radio:\n  port: 9001\n")
    assert overruled(site, ("radio", "port")) == Place(str(extra), 2, 9)
    assert overruled(site, ("radio", "host")) is None


def test_the_fingerprint_of_the_configuration_holds_every_file(site: Path) -> None:
    assert read_site(site).files == [site]
    extra = add(site, "10.yaml", "radio: {port: 9001}\n")
    assert read_site(site).files == [site, *extra_files(site)] == [site, extra]
    assert len(read_parts(site).files) == 2


def test_a_file_that_waits_to_come_in_its_place_is_told_of_by_its_own_name(
    site: Path, tmp_path: Path
) -> None:
    new = tmp_path / "new.yaml"
    new.write_text(BASE.replace("baud: 115200", "baud: 5"))
    with pytest.raises(SiteInvalid) as caught:
        read_site(new, shown=Path("elsewhere.yaml"))
    assert caught.value.faults[0].file == "elsewhere.yaml"
