"""Who is withdrawn, and how a text mentions them."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from html import escape as html_escape
from urllib.parse import quote

from wirbel.core.people.participant_ids import match_ids
from wirbel.io.escapes import escape

LABEL_BYTES = rb"[0-9A-Za-z+]"
"""What continues a name: sub-1 is not mentioned where sub-12 is."""
PLAIN = re.compile(r"sub-[0-9A-Za-z+]+")
"""Names as BIDS has them; no spelling of these differs."""
WORDS = re.compile(rb"sub-(?=(%s+))" % LABEL_BYTES)
"""Everything that looks like such a name: gathered in one pass, whoever is looked for."""
MOST_IN_PATTERN = 200
"""Names in one regular expression; more make it slow."""


def withdrawn_people(names: Collection[str], known: Collection[str]) -> tuple[frozenset[str], int]:
    """Return the known participants that are withdrawn, and how many of the names match nobody.

    Parameters
    ----------
    names : collection of str
        As a list of withdrawals has them: with or without "sub-", and as a spreadsheet may have
        changed them.
    known : collection of str
        All participants of the data set and of earlier results ("sub-...").
    """
    meant = match_ids(names, known)
    return frozenset(meant.values()), len(set(names) - meant.keys())


def is_of(people: Collection[str], name: str) -> bool:
    """Return True if a file or scan belongs to one of these people by its name.

    Examples
    --------
    >>> is_of({"sub-1"}, "sub-1_ses-a_T2w.json"), is_of({"sub-1"}, "sub-12")
    (True, False)
    """
    # Names may hold what ends others: each part up to such a character could be one.
    ends = (*(found.start() for found in re.finditer(r"[_.]", name)), len(name))
    return any(name[:end] in people for end in ends)


class Mentions:
    """Finds people's names in the bytes of a file, in every way in which this software writes them."""

    def __init__(self, people: Collection[str], known: Collection[str] = ()) -> None:
        odd = [name for name in known if not PLAIN.fullmatch(name)]
        plain = {
            name
            for name in people
            if PLAIN.fullmatch(name) and not any(other.startswith(name) for other in odd)
        }
        self._labels = frozenset(name.removeprefix("sub-").encode() for name in plain)
        self._odd = _compiled(sorted(set(people) - plain), known)

    def found_in(self, content: bytes) -> bool:
        """Return True if anybody is mentioned."""
        return any(pattern.search(content) for pattern in self._patterns(content))

    def without_lines(self, content: bytes) -> bytes:
        """Return a text without the lines that mention anybody."""
        patterns = self._patterns(content)
        lines = content.splitlines(keepends=True)
        return b"".join(line for line in lines if not any(p.search(line) for p in patterns))

    def replaced(self, content: bytes, word: bytes) -> bytes:
        """Return a text with a word in place of every name."""
        for pattern in self._patterns(content):
            content = pattern.sub(word, content)
        return content

    def _patterns(self, content: bytes) -> list[re.Pattern[bytes]]:
        """Return what finds those who may be mentioned: few, so that large files are searched quickly."""
        seen = self._labels.intersection(WORDS.findall(content)) if self._labels else ()
        return [*_compiled([f"sub-{label.decode()}" for label in sorted(seen)], ()), *self._odd]


def _compiled(names: list[str], known: Collection[str]) -> list[re.Pattern[bytes]]:
    parts = [names[at : at + MOST_IN_PATTERN] for at in range(0, len(names), MOST_IN_PATTERN)]
    return [re.compile(b"|".join(_patterns(part, known))) for part in parts]


def _patterns(names: Iterable[str], known: Collection[str]) -> Iterable[bytes]:
    for name in names:
        longer = [other[len(name) :] for other in known if other != name and other.startswith(name)]
        others = b"".join(b"(?!%s)" % re.escape(rest.encode()) for rest in sorted(longer))
        for form in _forms(name):
            yield b"(?<!%s)%s(?!%s)%s" % (LABEL_BYTES, re.escape(form), LABEL_BYTES, others)


def _forms(name: str) -> list[bytes]:
    """Return a name as it may stand in tables, JSON, HTML and addresses."""
    forms = (name, escape(name), json.dumps(name)[1:-1], html_escape(name), quote(name))
    return [form.encode() for form in dict.fromkeys(forms)]
