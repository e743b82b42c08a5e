"""Which participant is meant by an id that a spreadsheet has been through: exact first, then as it may have become.

Spreadsheets strip leading zeros ("001" becomes 1, or 1.0 beside missing values), people change the case and leave out
"sub-". An id is matched less exactly only where exactly one participant, and one id, can be meant.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable

PREFIX = "sub-"
WHOLE_AS_DECIMAL = re.compile(r"(\d+)\.0+")


def match_ids(listed: Iterable[str], present: Collection[str]) -> dict[str, str]:
    """Return listed id -> participant ("sub-..."), for every id that means exactly one of those present."""
    by_label = {_exact(name): name for name in present}
    remaining = list(dict.fromkeys(listed))
    found = {name: by_label[label] for name in remaining if (label := _exact(name)) in by_label}
    for form in (_any_case, _without_zeros):
        remaining = [name for name in remaining if name not in found]
        if not remaining:
            break
        free = _by_form(set(present) - set(found.values()), form)
        asked = Counter(map(form, remaining))
        for name in remaining:
            meant = free.get(form(name), [])
            if len(meant) == 1 and asked[form(name)] == 1:
                found[name] = meant[0]
    return found


def session_form(session: str) -> str:
    """Return a session's label as it is compared: "ses-01", "SES-1", "01" and "1" are the same."""
    return _without_zeros(session, "ses-")


def _by_form(names: Iterable[str], form: Callable[[str], str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in sorted(names):
        found.setdefault(form(name), []).append(name)
    return found


def _exact(name: str) -> str:
    return name.strip().removeprefix(PREFIX)


def _any_case(name: str, prefix: str = PREFIX) -> str:
    return name.strip().casefold().removeprefix(prefix)


def _without_zeros(name: str, prefix: str = PREFIX) -> str:
    label = _any_case(name, prefix)
    decimal = WHOLE_AS_DECIMAL.fullmatch(label)
    label = decimal[1] if decimal else label
    return label.lstrip("0") or "0" if label.isdecimal() else label
