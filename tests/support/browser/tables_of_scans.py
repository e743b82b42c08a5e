"""A cohort's tables as the stage `cohort` leaves them, small or with 30,000 scans, made in a moment."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from wirbel.core.dictionary import TABLES
from wirbel.core.measures import measure
from wirbel.report.batch_pictures import BatchPictures, pictures_file
from wirbel.report.panels import panel

LEVELS = ("L1", "L2", "L3")
SPOILT = '<img src=x onerror="window.spoilt = 1"></script>'
"""What must be shown as it is."""

DRAWN = "sub-00001"
"""The flagged scan, which has a panel."""


def write_tables(output: Path, scans: int, stations: Sequence[str] = ()) -> list[str]:
    """Write the five tables of so many scans: the first failed, the second is flagged, heights follow age and sex.

    With `stations`, each participant has a scan of each.
    """
    names = [f"sub-{i:05d}" for i in range(scans)]
    if stations:
        parts = [divmod(i, len(stations)) for i in range(scans)]
        names = [f"sub-{person:05d}_ses-baseline_chunk-{part + 1}" for person, part in parts]
    rng = np.random.default_rng(5)
    age, female = rng.integers(20, 80, scans), np.arange(scans) % 2 == 0
    people = {"age": age, "sex": np.where(female, "F", "M")}
    failed = np.arange(scans) == 0
    scan = {
        "scan_status": np.where(failed, "unreadable", "ok"),
        "model": np.where(failed, None, "builtin (toy weights)"),
        "wirbel_version": np.where(failed, None, "0.1.0"),
        "flags": np.where(np.arange(scans) == 1, "canal_broken;discs_missing", ""),
        "level_flags": "",
        "review": np.where(np.arange(scans) == 3, "rejected", "not_reviewed"),
        "level_confidence": rng.uniform(0.7, 1, scans).round(3),
        "level_method": "both",
        "first_level": np.where(failed, None, "L1"),
        "last_level": np.where(failed, None, "L3"),
        "vertebrae_found": 3,
        "cobb_angle_deg": rng.gamma(2, 3, scans).round(2),
        "cobb_status": "ok",
        "plausibility_flags": "",
        "station": [stations[i % len(stations)] for i in range(scans)] if stations else None,
    }
    write(output, "scans", names, scan | people)
    height = 27 + 2 * ~female[:, None] - 0.03 * (age[:, None] - 50) + np.arange(3)
    height = (height + rng.normal(0, 1, (scans, 3))).round(2)
    odd = np.zeros((scans, 3), bool)
    odd[2, 1], height[2, 1] = True, 45.0
    rows = {
        "level": np.tile(LEVELS, scans),
        "height_anterior_mm": height.ravel(),
        "height_status": "ok",
        "plausibility_flags": np.where(odd, "outlier", "").ravel(),
        "outlier_columns": np.where(odd, "height_anterior_mm", "").ravel(),
        "largest_modified_z": np.where(odd, 9.5, 1.0).ravel(),
    }
    write(output, "vertebrae", np.repeat(names, 3), rows)
    for table in ("discs", "levels"):
        write(output, table, names[:1], {"level": "L1", "plausibility_flags": ""})
    told = f"{names[0]}_T2w.nii.gz is cut short {SPOILT}"
    write(
        output, "failures", names[:1], {"stage": "resample", "reason": "unreadable", "detail": told}
    )
    return names


def draw_one(output: Path) -> dict:
    """Write the panel and the thumbnail of `DRAWN`, two vertebrae made of formulas; return what the report needs."""
    from support.spines.solid_spine import SolidSpine, render

    maps = render(SolidSpine())
    image = maps[0].with_data((20 + 3 * maps[0].data.astype(np.float32)) % 97)
    measured = asdict(measure(None, *maps))
    scan = measured["scan"] | {"flags": "canal_broken", "level_confidence": 0.5, "model": SPOILT}
    rows = {t: pd.DataFrame(measured[t]).to_dict("list") for t in ("vertebrae", "discs", "levels")}
    told = {"scan": scan, "landmarks": measured["landmarks"], **rows}
    described = {"Sources": ["bids:raw:sub-00001/anat/sub-00001_T2w.nii.gz"], "Models": {}}
    pictures = BatchPictures(output, "b00001")
    pictures.add(DRAWN, *panel(DRAWN, image, maps, told, described))
    pictures.finish()
    return json.loads(pictures_file(output, "b00001").read_text())


def write(output: Path, table: str, scan_ids, values: dict) -> None:
    """Write a table with all of its columns; those not given are empty."""
    path = output / "cohort" / f"{table}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    kinds = {"number": "float64", "integer": "Int64", "boolean": "boolean", "string": "string"}
    frame = pd.DataFrame({"scan_id": scan_ids, "participant_id": scan_ids} | values)
    missing = {c.name: c.kind for c in TABLES[table] if c.name not in frame}
    for name, kind in missing.items():
        frame[name] = pd.Series(
            pd.NA if kinds[kind] != "float64" else np.nan, frame.index, kinds[kind]
        )
    frame.to_parquet(path, index=False)
