"""The table of failures: one row per scan that a stage could not deal with."""

from __future__ import annotations

from wirbel.core.dictionary.column import STRING, Column
from wirbel.core.dictionary.shared import IDENTITY
from wirbel.errors import REASONS

FAILURES = (
    *IDENTITY,
    Column(
        "stage",
        STRING,
        "Stage at which the scan failed",
        "The first stage that failed; listing: the file, or the participant, never became a scan",
    ),
    Column("reason", STRING, "Why the scan failed", "Reason code", codes=REASONS),
    Column("detail", STRING, "What was expected, what came, what to do", "One sentence"),
)
