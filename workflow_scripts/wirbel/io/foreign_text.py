"""Text files that people and their programs have written, in whatever encoding."""

from __future__ import annotations

import codecs
from pathlib import Path

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""How a file begins that says how it is encoded."""
MOST_NULS = 0.2
"""Share of NUL bytes above which a file without a mark is taken for UTF-16."""


def read_foreign_text(path: str | Path) -> str:
    r"""Return a text with line ends as \n: UTF-8 or UTF-16, with or without a mark, else Windows-1252.

    Raises ValueError for a file that is no text, OSError where it cannot be read.
    """
    content = Path(path).read_bytes()
    try:
        text = content.decode(_encoding(content))
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    if "\0" in text:
        raise ValueError(
            f"{path} is no text file: it holds NUL characters; save it as text (UTF-8)"
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _encoding(content: bytes) -> str:
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return encoding
    if content.count(0) > MOST_NULS * len(content):
        return "utf-16-le" if content[1:2] == b"\0" else "utf-16-be"
    return "utf-8"
