"""What computed a scan's networks, as their stages' records say."""

from __future__ import annotations

from pathlib import Path

from wirbel.manifests.records import Record, records_by_stage

NETWORKS = ("semantic", "instance")
ON_A_PROCESSOR = "cpu "
"""Begins `Record.device`; what computed the network follows."""


class EnginesUsed:
    """The engines of a batch whose networks have run; its records are read once."""

    def __init__(self, batch: str) -> None:
        self._batch = batch
        self._records: dict[str, dict[str, Record]] | None = None

    def of(self, scan_id: str, output_dir: Path) -> tuple[str, ...] | None:
        """Return what computed each network on a processor, none of those on a GPU; None if that is not on record."""
        if self._records is None:
            self._records = records_by_stage(output_dir, self._batch)
        found = [self._records.get(stage, {}).get(scan_id) for stage in NETWORKS]
        devices = [record.device for record in found if record is not None and record.device]
        if len(devices) < len(NETWORKS):
            return None
        parts = [device.partition(ON_A_PROCESSOR) for device in devices]
        return tuple(engine for _, _, engine in parts if engine)
