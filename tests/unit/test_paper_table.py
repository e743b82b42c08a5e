"""Tables as papers print them, and groups of scans, from a few rows of numbers."""

from __future__ import annotations

import json

import pytest

from wirbel.core.evaluation.groups import UNKNOWN, group_means, groups_of, level_means
from wirbel.core.evaluation.paper_table import Cell, TableRow, paper_table
from wirbel.core.evaluation.published import INSTANCES, PUBLISHED
from wirbel.io.references.columns import UnknownColumnError, cells_of
from wirbel.report.evaluation.latex import as_latex
from wirbel.report.evaluation.plots import box_plot
from wirbel.report.evaluation.text import as_text
from wirbel.stages.evaluate import names_of


def model(*dices, matched=0.9):
    """Rows of scans s0, s1, ...: a disc each, and the instances' qualities."""
    scans = [f"s{n}" for n in range(len(dices))]
    qualities = {"rq": 1.0, "sq": 0.8, "pq": 0.8, "sq_dice": matched, "pq_dice": matched}
    return {
        "structures": [
            {"scan_id": s, "structure": "disc", "dice": d, "assd_mm": 1 - d, "hd95_mm": 1, "nsd": 1}
            for s, d in zip(scans, dices, strict=True)
        ],
        "panoptic": [
            {"scan_id": s, "structure": INSTANCES, **qualities, "sq_assd_mm": 0.3} for s in scans
        ],
        "instances": [],
    }


TWO = {"ours": model(0.8, 0.9), "theirs": model(0.7, 0.6)}


def test_models_and_published_figures_are_columns():
    table = paper_table(TWO, {}, {}, PUBLISHED["spider"])
    assert table.models == ("ours", "theirs", "SPINEPS, published", "nnU-Net, published")
    (dice, mean) = table.blocks()["dice"]
    assert (dice.structure, mean.structure) == ("disc", "mean over structures")
    assert dice.cells[0].mean == pytest.approx(0.85) and dice.cells[2:] == (None, None)
    (instances,) = table.blocks()["sq_dice"]
    assert [cell.mean for cell in instances.cells] == [0.9, 0.9, 0.933, 0.911]
    assert instances.best == 2


@pytest.mark.parametrize(("metric", "best"), [("dice", 1), ("assd_mm", 0)])
def test_the_best_has_more_overlap_or_less_distance(metric, best):
    assert TableRow(metric, "disc", (Cell(0.3), Cell(0.7), None)).best == best
    assert TableRow(metric, "disc", (Cell(0.3), Cell(0.3))).best is None
    assert TableRow(metric, "disc", (Cell(0.3), None)).best is None, "nothing to compare with"


def test_latex_has_a_block_for_each_metric_and_the_best_in_bold():
    lines = as_latex(paper_table({"a_b": model(0.9, 0.9), "c": model(0.5, 0.7)}, {}, {})).split(
        "\n"
    )
    assert lines[0] == r"\begin{tabular}{lrr}" and lines[2] == r" & a\_b & c \\"
    block = lines.index(r"\multicolumn{3}{l}{\textit{Dice}} \\")
    assert lines[block + 1] == r"disc & \textbf{0.900 [0.900, 0.900]} & 0.600 [0.500, 0.700] \\"


def test_the_terminal_shows_columns_of_equal_width():
    lines = as_text(paper_table(TWO, {}, {})).split("\n")
    row = next(line for line in lines if line.startswith("disc"))
    assert row.endswith("0.850 [0.800, 0.900]  0.650 [0.600, 0.700]")
    assert len(lines[0]) == len(row)


def test_plots_are_the_same_bytes_for_the_same_rows():
    rows = {name: rows["structures"] for name, rows in TWO.items()}
    assert box_plot("dice", rows) == box_plot("dice", rows)
    assert box_plot("dice", {"a": []}) is None


def test_many_numbers_are_parted_into_thirds_and_few_are_groups():
    ages = groups_of({f"s{n}": str(20 + n) for n in range(12)})
    assert list(dict.fromkeys(ages.values())) == ["20 to 23", "24 to 27", "28 to 31"]
    fields = groups_of({"a": "3", "b": "1.5", "c": "n/a", "d": None})
    assert list(fields.items()) == [("b", "1.5"), ("a", "3"), ("c", UNKNOWN), ("d", UNKNOWN)]


def test_groups_of_scans_have_means_of_their_own():
    found = group_means("sex", model(0.8, 0.9, 0.4), {"s0": "F", "s1": "F", "s2": "M"}, {})
    dice = {row["group"]: row for row in found if row["metric"] == "dice"}
    assert dice["F"]["mean"] == pytest.approx(0.85) and dice["M"]["mean"] == 0.4
    assert (dice["F"]["column"], dice["F"]["scored"]) == ("sex", 2)


def test_levels_come_from_the_top_down_and_say_how_many_are_named_right():
    row = {"scan_id": "s", "invented": False, "assd_mm": None, "hd95_mm": None, "nsd": None}
    rows = [
        row | {"reference_level": "L1", "dice": 0.9, "level_right": True},
        row | {"reference_level": "T12", "dice": 0.0, "level_right": False},
        {"scan_id": "s", "invented": True, "predicted_level": "L5"},
    ]
    found = [(r["group"], r["metric"], r["mean"]) for r in level_means(rows, {})]
    assert found == [
        ("T12", "dice", 0.0),
        ("T12", "level_right", 0.0),
        ("L1", "dice", 0.9),
        ("L1", "level_right", 1.0),
    ]


def test_scanners_come_from_the_scans_sidecars(tmp_path):
    scan = tmp_path / "sub-1_T2w.nii.gz"
    content = {"Manufacturer": "A", "ManufacturersModelName": "B", "MagneticFieldStrength": 3}
    scan.with_name("sub-1_T2w.json").write_text(json.dumps(content))
    scans = {"sub-1": ("sub-1", "", scan), "sub-2": ("sub-2", "", tmp_path / "sub-2_T2w.nii.gz")}
    assert cells_of("scanner", scans, tmp_path, None) == {"sub-1": "A B 3", "sub-2": None}
    with pytest.raises(UnknownColumnError, match="there are level, scanner"):
        cells_of("site", scans, tmp_path, tmp_path)


def test_models_are_called_by_what_tells_their_folders_apart(tmp_path):
    one, other = tmp_path / "a" / "results", tmp_path / "b" / "results"
    assert names_of([one, tmp_path / "old"]) == ["results", "old"]
    assert names_of([one, other]) == ["a/results", "b/results"]
    assert names_of([one, one]) == ["results (1)", "results (2)"]
