"""The table of an evaluation in LaTeX (package booktabs)."""

from __future__ import annotations

from wirbel.core.evaluation.paper_table import METRICS, PaperTable, TableRow

ESCAPES = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


def as_latex(table: PaperTable) -> str:
    """Return the table as a `tabular`, the best model of each row in bold."""
    lines = [r"\begin{tabular}{l" + "r" * len(table.models) + "}", r"\toprule"]
    lines.append(" & ".join(["", *map(escaped, table.models)]) + r" \\")
    for metric, rows in table.blocks().items():
        title = escaped(METRICS[metric].title)
        width = len(table.models) + 1
        lines += [r"\midrule", rf"\multicolumn{{{width}}}{{l}}{{\textit{{{title}}}}} \\"]
        lines += [_line(row) for row in rows]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def escaped(text: str) -> str:
    r"""Return a text as LaTeX prints it.

    Examples
    --------
    >>> escaped("a_b & 5 %")
    'a\\_b \\& 5 \\%'
    """
    return "".join(ESCAPES.get(sign, sign) for sign in text)


def _line(row: TableRow) -> str:
    cells = []
    for place, cell in enumerate(row.cells):
        text = "--" if cell is None else escaped(cell.text(METRICS[row.metric].decimals))
        cells.append(rf"\textbf{{{text}}}" if place == row.best else text)
    return " & ".join([escaped(row.structure.replace("_", " ")), *cells]) + r" \\"
