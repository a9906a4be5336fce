"""Commands at the edge: judged, done, answered, audited; files are staged and never applied here."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
from prometheus_client import Counter

from rsu_agent.outlets.bucket import Bucket
from rsu_agent.outlets.command_memory import CommandMemory
from rsu_agent.outlets.commands import Bulk, Gate, Refused, audit_record
from rsu_agent.outlets.leases import Leases
from rsu_agent.outlets.staging import Staging
from rsu_agent.outlets.uplink_beside import Publisher
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.command import Answer, BadCommand, Command, pack_answer, public_key, read_chunk

log = logging.getLogger(__name__)
COMMANDS = Counter("rsu_commands_total", "Commands of the district, by what became of them.", ["what"])
MOST_ANSWERS = 100  # waiting; the oldest go, the audit has them
CHUNKS_PER_S, CHUNKS_AT_ONCE = 50.0, 200
AGAIN_PER_S, AGAIN_AT_ONCE = 1.0, 20  # answers to what may be somebody's recording
SECOND_S = 1.0
CLOCK_HOLDS_S = 5.0  # the core's word about the clock
STATE = "commands"

Audit = Callable[[dict[str, Any]], object]


class CommandDesk:
    """One of the uplink's `Beside`. audit: into the high lane. tell_core: False when it is not there."""

    def __init__(
        self,
        prefix: str,
        site: str,
        key: str | None,
        state: Path,
        leases: Leases,
        clock: Clock,
        audit: Audit,
        tell_core: Callable[[str], bool],
    ) -> None:
        self.subscriptions = tuple(f"{prefix}/dn/{where}" for where in ("cmd", "live", "cfg"))
        self._answer_topic = f"{prefix}/answer"
        self._clock, self._audit, self._tell_core, self._leases = clock, audit, tell_core, leases
        memory = CommandMemory(state / STATE / "taken.json")
        self._gate = Gate(site, None if key is None else public_key(key), memory)
        self._memory = memory
        self._staging = Staging(state / "staging")
        self._offered: Command | None = None
        self._bulk = Bulk(audit)
        self._chunks: Bucket | None = None
        self._again: Bucket | None = None
        self._answers: deque[Answer] = deque(maxlen=MOST_ANSWERS)
        self._wake = anyio.Event()
        self._trusted_s: float | None = None
        self._start_s = clock.now_s()

    def clock_told(self, trusted: bool) -> None:
        """The core's word about the clock: holds for five seconds."""
        self._trusted_s = self._clock.now_s() if trusted else None
        if trusted:
            self._gate.clock(self._utc_us())

    def hear(self, topic: str, payload: bytes) -> None:
        """A message of dn/cmd, dn/live or dn/cfg."""
        where = topic.rsplit("/", 1)[-1]
        try:
            chunk = where == "cfg" and self._is_chunk(payload)
        except BadCommand as bad:
            self._unknown(bad.code)
            return
        if not chunk:
            self._command(payload, where)

    def refused(self, topic: str) -> None:
        """The broker forbids one of the topics: nobody can command that way."""
        log.warning("the broker's access list forbids %s: commands there are not heard", topic)
        COMMANDS.labels("topic_forbidden").inc()

    async def run(self, transport: Publisher) -> None:
        """Answers go out while the connection lasts; those not sent wait for the next one."""
        async with anyio.create_task_group() as both:
            both.start_soon(self._tick)
            while True:
                while self._answers:
                    await transport.publish(self._answer_topic, pack_answer(self._answers[0]), qos=1)
                    self._answers.popleft()
                self._wake = anyio.Event()
                await self._wake.wait()

    async def _tick(self) -> None:
        """What is due without a message: refusals in bulk, an offer whose chunks have stopped."""
        while True:
            await self._clock.sleep(SECOND_S)
            now_s = self._clock.now_s()
            self._bulk.due(now_s, self._utc_us())
            if self._staging.silent(now_s) is not None:
                self._offer_over("refused", "silent")

    def _command(self, payload: bytes, where: str) -> None:
        now_s = self._clock.now_s()
        try:
            told = self._gate.judge(payload, where, now_s, self._trusted_utc_us())
        except OSError as error:
            log.error("the memory of commands cannot be written: %s", error)
            self._unknown("no_memory")
            return
        match told:
            case Refused(command=None):
                self._unknown(told.code)
            case Refused(command=Command() as command):
                before = {} if told.before is None else {"result": told.before[0], "code": told.before[1]}
                if told.used:
                    self._say(command, "refused", told.code, before)
                else:
                    self._heard_again(command, told.code, before, now_s)
            case Command():
                self._obey(told, now_s)

    def _obey(self, command: Command, now_s: float) -> None:
        try:
            result, detail = self._done(command, now_s)
        except BadCommand as bad:
            self._say(command, "refused", bad.code, {"why": bad.detail})
        except OSError as error:
            self._say(command, "refused", "disk", {"why": str(error.strerror)})
        else:
            self._say(command, result, "ok", detail)

    def _done(self, command: Command, now_s: float) -> tuple[str, dict[str, Any]]:
        """(result, detail). Raises BadCommand, OSError."""
        args = command.args
        match command.kind:
            case "ping" | "report" if args:
                raise BadCommand("bad_args", "none are known")
            case "ping":
                return "done", {"up_s": int(now_s - self._start_s)}
            case "report":
                if not self._tell_core("report"):
                    raise BadCommand("no_core", "the core is not there; ask again")
                return "done", {}
            case "live_lease":
                return "done", self._leases.grant(args, now_s)
            case kind:
                if self._staging.under_way is not None:
                    self._staging.drop()
                    self._offer_over("refused", "replaced")
                self._staging.offer(command.seq, kind, args, now_s)
                self._offered = command
                return "accepted", {"next": 0}

    def _is_chunk(self, payload: bytes) -> bool:
        """Take a chunk; False: it is a command. Raises BadCommand for what is neither."""
        chunk = read_chunk(payload)
        if chunk is None:
            return False
        now_s = self._clock.now_s()
        if self._chunks is None:
            self._chunks = Bucket(CHUNKS_PER_S, CHUNKS_AT_ONCE, now_s)
        if not self._chunks.take(1.0, now_s):
            raise BadCommand("flood")
        try:
            staged = self._staging.chunk(chunk, now_s)
        except BadCommand as bad:
            if bad.code == "no_offer" or self._offered is None:
                raise
            if bad.code == "out_of_order":
                self._want_next()
            else:
                self._offer_over("refused", bad.code)
            return True
        except OSError:
            self._staging.drop()
            self._offer_over("refused", "disk")
            return True
        if staged is not None:
            self._offer_over("staged", "ok", staged)
        return True

    def _want_next(self) -> None:
        """Tell the sender where to go on; one such answer waits at most."""
        under_way = self._staging.under_way
        if under_way is None or any(waiting.result == "accepted" for waiting in self._answers):
            return
        seq, index = under_way
        self._queue(Answer(seq, "accepted", "out_of_order", self._utc_us(), {"next": index}))

    def _offer_over(self, result: str, code: str, detail: dict[str, Any] | None = None) -> None:
        offered, self._offered = self._offered, None
        if offered is not None:
            self._say(offered, result, code, detail or {})

    def _heard_again(self, command: Command, code: str, before: dict[str, Any], now_s: float) -> None:
        """What the district has signed, but anybody may send again: answered and audited within bounds."""
        self._unknown(code)
        if self._again is None:
            self._again = Bucket(AGAIN_PER_S, AGAIN_AT_ONCE, now_s)
        if self._again.take(1.0, now_s):
            self._queue(Answer(command.seq, "refused", code, self._utc_us(), before))

    def _say(self, command: Command, result: str, code: str, detail: dict[str, Any]) -> None:
        """Answer and audit a command whose number is used up."""
        COMMANDS.labels(result if code == "ok" else code).inc()
        self._memory.answered(command.seq, result, code)
        words = " ".join(f"{key}={value}" for key, value in detail.items())
        self._audit(audit_record(command, result, code, self._utc_us(), detail=words[:200]))
        log.warning("command %d %s: %s %s", command.seq, command.kind, result, code)
        self._queue(Answer(command.seq, result, code, self._utc_us(), detail))

    def _unknown(self, code: str) -> None:
        """Something that could not be known to be the district's, or not to be an old one."""
        COMMANDS.labels(code).inc()
        self._bulk.refused(code, self._clock.now_s(), self._utc_us())

    def _queue(self, answer: Answer) -> None:
        self._answers.append(answer)
        self._wake.set()

    def _utc_us(self) -> int:
        return round(self._clock.utc_s() * 1e6)

    def _trusted_utc_us(self) -> int | None:
        told_s = self._trusted_s
        holds = told_s is not None and self._clock.now_s() - told_s <= CLOCK_HOLDS_S
        return self._utc_us() if holds else None
