"""Match ids that a spreadsheet may have changed to participants: exactly first, then as they may have
become.

Spreadsheets strip leading zeros ("001" becomes 1, or 1.0 beside missing values); people change the
case and omit "sub-". A less exact match counts only if exactly one participant, and one id, fits.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable

PREFIX = "sub-"
WHOLE_AS_DECIMAL = re.compile(r"(\d+)\.0+")


def match_ids(listed: Iterable[str], present: Collection[str]) -> dict[str, str]:
    """Return listed id -> participant ("sub-...") for every id that matches exactly one present
    participant.

    Examples
    --------
    >>> match_ids(["1", "sub-02"], ["sub-001", "sub-02"])
    {'sub-02': 'sub-02', '1': 'sub-001'}
    """
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
    """Return a session's label in the form used for comparison: "ses-01", "SES-1", "01" and "1" are
    the same.
    """
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
