"""Starting a radar by its command line without ever reaching the trap that hangs it until a power cycle."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

from drivers.ti_mmwave.configuration import BadConfiguration, Command, Configuration, read_configuration
from drivers.ti_mmwave.console import Answer, Console, Reply
from drivers.ti_mmwave.settings import Settings
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.line import Line, LineSettings, open_line
from rsu_agent.ports.trouble import DeviceLost

STOP, RESUME = Command("sensorStop"), Command("sensorStart 0")
NEVER_CONFIGURED = "Full configuration must be provided"
POWER_CYCLE = "needs power-cycle: switch the radar off and on, or pulse its NRST"

Dialogue = Generator[Command, Reply, None]


def starting(wanted: Configuration, started: str | None) -> Dialogue:
    """Commands to send; to each its reply is sent in. started: digest of what this radar was started with.

    A radar that was once started hangs when channelCfg, adcCfg or lowPower change. So it is asked first to go
    on with what it has: one that has nothing yet says so, and only that one is given the file.
    Raises DeviceLost: timeout (it hangs), refused (it has another configuration, or does not like this one).
    """
    _heard((yield STOP), STOP)
    reply = _heard((yield RESUME), RESUME)
    if NEVER_CONFIGURED in reply.text:
        for command in wanted.commands:
            _accepted(_heard((yield command), command), command)
    elif reply.answer in (Answer.ERROR, Answer.UNKNOWN):
        raise DeviceLost("refused", f"`{RESUME.text}`: {reply.text}", POWER_CYCLE)
    elif started != wanted.digest:
        had = "another configuration" if started else "a configuration that was not sent from here"
        raise DeviceLost("refused", f"the radar runs {had}", f"{POWER_CYCLE}; then it is given the file")


def _heard(reply: Reply, command: Command) -> Reply:
    if reply.answer is Answer.SILENT:
        raise DeviceLost("timeout", f"no answer to `{command.text}`, asked three times", POWER_CYCLE)
    return reply


def _accepted(reply: Reply, command: Command) -> None:
    if reply.answer in (Answer.ERROR, Answer.UNKNOWN):
        raise DeviceLost(
            "refused",
            f"line {command.line}, `{command.text}`: {reply.text}",
            "the file is for another demo or version than the radar runs",
        )


async def start(settings: Settings, clock: Clock, counters: Counter[str]) -> Configuration | None:
    """Configure and start, or only start again; None: no configuration is named. Raises DeviceLost."""
    if settings.configuration is None or settings.cli_port is None:
        return None
    wanted = load(settings.configuration)
    mark = (
        Path(settings.state_folder) / f"ti_mmwave-{re.sub(r'[^A-Za-z0-9]+', '-', settings.cli_port)}.started"
    )
    dialogue = starting(wanted, _started(mark))
    console = Console(counters)
    async with open_line(LineSettings(settings.cli_port, settings.cli_baud), clock) as line:
        with suppress(StopIteration):
            command = next(dialogue)
            while True:
                console.ask(command, clock.now_s())
                reply = await _replied(console, line, clock)
                command = dialogue.send(reply)
                if command is wanted.commands[0]:
                    _forget(mark)
    if not _remember(mark, wanted.digest):
        counters["mark_not_written"] += 1
    return wanted


async def _replied(console: Console, line: Line, clock: Clock) -> Reply:
    while console.reply is None:
        if data := console.next_bytes(clock.now_s()):
            await line.write(data)
        elif console.reply is None:
            with clock.move_on_after(max(0.0, console.wake_s() - clock.now_s())):
                received = await line.read()
                console.receive(received.data, received.arrived_s)
    return console.reply


def load(path: str) -> Configuration:
    """The file of the site. Raises DeviceLost: missing, permission or refused."""
    try:
        return read_configuration(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DeviceLost("missing", path, "name the radar's configuration file") from None
    except OSError as error:
        raise DeviceLost("permission", f"{path}: {error}", "let the agent's user read it") from None
    except (BadConfiguration, UnicodeDecodeError) as fault:
        raise DeviceLost("refused", f"{path}: {fault}", "mend the radar's configuration file") from None


def _started(mark: Path) -> str | None:
    with suppress(OSError, UnicodeDecodeError):  # a mark that cannot be read is none
        return mark.read_text(encoding="ascii").strip() or None
    return None


def _forget(mark: Path) -> None:
    """Half a file sent is no configuration: until it is whole, nothing is known of the radar."""
    with suppress(OSError):
        mark.unlink(missing_ok=True)


def _remember(mark: Path, digest: str) -> bool:
    """Written beside and moved into place, so that a power cut leaves the old one or the new one."""
    fresh = mark.with_suffix(".new")
    try:
        fresh.write_text(digest + "\n", encoding="ascii")
        os.replace(fresh, mark)
    except OSError:
        return False
    return True
