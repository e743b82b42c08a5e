"""The table of an evaluation for the terminal."""

from __future__ import annotations

from wirbel.core.evaluation.paper_table import METRICS, PaperTable


def as_text(table: PaperTable) -> str:
    """Return the table in columns of equal width, a block for each metric."""
    names = [row.structure.replace("_", " ") for row in table.rows]
    first = max(map(len, names), default=0)
    columns = [
        max(
            [len(model)]
            + [
                len(cell.text(METRICS[row.metric].decimals))
                for row in table.rows
                if (cell := row.cells[place]) is not None
            ]
        )
        for place, model in enumerate(table.models)
    ]
    lines = [_line("", table.models, first, columns)]
    for metric, rows in table.blocks().items():
        lines += ["", METRICS[metric].title]
        for row in rows:
            cells = [
                "-" if cell is None else cell.text(METRICS[metric].decimals) for cell in row.cells
            ]
            lines.append(_line(row.structure.replace("_", " "), cells, first, columns))
    return "\n".join([*lines, *(f"\n{source}" for source in table.sources)])


def _line(name, cells, first: int, columns: list[int]) -> str:
    padded = (cell.rjust(width) for cell, width in zip(cells, columns, strict=True))
    return "  ".join([name.ljust(first), *padded]).rstrip()
