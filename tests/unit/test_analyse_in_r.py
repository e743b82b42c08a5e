"""The R of docs/analyse.md runs on tables as the stage `cohort` writes them, where R is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from wirbel.core.dictionary import INTEGER, STRING, TABLES, Column
from wirbel.io.sidecars import write_json
from wirbel.io.tabular.columnar import write_both
from wirbel.io.tabular.rows import Rows

PAGE = Path(__file__).parents[2] / "docs" / "analyse.md"
PEOPLE = (Column("sex", STRING, "", ""), Column("age", INTEGER, "", ""))
LEVELS = {"T12": (19, 19), "L1": (20, 21)}
"""Level -> number in the map, place down the spine; by the alphabet L1 would come first."""

pytestmark = pytest.mark.skipif(
    shutil.which("Rscript") is None, reason="no R (as root: apt install r-base-core)"
)


def vertebrae() -> list[dict]:
    """Twelve persons with two vertebrae each; the third person's T12 is an outlier, the fourth's is cut."""
    rows = []
    for person in range(12):
        for level, (label, order) in LEVELS.items():
            odd, cut = (person, level) == (2, "T12"), (person, level) == (3, "T12")
            rows.append(
                {
                    "participant_id": f"sub-{person:02d}",
                    "scan_id": f"sub-{person:02d}",
                    "label": label,
                    "level": level,
                    "level_order": order,
                    "level_confidence": 0.9,
                    "height_anterior_mm": 40.0 if odd else 25.0 + person * 0.1 + order * 0.2,
                    "height_status": "touches_border" if cut else "ok",
                    "outlier_columns": "height_anterior_mm" if odd else "",
                    "largest_modified_z": 9.0 if odd else 0.5,
                    "complete": not cut,
                    "vertebra_volume_mm3": 40000.0 + person,
                    "body_volume_mm3": 20000.0 + person,
                    "body_status": "touches_border" if cut else "ok",
                    "sex": "FM"[person % 2],
                    "age": 30 + (person * 7) % 40,
                }
            )
    return rows


def write(folder: Path, table: str, rows: list[dict], more: tuple[Column, ...] = ()) -> None:
    columns = (*TABLES[table], *more)
    gathered = Rows([(c.name, c.kind) for c in columns])
    for row in rows:
        gathered.add_one(row)
    folder.mkdir(exist_ok=True)
    write_both(folder / table, [(c.name, c.kind) for c in columns], [gathered.batch()])
    write_json(folder / f"{table}.json", {c.name: c.entry() for c in columns})


def test_every_block_runs_and_levels_sort_down_the_spine(tmp_path):
    cohort, rows = tmp_path / "cohort", vertebrae()
    write(cohort, "vertebrae", rows, PEOPLE)
    keys = ("participant_id", "scan_id", "label", "level", "level_order")
    scores = [{key: row[key] for key in keys} | {"height_anterior_mm_z": 0.5} for row in rows]
    write(cohort, "vertebrae_z", scores)
    norm = {"table": "discs", "measure": "disc_height_mm", "level": "L1-L2", "sex": "F", "n": 30}
    norm |= {"median": 8.0, "sd": 1.0, "age_slope": -0.02}
    write(cohort, "reference", [norm, norm | {"sex": "M"}, norm | {"sex": "all"}])
    change = {"scan_id": "sub-00", "level": "L1", "changed_columns": "height_anterior_mm"}
    change |= {"height_anterior_mm_change": -4.5, "level_confidence": 0.9}
    write(cohort, "vertebrae_changes", [change])
    blocks = re.findall(r"^```r\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 4
    asked = subprocess.run(["Rscript", "-e", "cat(requireNamespace('jsonlite', quietly = TRUE))"],
                           capture_output=True, text=True)  # fmt: skip
    if asked.stdout != "TRUE":
        blocks = [block.partition("# the same for every column")[0] for block in blocks]
    script = tmp_path / "analyse.R"
    script.write_text("\n".join(blocks))
    done = subprocess.run(["Rscript", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    means = done.stdout.split("Call:")[0]
    assert means.index("T12") < means.index("L1"), "down the spine"
    assert "sub-02" in means, "the outlier is shown"
    assert re.search(r"age +-?[0-9.]", done.stdout), "the model knows ages as numbers"
    assert re.search(r"L1-L2 +F +30 +8", done.stdout) and "-4.5" in done.stdout
