"""Configuration files of TI mmWave radars: what is sent, what is refused, what they say of speeds."""

from __future__ import annotations

import pytest
from ti_board import CONFIGURATION

from drivers.ti_mmwave.configuration import BadConfiguration, read_configuration


def changed(old: str, new: str) -> str:
    assert old in CONFIGURATION
    return CONFIGURATION.replace(old, new)


def test_comments_and_empty_lines_are_not_sent_and_lines_keep_their_place() -> None:
    commands = read_configuration(CONFIGURATION).commands
    assert (commands[0].text, commands[0].line) == ("sensorStop", 2)
    assert (commands[-1].text, commands[-1].line) == ("sensorStart", 17)
    assert len(commands) == 15


def test_remarks_spaces_and_line_ends_do_not_change_the_fingerprint_and_commands_do() -> None:
    plain = read_configuration(CONFIGURATION).digest
    other = (
        changed("% a crossing", "% the same").replace("\n", "\r\n").replace("adcCfg 2 1", "  adcCfg  2\t1 ")
    )
    assert read_configuration(other).digest == plain
    assert read_configuration(changed("adcCfg 2 1", "adcCfg 2 2")).digest != plain


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "sensorStart must stand once"),
        (changed("sensorStart\n", ""), "sensorStart must stand once"),
        (CONFIGURATION + "lowPower 0 0\n", "sensorStart must stand once"),
        (changed("sensorStart\n", "sensorStart 0\n"), "line 17"),
        (changed("adcCfg 2 1", "adcCfg 2 " + "1" * 250), "line 6: 259 bytes"),
        (changed("adcCfg 2 1", "adcCfg ２ 1"), "line 6: not plain text"),
        (changed("adcCfg 2 1", "adcCfg \x07 1"), "line 6: not plain text"),
        ("cfarCfg 1\n" * 600, "600 commands"),
    ],
)
def test_a_file_that_no_radar_can_take_is_refused_by_its_line(text: str, says: str) -> None:
    with pytest.raises(BadConfiguration, match=says):
        read_configuration(text)


def test_the_speed_at_which_doppler_wraps_follows_from_chirps_and_frequency() -> None:
    """By hand: c / 60 GHz = 4.9965 mm, three chirps of 7 + 29 us: 4.9965 mm / (4 * 108 us) = 11.57 m/s."""
    assert read_configuration(CONFIGURATION).doppler_limit_mps == pytest.approx(11.57, abs=0.01)
    wider = read_configuration(changed("extendedMaxVelocity -1 0", "extendedMaxVelocity -1 1"))
    assert wider.doppler_limit_mps == pytest.approx(3 * 11.57, abs=0.03)


@pytest.mark.parametrize(
    "text",
    [
        changed("profileCfg 0 60", "profileCfg 0 sixty"),
        changed("profileCfg 0 60 7", "profileCfg 0 0 7"),
        changed("frameCfg 0 2 16", "frameCfg 2 0 16"),
        changed("frameCfg 0 2 16 0 50 1 0", "frameCfg 0"),
        changed("frameCfg 0 2 16 0 50 1 0", "profileCfg 1 60 7 3 29"),
    ],
)
def test_where_the_file_does_not_tell_it_is_not_known(text: str) -> None:
    assert read_configuration(text).doppler_limit_mps is None
