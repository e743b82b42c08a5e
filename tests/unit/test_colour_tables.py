"""Colour tables say for every label what the lookup tables say, each in its viewer's words."""

from __future__ import annotations

from wirbel.core.pictures.lookups import subregion_colours, vertebra_colours, vertebra_names
from wirbel.io.maps.colour_tables import write_colour_tables
from wirbel.io.maps.lookup_tables import lookup_files, write_lookups
from wirbel.io.tabular.tables import read_rows

NAMES = {20: "L1", 7: "C7"}
COLOURS = {20: "#ff0000", 7: "#0080ff"}


def test_each_viewers_format(tmp_path):
    slicer, fsleyes, itksnap = write_colour_tables(tmp_path, "vertebra", NAMES, COLOURS)
    assert slicer.read_text().splitlines()[1:] == [
        "0 background 0 0 0 0",
        "7 C7 0 128 255 255",
        "20 L1 255 0 0 255",
    ]
    assert fsleyes.read_text().splitlines() == [
        "7 0.00000 0.50196 1.00000 C7",
        "20 1.00000 0.00000 0.00000 L1",
    ]
    rows = [line.split() for line in itksnap.read_text().splitlines() if not line.startswith("#")]
    assert rows[0][-2:] == ['"Clear', 'Label"']
    assert rows[1:] == [
        ["7", "0", "128", "255", "1", "1", "1", '"C7"'],
        ["20", "255", "0", "0", "1", "1", "1", '"L1"'],
    ]
    assert [path.name for path in (slicer, fsleyes, itksnap)] == [
        "vertebra.ctbl",
        "vertebra.lut",
        "vertebra.label.txt",
    ]


def test_the_tables_of_all_maps_name_every_label_once(tmp_path):
    write_lookups(tmp_path)
    assert lookup_files(tmp_path) == [
        tmp_path / f"desc-{kind}_dseg.tsv" for kind in ("subregion", "vertebra", "reviewed")
    ]
    tables = [
        {int(row["index"]): row for row in read_rows(path)} for path in lookup_files(tmp_path)
    ]
    assert tables[1] == tables[2] and list(tables[1]) == sorted(tables[1])
    assert tables[1][124]["name"] == "disc_below_L5" and tables[0][60]["name"] == "spinal_cord"
    assert all(
        row["color"].startswith("#") and len(row["color"]) == 7 for row in tables[0].values()
    )


def test_all_our_labels_have_a_name_and_a_colour():
    assert set(vertebra_names()) <= set(vertebra_colours())
    assert all(" " not in name for name in vertebra_names().values()), "Slicer parts at blanks"
    assert set(subregion_colours())
