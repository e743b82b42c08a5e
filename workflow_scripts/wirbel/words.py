"""Numbers with their nouns, for every message that counts something."""

from __future__ import annotations


def counted(number: int, one: str, more: str = "") -> str:
    """Return a number and what it counts; `more` is the plural, by default with an s.

    Examples
    --------
    >>> counted(1, "scan"), counted(1234, "scan"), counted(2, "body", "bodies")
    ('1 scan', '1,234 scans', '2 bodies')
    >>> counted(1, "participant has", "participants have")
    '1 participant has'
    """
    return f"{number:,} {one if number == 1 else more or one + 's'}"
