"""Setting the radar: only what differs, only while it differs, and its memory only when asked. Sans-IO."""

from __future__ import annotations

from typing import Any

from drivers.ars40x.settings import Wanted
from drivers.ars40x.wire import Configuration, RadarState

MOST_TRIES = 3  # a radar that has not taken it over by then will not
OUTPUTS = {"objects": 1, "clusters": 2}  # 3 silences a radar for good: it cannot be named
SORTS = {"none": 0, "range": 1, "rcs": 2}
# setting -> attribute of the state that tells it
TOLD_AS = {"quality": "send_quality", "extended": "send_extended"}


class Configurator:
    """Asked with each state, once a second: so what was sent before has had its time."""

    def __init__(self, wanted: Wanted | None) -> None:
        named = wanted.values() if wanted else {}
        self._wanted = {name: _coded(name, value) for name, value in named.items()}
        self._store = wanted is not None and wanted.store
        self._tries = 0
        self._changed = False
        self.refused = False

    def next(self, state: RadarState) -> Configuration | None:
        """What to send now that the radar is like this."""
        differs = [name for name, value in self._wanted.items() if _told(state, name) != value]
        self.refused = bool(differs) and self._tries >= MOST_TRIES
        if differs and not self.refused:
            self._tries += 1
            self._changed = True
            return self._configuration(differs)
        if not differs and self._changed and self._store:
            self._store = False
            return self._configuration(list(self._wanted), set_store=True, store=True)
        return None

    def _configuration(self, names: list[str], **more: Any) -> Configuration:
        chosen = {name: self._wanted[name] for name in names} | {f"set_{name}": True for name in names}
        return Configuration(**chosen, **more)


def _coded(name: str, value: object) -> Any:
    tables = {"output": OUTPUTS, "sort": SORTS}
    return tables[name][str(value)] if name in tables else value


def _told(state: RadarState, name: str) -> Any:
    return getattr(state, TOLD_AS.get(name, name))
