r"""Text that survives: names of files in tables of our own, and names on a terminal.

A file's name may hold anything but "/" and NUL: tabs, line ends, sequences that move a terminal's cursor, bytes that
are no UTF-8. `escape` turns any such text into printable characters without tab or line end, `unescape` turns it
back. Both leave ordinary text alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

SHORT = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}
LONG = {v: k for k, v in SHORT.items()}
SEPARATOR = ";"
"""Between the texts of one cell."""
NEEDS_CARE = re.compile(r"\\|^ |  | $")
BORDER = "|"
ROW_NEEDS_CARE = re.compile(r"\\|(?:^|\|) |  | (?:$|\|)")
"""The same for texts joined by `BORDER`, which may also stand in one of them: then it is careful for nothing."""
ESCAPED = re.compile(r"\\(?:[\\tnr]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")


def escape(text: str, also: str = "") -> str:
    r"""Return `text` with backslashes, unprintable characters and those in `also` as \n, \x1b, \u2028.

    Blanks that a reader might drop, at an end or beside another one, are escaped too.
    """
    if text.isprintable() and not NEEDS_CARE.search(text) and not set(also) & set(text):
        return text
    last = len(text) - 1
    return "".join(
        _code(character)
        if character in also or _is_lost(text, place, last)
        else SHORT.get(character) or (character if character.isprintable() else _code(character))
        for place, character in enumerate(text)
    )


def escaped(texts: Iterable[str]) -> list[str]:
    """Return each of the texts as `escape` does; ordinary ones, nearly all, are looked at together."""
    texts = list(texts)
    row = BORDER.join(texts)
    if row.isprintable() and not ROW_NEEDS_CARE.search(row):
        return texts
    return [escape(text) for text in texts]


def unescape(text: str) -> str:
    """Return the text that `escape` was given; what it never writes is left as it is."""
    return ESCAPED.sub(_character, text) if "\\" in text else text


def joined(texts: Iterable[str]) -> str:
    """Return several texts as one, to be taken apart by `parted`; empty texts are left out."""
    return SEPARATOR.join(escape(text, SEPARATOR) for text in texts if text)


def parted(text: str) -> tuple[str, ...]:
    """Return the texts that `joined` was given."""
    return tuple(unescape(part) for part in text.split(SEPARATOR) if part)


def visible(text: str) -> str:
    r"""Return `text` for a person's eyes: what would act on a terminal, or break a line, as \x.. and the like."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else SHORT.get(c) or _code(c) for c in text)


def _is_lost(text: str, place: int, last: int) -> bool:
    return text[place] == " " and (place in (0, last) or text[place - 1] == " ")


def _code(character: str) -> str:
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _character(found: re.Match) -> str:
    code = found[0]
    return LONG[code] if code in LONG else chr(int(code[2:], 16))
