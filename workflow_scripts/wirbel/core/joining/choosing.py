"""Each vertebra, disc and level of a session once: of the stations that show it the one that shows it best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wirbel.core.labels import LEVEL_LABELS

VOLUMES = {
    "vertebrae": "vertebra_volume_mm3",
    "discs": "disc_volume_mm3",
    "levels": "canal_volume_mm3",
}
"""Table -> the column that says how much of the structure a station shows."""
Columns = Mapping[str, Sequence[Any]]


def best_rows(
    table: str, stations: Sequence[Columns], numbers: Sequence[Mapping[int, int]]
) -> list[list[int]]:
    """Return for each station the places of the rows that no other station has better.

    The better row is the complete one, then the one with the larger volume, then that of the first station.

    Parameters
    ----------
    table : str
        One of VOLUMES.
    stations : sequence of mappings
        Rows of each station, as columns: name -> values.
    numbers : sequence of mappings
        Of each station: label -> number of a vertebra that its label does not identify (`Joined.numbers`).
    """
    best: dict[int, tuple[tuple, int, int]] = {}
    for station, (columns, own) in enumerate(zip(stations, numbers, strict=True)):
        levels = columns.get("level", ())
        for row, level in enumerate(levels):
            label = LEVEL_LABELS[level.split("-")[0]]
            number, rank = own.get(label, label), _rank(table, columns, row)
            if number not in best or rank > best[number][0]:
                best[number] = rank, station, row
    kept: list[list[int]] = [[] for _ in stations]
    for _, station, row in best.values():
        kept[station].append(row)
    return [sorted(rows) for rows in kept]


def _rank(table: str, columns: Columns, row: int) -> tuple[bool, float]:
    complete = columns.get("complete", ())
    volumes = columns.get(VOLUMES[table], ())
    return (
        bool(complete and complete[row]),
        float((volumes[row] if volumes else None) or 0.0),
    )
