"""Read text files that people and their programs wrote, in any encoding."""

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
"""Byte order marks and the encodings they announce."""
MOST_NULS = 0.2
"""A file without a byte order mark is read as UTF-16 if a larger fraction of its bytes is NUL."""


def read_foreign_text(path: str | Path) -> str:
    r"""Return a file's text with line ends as \n.

    The encoding is UTF-8 or UTF-16, with or without a byte order mark, otherwise Windows-1252.

    Raises
    ------
    ValueError
        If the file is not text.
    OSError
        If it cannot be read.
    """
    content = Path(path).read_bytes()
    try:
        text = content.decode(_encoding(content))
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    if "\0" in text:
        raise ValueError(
            f"{path} is not a text file: it contains NUL characters; save it as text (UTF-8)"
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _encoding(content: bytes) -> str:
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return encoding
    if content.count(0) > MOST_NULS * len(content):
        return "utf-16-le" if content[1:2] == b"\0" else "utf-16-be"
    return "utf-8"
