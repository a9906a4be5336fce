"""CAN without a CAN socket: by the lines of a serial adapter or a socketcand server (facts/radars 5.10)."""

from __future__ import annotations

import struct
from typing import Any, Protocol

from hil.devices.wires import Wire

LINE_BYTES = 256  # more without an end is no command
OK, BELL = b"\r", b"\a"


class Speech(Protocol):
    """Sans-IO: how frames are written and commands answered. Frames are identifier (two bytes) and data."""

    def greet(self) -> bytes:
        """What a new client gets."""
        ...

    def hear(self, data: bytes) -> tuple[list[bytes], bytes]:
        """(frames for the bus, what is answered)."""
        ...

    def say(self, frame: bytes, now_s: float) -> bytes:
        """A frame from the bus as the client gets it; nothing while the channel is closed."""
        ...


class Slcan:
    """A serial CAN adapter: `S6` sets the rate, `O` opens, `C` closes, `tIIILDD..` a frame; all with CR."""

    def __init__(self) -> None:
        self.open = False
        self.rate = ""
        self._line = b""

    def greet(self) -> bytes:
        """An adapter says nothing by itself."""
        return b""

    def hear(self, data: bytes) -> tuple[list[bytes], bytes]:
        """Commands in any pieces."""
        frames, answers = [], b""
        self._line += data
        while OK in self._line:
            line, self._line = self._line.split(OK, 1)
            frame, answer = self._command(line.strip(b"\n"))
            frames += frame
            answers += answer
        self._line = self._line[-LINE_BYTES:]
        return frames, answers

    def say(self, frame: bytes, _now_s: float) -> bytes:
        """`tIIILDD..`."""
        if not self.open:
            return b""
        identifier, data = struct.unpack(">H", frame[:2])[0], frame[2:]
        return f"t{identifier:03X}{len(data)}{data.hex().upper()}\r".encode()

    def _command(self, line: bytes) -> tuple[list[bytes], bytes]:
        match line[:1]:
            case b"O" | b"C":
                self.open = line[:1] == b"O"
            case b"S":
                self.rate = line[1:].decode("ascii", "replace")
            case b"t":
                frame = _slcan_frame(line)
                return ([frame], b"z" + OK) if frame and self.open else ([], BELL)
            case b"":
                pass
            case b"V":
                return [], b"V1013" + OK
            case b"N":
                return [], b"NA001" + OK
            case _:
                return [], BELL
        return [], OK


def _slcan_frame(line: bytes) -> bytes | None:
    try:
        identifier, size = int(line[1:4], 16), int(line[4:5])
        data = bytes.fromhex(line[5 : 5 + 2 * size].decode("ascii"))
    except ValueError:
        return None
    return struct.pack(">H", identifier) + data if len(data) == size and identifier < 0x800 else None


class Socketcand:
    """A socketcand server: `< hi >`, `< open can0 >`, `< rawmode >`, `< frame ID SECONDS.MICROS DATA >`."""

    def __init__(self) -> None:
        self._text = b""
        self.raw = False

    def greet(self) -> bytes:
        """To a new client, whose mode begins anew."""
        self.raw, self._text = False, b""
        return b"< hi >"

    def hear(self, data: bytes) -> tuple[list[bytes], bytes]:
        """Commands in any pieces."""
        frames, answers = [], b""
        self._text += data
        while b">" in self._text:
            command, self._text = self._text.split(b">", 1)
            words = command.decode("ascii", "replace").strip(" <\r\n").split()
            frame, answer = self._command(words)
            frames += frame
            answers += answer
        self._text = self._text[-LINE_BYTES:]
        return frames, answers

    def say(self, frame: bytes, now_s: float) -> bytes:
        """One frame with its time."""
        if not self.raw:
            return b""
        identifier, data = struct.unpack(">H", frame[:2])[0], frame[2:]
        return f"< frame {identifier:03X} {now_s:.6f} {data.hex().upper()} >".encode()

    def _command(self, words: list[str]) -> tuple[list[bytes], bytes]:
        match words:
            case ["open", _]:
                return [], b"< ok >"
            case ["rawmode"]:
                self.raw = True
                return [], b"< ok >"
            case ["send", identifier, size, *data] if self.raw:
                try:
                    body = bytes(int(byte, 16) for byte in data)
                    frame = struct.pack(">H", int(identifier, 16)) + body
                except (ValueError, struct.error):
                    return [], b"< error could not read >"
                return ([frame], b"") if len(body) == int(size, 10) else ([], b"< error wrong length >")
            case ["echo"]:
                return [], b"< echo >"
        return [], b"< error unknown command >"


class CanWire:
    """CAN frames over what carries them: units in and out are frames, `told` what the carrier tells."""

    def __init__(self, carrier: Wire, speech: Speech) -> None:
        self._carrier, self._speech = carrier, speech
        self._was_up = False
        self.told = carrier.told

    @property
    def up(self) -> bool:
        """As the carrier."""
        return self._carrier.up

    def files(self) -> list[Any]:
        """As the carrier."""
        return self._carrier.files()

    def read(self, now_s: float) -> list[bytes]:
        """Frames for the bus; commands are answered."""
        frames: list[bytes] = []
        chunks = self._carrier.read(now_s)
        self._greet(now_s)
        for chunk in chunks:
            found, answer = self._speech.hear(chunk)
            frames += found
            if answer:
                self._carrier.send(answer, now_s)
        return frames

    def send(self, data: bytes, now_s: float, mark: object = None) -> None:
        """A frame of the bus to the client."""
        self._greet(now_s)
        text = self._speech.say(data, now_s)
        if text:
            self._carrier.send(text, now_s, mark)

    def due(self, now_s: float) -> None:
        """As the carrier."""
        self._carrier.due(now_s)

    def passed(self) -> list[object]:
        """As the carrier."""
        return self._carrier.passed()

    def next_s(self) -> float | None:
        """As the carrier."""
        return self._carrier.next_s()

    def plug(self) -> None:
        """As the carrier."""
        self._carrier.plug()

    def unplug(self) -> None:
        """As the carrier."""
        self._carrier.unplug()
        self._was_up = False

    def _greet(self, now_s: float) -> None:
        if self._carrier.up and not self._was_up:
            greeting = self._speech.greet()
            if greeting:
                self._carrier.send(greeting, now_s)
        self._was_up = self._carrier.up
