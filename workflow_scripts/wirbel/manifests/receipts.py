"""What was made from all scans together, and from which manifests: `work/receipts/<stage>.json`.

Tables and pictures have a receipt as batches have a manifest. It is written last, so if it
exists, all files exist, and it says under which plan and from which manifests they were made.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wirbel.errors import InfrastructureError
from wirbel.io.atomic import sweep_temporaries, write_text
from wirbel.manifests.batches import list_batches
from wirbel.manifests.records import OK, Record, manifest_file, sum_of
from wirbel.manifests.seals import Seal, read_seal
from wirbel.plan.plan import Plan
from wirbel.plan.stage_plan import KEY_DIGITS, digest_of

PICTURES = "pictures"
"""Drawn for each batch, beside the stages that scans pass or fail: one receipt for each."""


@dataclass(frozen=True)
class Receipt:
    """`made_by` is the fingerprint of the stage's plan, `made_from` a digest of everything gathered."""

    made_by: str
    made_from: str
    outputs: tuple[str, ...]
    sizes: tuple[int, ...]
    sums: tuple[str, ...]
    stamps: tuple[int, ...]

    def damaged(self, output_dir: Path, *, trust_stamps: bool = True) -> list[str]:
        """Return the files that are missing or no longer what was written."""
        files = {name: getattr(self, name) for name in ("outputs", "sizes", "sums", "stamps")}
        return list(Record("", OK, **files).damaged(output_dir, trust_stamps=trust_stamps))


def receipt_file(output_dir: str | Path, stage: str) -> Path:
    """Return where the receipt of a stage is."""
    return Path(output_dir, "work", "receipts", f"{stage}.json")


def read_receipt(output_dir: str | Path, stage: str) -> Receipt | None:
    """Return a stage's receipt; None if there is none that can be read."""
    try:
        content: dict[str, Any] = json.loads(
            receipt_file(output_dir, stage).read_text(encoding="utf-8")
        )
        fields: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in content.items()
        }
        return Receipt(**fields)
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def write_receipt(
    output_dir: Path, stage: str, made_by: str, made_from: str, paths: Iterable[Path]
) -> None:
    """Write the receipt of files below the output folder."""
    paths = list(paths)
    found = [path.stat() for path in paths]
    receipt = Receipt(
        made_by,
        made_from,
        tuple(str(path.relative_to(output_dir)) for path in paths),
        tuple(status.st_size for status in found),
        tuple(map(sum_of, paths)),
        tuple(status.st_mtime_ns for status in found),
    )
    sweep_temporaries(receipt_file(output_dir, stage).parent)
    write_text(receipt_file(output_dir, stage), json.dumps(asdict(receipt), indent=2) + "\n")


def pictures_receipt(batch: str) -> str:
    """Return what the receipt of a batch's pictures is called."""
    return f"{PICTURES}/{batch}"


def digest_of_seals(seals: Mapping[tuple[str, str], Seal], more: str = "") -> str:
    """Return a digest of the content of the manifests, by (stage, batch), and of `more`."""
    held = {f"{stage}/{batch}": seal.holds for (stage, batch), seal in seals.items()}
    return digest_of([held, more])[:KEY_DIGITS]


def read_seals(
    output_dir: Path, plan: Plan, stages: Iterable[str], batches: Iterable[str] | None = None
) -> dict:
    """Return (stage, batch) -> seal of all batches, or of those named.

    Raises InfrastructureError if a manifest is missing, or if one was made under another plan: rows
    of one table must be comparable, unless mixed settings are allowed.
    """
    found = {}
    wanted = list_batches(output_dir) if batches is None else list(batches)
    for stage in stages:
        for batch in wanted:
            path = manifest_file(output_dir, stage, batch)
            seal = read_seal(path)
            if seal is None:
                raise InfrastructureError(f"{path} is missing: run the workflow first")
            if not plan.accepts(seal.made_by, stage):
                raise InfrastructureError(
                    f"{path} was made under other settings ({seal.made_by}) than {output_dir}/work/plan.json "
                    f"({plan.stage(stage).fingerprint}): run the workflow again, which recomputes these scans, "
                    "or set mixed_settings=true"
                )
            found[stage, batch] = seal
    return found
