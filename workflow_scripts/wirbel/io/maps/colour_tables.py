"""Names and colours of labels in the formats of 3D Slicer, FSLeyes and ITK-SNAP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from wirbel.core.pictures.colours import rgb
from wirbel.io.atomic import write_text_if_changed

FOLDER = "colours"
"""Below the output folder."""
SUFFIXES = {"slicer": ".ctbl", "fsleyes": ".lut", "itksnap": ".label.txt"}


def write_colour_tables(
    folder: Path, kind: str, names: Mapping[int, str], colours: Mapping[int, str]
) -> list[Path]:
    """Write one table per viewer for one kind of label map.

    Parameters
    ----------
    folder : Path
        Where to write.
    kind : str
        The label map, such as "vertebra"; the beginning of the files' names.
    names, colours : mapping of int to str
        Label -> name, and label -> "#rrggbb".

    Returns
    -------
    list of Path
        The files, in the order of `SUFFIXES`.
    """
    rows = [(label, names[label], rgb(colours[label])) for label in sorted(names)]
    paths = []
    for viewer, lines in (("slicer", _slicer), ("fsleyes", _fsleyes), ("itksnap", _itksnap)):
        path = folder / f"{kind}{SUFFIXES[viewer]}"
        write_text_if_changed(path, "\n".join(lines(rows)) + "\n")
        paths.append(path)
    return paths


Rows = list[tuple[int, str, tuple[int, int, int]]]


def _slicer(rows: Rows) -> Iterator[str]:
    """Yield a colour table file: index, name, red, green, blue, opacity; 0 is the background."""
    yield "# Color table file"
    yield "0 background 0 0 0 0"
    yield from (f"{label} {name} {r} {g} {b} 255" for label, name, (r, g, b) in rows)


def _fsleyes(rows: Rows) -> Iterator[str]:
    """Yield a lookup table: index, red, green, blue from 0 to 1, name."""
    for label, name, colour in rows:
        yield f"{label} {' '.join(f'{part / 255:.5f}' for part in colour)} {name}"


def _itksnap(rows: Rows) -> Iterator[str]:
    """Yield a label description file: index, colour, opacity, visible in slices, in 3D, name."""
    yield "# ITK-SnAP Label Description File"
    yield "# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL"
    yield '    0     0    0    0        0  0  0    "Clear Label"'
    for label, name, (r, g, b) in rows:
        yield f'{label:5d} {r:5d}{g:5d}{b:5d}        1  1  1    "{name}"'
