"""The table and pictures of an evaluation as one HTML file without scripts."""

from __future__ import annotations

from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from wirbel.core.evaluation.paper_table import METRICS, PaperTable


def as_page(table: PaperTable, title: str, notes: Sequence[str], pictures: Sequence[str]) -> str:
    """Return the page.

    Parameters
    ----------
    table : PaperTable
        What it shows.
    title : str
        Its heading.
    notes : sequence of str
        Sentences below the heading.
    pictures : sequence of str
        Names of files that lie beside the page.
    """
    loader = PackageLoader("wirbel.report", "assets")
    templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    template = templates.get_template("evaluation.html.j2")
    return template.render(
        table=table, metrics=METRICS, title=title, notes=notes, pictures=pictures
    )
