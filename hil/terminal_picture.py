"""What a command printed, as a small SVG picture of a terminal that needs no font from elsewhere."""

from __future__ import annotations

import io
import re

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

FONT_FACE = re.compile(r"@font-face\s*{{.*?}}\s*", re.DOTALL)
FONTS = "ui-monospace, Menlo, Consolas, 'Noto Sans Mono CJK SC', monospace"
FORMAT = FONT_FACE.sub("", CONSOLE_SVG_FORMAT).replace("Fira Code, monospace", FONTS)
NARROWEST, WIDEST = 40, 110  # columns


def picture(command: str, printed: str) -> str:
    """The SVG of a window in which `command` printed this; equal prints make equal pictures."""
    text = Text.from_ansi(f"$ {command}\n{printed.rstrip()}")
    width = max(NARROWEST, min(WIDEST, max(line.cell_len for line in text.split()) + 1))
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True, legacy_windows=False)
    console.print(text, soft_wrap=False)
    return console.export_svg(title="", code_format=FORMAT, unique_id="t") + "\n"
