"""A study with one batch, in which single stages run and earlier ones are pretended to have run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from support.studies import planned
from support.studies.batch_lists import update_batches
from wirbel.core.geometry import Volume
from wirbel.io.nifti.volumes import write_volume
from wirbel.manifests.records import Record, read_records, write_records
from wirbel.manifests.seals import Seal, digest_of_records, seal_line
from wirbel.models.folders.inference_config import FILE_NAME

BATCH = "b00001"


class OneBatch:
    """Scans of the given names in `folder/in`, results below `folder/out`."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.out = folder / "out"
        for name in names:
            path = folder / "in" / name / "anat" / f"{name}_T2w.nii.gz"
            write_volume(path, Volume(np.zeros((4, 4, 4), np.int16), np.eye(4)))
        update_batches(folder / "in", self.out, len(names))

    def file(self, stage: str, name: str) -> Path:
        """Return where a stage's file is."""
        return self.out / "work" / stage / name

    def pretend(self, stage: str, results: dict[str, tuple[str, Volume] | None]) -> None:
        """Write volumes as a stage's results: scan -> (file name, volume), or None where it failed."""
        records = []
        for scan_id, result in results.items():
            if result is None:
                records.append(Record(scan_id, "failed", "not_sagittal", "axial", "key"))
                continue
            path = self.file(stage, result[0])
            write_volume(path, result[1])
            size, name = path.stat().st_size, str(path.relative_to(self.out))
            records.append(Record(scan_id, "ok", "", "", "key", 0, (name,), (size,)))
        seal = Seal("pretended", "", digest_of_records(records))
        write_records(self.file(stage, f"{BATCH}.tsv"), records, seal_line(seal))

    def pretend_margins(
        self, scan_id: str, labels: Volume, margins: np.ndarray | int = 255
    ) -> None:
        """Write margins beside a pretended segmentation: bytes as `wirbel.core.agreement.margins` says."""
        path = self.file("semantic", f"{scan_id}_margin.nii.gz")
        write_volume(path, labels.with_data(np.where(labels.data > 0, margins, 0)), "uint8")

    def run(self, stage, model: Path | str, *more: str, **settings: object) -> int:
        """Run `stage`, a module of wirbel.stages; return its exit code.

        `model` is the folder of the networks, or that of the stage's own one beside the embedded others; `semantic`,
        `instance` and `labelling` name others, by kind.
        """
        kind = stage.__name__.rpartition(".")[2]
        alone = kind in planned.BUILTIN and (Path(model) / FILE_NAME).exists()
        models = (
            {**planned.BUILTIN, kind: model} if alone else dict.fromkeys(planned.BUILTIN, model)
        )
        models |= {k: settings.pop(k) for k in (*models, "labelling") if k in settings}
        return planned.run(stage, self.out, models, *more, **settings)

    def records(self, stage: str) -> dict[str, Record]:
        """Return a stage's manifest."""
        return read_records(self.file(stage, f"{BATCH}.tsv"))
