"""If most scans of a batch meet unforeseen errors, the installation is broken, not the scans."""

from __future__ import annotations

from wirbel.errors import InfrastructureError
from wirbel.runner.manifests.records import Record

FEWEST_FOR_ALARM = 4
"""With fewer unforeseen errors in a batch, the software as a whole is not considered broken."""


class Alarm:
    """Counts the scans computed in this job, and those that failed for an unforeseen reason."""

    def __init__(self, max_failed_fraction: float) -> None:
        self._limit = max_failed_fraction
        self._computed = 0
        self.unforeseen: list[str] = []

    def count(self, record: Record) -> None:
        """Count one scan's record; raise InfrastructureError if there are too many unforeseen errors."""
        self._computed += 1
        if record.reason != "unexpected":
            return
        self.unforeseen.append(record.scan_id)
        failed = len(self.unforeseen)
        if failed >= FEWEST_FOR_ALARM and failed > self._limit * self._computed:
            raise InfrastructureError(
                f"{failed} of {self._computed} scans met an unforeseen error "
                f"(last: {record.detail}); this looks like an installation problem, not a problem with the scans"
            )
