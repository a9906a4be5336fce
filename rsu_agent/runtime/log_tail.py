"""The newest lines of the core's log, for whoever looks; secrets hidden, bounded."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rsu_agent.settings.secrets import secrets_of, without_secrets

KEPT = 400  # lines
LONGEST = 400  # characters of one
OF_MAIN = "core"


class LogTail(logging.Handler):
    """Hang it on the root logger. files: the site's, whose secrets are hidden. Raises OSError."""

    def __init__(self, files: Iterable[Path] = ()) -> None:
        super().__init__(logging.INFO)
        self._lines: deque[dict[str, Any]] = deque(maxlen=KEPT)
        texts = [path.read_text(errors="replace") for path in files]
        self._secrets = frozenset(secret for text in texts for secret in secrets_of(text))
        self._number = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        self._number += 1
        self._lines.append(
            {
                "n": self._number,
                "utc_ms": round(record.created * 1000),
                "level": record.levelname.lower(),
                "of": OF_MAIN if record.name == "__main__" else record.name.removeprefix("rsu_agent."),
                "text": record.getMessage()[:LONGEST],
            }
        )

    def told(self) -> dict[str, Any]:
        """{lines: the oldest first}."""
        hidden = self._secrets
        return {"lines": [{**line, "text": without_secrets(line["text"], hidden)} for line in self._lines]}
