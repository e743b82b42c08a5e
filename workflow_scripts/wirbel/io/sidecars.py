"""JSON sidecars, BIDS lookup tables and packed arrays; the same content gives the same bytes."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wirbel.errors import ScanError
from wirbel.io.atomic import atomic_path, write_text
from wirbel.io.tabular.tables import write_rows

QUICKEST = 1
"""zlib's level 1."""


def read_json(path: str | Path) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_json(path: str | Path, content: Any, compact: bool = False) -> None:
    """Write JSON atomically, with keys in the given order; NaN and infinity become null.

    Parameters
    ----------
    path : str or Path
        The file.
    content : object
        Anything JSON can hold, and NumPy scalars and arrays, tuples and paths.
    compact : bool
        Leave out line ends and blanks, for long lists of numbers that only programs read.
    """
    layout = {"separators": (",", ":")} if compact else {"indent": 2}
    text = json.dumps(plain(content), allow_nan=False, ensure_ascii=False, **layout)
    write_text(path, text + "\n")


def write_lookup(path: str | Path, names: Mapping[int, str], colours: Mapping[int, str]) -> None:
    """Write a BIDS `_dseg.tsv`: columns index, name, color ("#rrggbb"), ascending by index."""
    rows = [{"index": i, "name": names[i], "color": colours.get(i)} for i in sorted(names)]
    write_rows(path, ("index", "name", "color"), rows)


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """Read an .npz file that `write_arrays` wrote, without unpickling anything.

    Raises
    ------
    ScanError
        "unreadable" if the file is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as packed:
            return {name: packed[name] for name in packed.files}
    except (ValueError, EOFError) as error:
        raise ScanError("unreadable", f"{Path(path).name}: {error}") from error


def write_arrays(path: str | Path, **arrays: np.ndarray) -> None:
    """Write named arrays as a compressed .npz atomically (its entries carry no time stamp).

    As `numpy.savez_compressed`, but at zlib's quickest level: such files lie between two stages for minutes.
    """
    with (
        atomic_path(path) as temporary,
        open(temporary, "wb") as stream,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=QUICKEST) as packed,
    ):
        for name, array in arrays.items():
            with packed.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=False)


def finite(value: float) -> float | None:
    """Return a number as JSON holds it: None for NaN and infinity."""
    return value if math.isfinite(value) else None


def plain(value: Any, number: Callable[[float], float | None] = finite) -> Any:
    """Return `value` in JSON's own types; `number` says how each float is stored."""
    if isinstance(value, Mapping):
        return {str(key): plain(item, number) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, number) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist(), number)
    if isinstance(value, float):
        return number(value)
    return str(value) if isinstance(value, Path) else value
