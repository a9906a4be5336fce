"""The parent: starts the processes, starts them again, feeds the watchdog, has the last word.

Standard library only: it must live when everything else fails, and stay small.
"""

from __future__ import annotations

import argparse
import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from rsu_agent.runtime.child import Child
from rsu_agent.runtime.last_word import SILENCE_S, LastWordSpeaker
from rsu_agent.runtime.notify import Notifier
from rsu_agent.runtime.pulse import LastWord
from rsu_agent.settings.generations import Generations, Refused

TICK_S = 0.25  # how often ends and starts are looked at when nothing else happens
STOP_S = 10.0  # children get this long to end cleanly
STARTS_S = 30.0  # a core that begins anew gets this long until its first beat
CORE_ENDS_ALLOWED = 5  # the core's sixth unexpected end in ten minutes ends the parent


class Parent:
    """Owns the children. `run` returns the exit status."""

    def __init__(self, children: list[Child], notifier: Notifier, generations: Generations) -> None:
        self.generations = generations
        self.renew, self.patient_until_s = False, 0.0
        self.core = children[0]
        self.children = children
        self.notifier = notifier
        self.speaker = LastWordSpeaker()
        self.selector = selectors.DefaultSelector()
        self.stopping = False
        self.ready = False
        self.heartbeat_s: float | None = None
        self.watchdog_s = 0.0

    def run(self) -> int:
        """Until told to stop, or until the core has died too often."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._begin_anew)
        self._start(self.core)
        while not self.stopping:
            self._wait()
            now_s = time.monotonic()
            self.speaker.tick(now_s)
            self._look_after_the_site_file()
            if self.renew:
                self._renew()
            self._look_after_children(now_s)
            self._feed_watchdog(now_s)
            if len(self.core.ends_s) > CORE_ENDS_ALLOWED:
                say("the core ended too often; giving up so that the service manager starts afresh")
                self._end_children()
                return 1
        self.notifier.send("STOPPING=1")
        self._end_children()
        return 0

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def _begin_anew(self, _number: int, _frame: FrameType | None) -> None:
        self.renew = True

    def _look_after_the_site_file(self) -> None:
        """What nobody has confirmed in time goes back."""
        if not self.generations.waits:
            return
        try:
            gone = self.generations.revert_if_due()
        except (Refused, OSError) as error:
            say(f"the site file cannot go back: {error}")
            return
        if gone is not None:
            say(f"generation {gone.new} was not confirmed: {gone.old} is in place again")
            self.renew = True

    def _renew(self) -> None:
        """The site file is another one: the core first, whose last word stands until the new one speaks."""
        self.renew = False
        say("the site file has changed: all processes begin anew")
        now_s = time.monotonic()
        self.patient_until_s, end_s = now_s + STOP_S + STARTS_S, now_s + STOP_S
        for child in reversed(self.children):
            child.stop()
        while now_s < end_s and any(child.running() for child in self.children):
            self._wait()
            now_s = time.monotonic()
            self.speaker.tick(now_s)
            self._feed_watchdog(now_s)
        for child in self.children:
            child.kill()
            self._drop_pulse_of_ended(child)
            child.forget()
        self.speaker.core_ended(now_s)
        self.ready, self.heartbeat_s = False, None
        self._start(self.core)

    def _start(self, child: Child) -> None:
        child.start(time.monotonic())
        if child.pulse:
            self.selector.register(child.pulse, selectors.EVENT_READ, child)

    def _wait(self) -> None:
        now_s = time.monotonic()
        due_s = self.speaker.next_due_s()
        timeout_s = TICK_S if due_s is None else min(TICK_S, max(0.0, due_s - now_s))
        for key, _ in self.selector.select(timeout_s):
            self._hear(key.data)

    def _hear(self, child: Child) -> None:
        try:
            while child.pulse and (message := child.pulse.receive()) is not None:
                if child is self.core:
                    self._from_core(message)
        except EOFError:
            if child.pulse:
                self.selector.unregister(child.pulse)
            if child is self.core:
                self.speaker.core_ended(time.monotonic())

    def _from_core(self, message: dict[str, Any]) -> None:
        if message["kind"] == "last_word":
            self.speaker.arm(LastWord.of(message))
        elif message["kind"] == "heartbeat":
            now_s = time.monotonic()
            if self.speaker.heartbeat(now_s, message["count"]) and self.core.pulse:
                self.core.pulse.send("last_word_spoken")
            self.heartbeat_s = now_s
            if not self.ready:
                self._become_ready()

    def _become_ready(self) -> None:
        self.ready = True
        self.notifier.send("READY=1", "STATUS=the core speaks")
        for child in self.children[1:]:
            if not child.running():
                self._start(child)

    def _look_after_children(self, now_s: float) -> None:
        for child in self.children:
            self._drop_pulse_of_ended(child)
            status = child.reap(now_s)
            if status is not None:
                wait_s = child.start_at_s - now_s
                say(f"{child.name} ended with status {status}; starting again in {wait_s:.1f} s")
                if child is self.core:
                    self.speaker.core_ended(now_s)
            waiting = child.process is None and child.ends_s and now_s >= child.start_at_s
            if waiting and not self.stopping:
                self._start(child)

    def _drop_pulse_of_ended(self, child: Child) -> None:
        if child.pulse and not child.running() and child.pulse in self.selector.get_map():
            self.selector.unregister(child.pulse)

    def _feed_watchdog(self, now_s: float) -> None:
        interval_s = self.notifier.watchdog_interval_s
        fresh = self.heartbeat_s is not None and now_s - self.heartbeat_s <= SILENCE_S
        if (
            interval_s
            and (fresh or now_s < self.patient_until_s)
            and now_s >= self.watchdog_s + interval_s / 2
        ):
            self.notifier.send("WATCHDOG=1")
            self.watchdog_s = now_s

    def _end_children(self) -> None:
        for child in reversed(self.children):
            child.stop()
        deadline_s = time.monotonic() + STOP_S
        for child in self.children:
            if child.process is None:
                continue
            try:
                child.process.wait(max(0.1, deadline_s - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()


def say(text: str) -> None:
    """One line to the journal."""
    print(f"parent: {text}", file=sys.stderr, flush=True)


def main() -> int:
    """`python -m rsu_agent.runtime.main --site FILE --state DIR --run DIR`."""
    parser = argparse.ArgumentParser(prog="rsu run")
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--without", action="append", default=[], choices=["senses", "uplink"])
    options = parser.parse_args()
    shared = ("--site", str(options.site), "--state", str(options.state), "--run", str(options.run))
    children = [
        Child(name, f"rsu_agent.runtime.compose_{name}", shared)
        for name in ("core", "senses", "uplink")
        if name not in options.without
    ]
    (options.run / "parent.pid").write_text(str(os.getpid()))
    return Parent(children, Notifier(), Generations(options.state / "config")).run()


if __name__ == "__main__":
    sys.exit(main())
