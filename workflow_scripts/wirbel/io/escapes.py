"""Make any text safe to store in a table or to show on a terminal.

A file name may hold anything but "/" and NUL: tabs, line ends, terminal control sequences, bytes
that are not UTF-8. `escape` turns such text into printable characters without tabs or line ends;
`unescape` reverses it. Both leave ordinary text unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

SHORT = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}
LONG = {v: k for k, v in SHORT.items()}
SEPARATOR = ";"
"""Separates the texts of one cell."""
NEEDS_CARE = re.compile(r"\\|^ |  | $")
BORDER = "|"
ROW_NEEDS_CARE = re.compile(r"\\|(?:^|\|) |  | (?:$|\|)")
"""The same for texts joined by `BORDER`, which may also stand in one of them: then it is careful for nothing."""
ESCAPED = re.compile(r"\\(?:[\\tnr]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")


def escape(text: str, also: str = "") -> str:
    r"""Return `text` with backslashes, unprintable characters and those in `also` as \n, \x1b, \u2028.

    Blanks that a reader might drop (at an end, or beside another blank) are escaped too.

    Examples
    --------
    >>> print(escape("two\tcells "))
    two\tcells\x20
    >>> unescape(escape("two\tcells ")) == "two\tcells "
    True
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
    """Reverse `escape`; leave sequences that `escape` never writes as they are."""
    return ESCAPED.sub(_character, text) if "\\" in text else text


def joined(texts: Iterable[str]) -> str:
    r"""Join several texts into one that `parted` can split; drop empty texts.

    Examples
    --------
    >>> joined(["a;b", "c"])
    'a\\x3bb;c'
    >>> parted(joined(["a;b", "c"]))
    ('a;b', 'c')
    """
    return SEPARATOR.join(escape(text, SEPARATOR) for text in texts if text)


def parted(text: str) -> tuple[str, ...]:
    """Split a text that `joined` made."""
    return tuple(unescape(part) for part in text.split(SEPARATOR) if part)


def visible(text: str) -> str:
    r"""Return `text` for messages: escape what would break the line or control the terminal, as \x1b."""
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
