"""What a look at the machine came to."""

from __future__ import annotations

from dataclasses import dataclass

OK, NOTE, FAULT = "ok", "note", "fault"
"""As it should be; good to know; a run cannot work like this."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `remedy` says what to do."""

    state: str
    subject: str
    told: str
    remedy: str = ""
