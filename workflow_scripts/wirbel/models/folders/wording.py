"""Show values that others wrote in a sentence: on one line, and shortened if they are long."""

from __future__ import annotations

import reprlib

LONGEST = 80
LONGEST_PLACE = 160
LIMITS = {
    "level": 3,
    "dict": 6,
    "list": 6,
    "tuple": 6,
    "set": 6,
    "string": 60,
    "long": 40,
    "other": 60,
}
_SHORT = reprlib.Repr()
for _kind, _most in LIMITS.items():
    setattr(_SHORT, f"max{_kind}", _most)


def short(value: object) -> str:
    """Return a value as Python writes it, in at most `LONGEST` printable characters.

    Examples
    --------
    >>> short(list(range(100)))
    '[0, 1, 2, 3, 4, 5, ...]'
    """
    text = _SHORT.repr(value)
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def short_place(name: str) -> str:
    """Return the quoted name of a field with the fields above it."""
    return repr(name if len(name) <= LONGEST_PLACE else f"{name[: LONGEST_PLACE - 3]}...")
