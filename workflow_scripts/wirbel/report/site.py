"""The folder `qc/` as a site: pages from templates, the scripts and styles they load, data as scripts."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from wirbel.io.atomic import write_bytes, write_text_if_changed
from wirbel.report.scripts import as_script

SCRIPTS = (
    *("core.js", "review.js", "charts.js", "table.js", "cohort.js"),
    *("scan.js", "numbers.js", "planes.js", "scan_start.js", "style.css"),
)
VENDORED = (
    "tabulator.min.js",
    "tabulator_simple.min.css",
    "uPlot.iife.min.js",
    "uPlot.min.css",
    "niivue.umd.js",
)
ASSETS_FOLDER, DATA_FOLDER, MEASURES_FOLDER = "assets", "data", "measures"


class Site:
    """Writes files below `folder` where they differ; `written` lists all of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.written: list[Path] = []
        loader = PackageLoader("wirbel.report", "assets")
        self._templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)

    def assets(self) -> None:
        """Write the scripts and styles, and the licences of those made by others."""
        for package, names in (("assets", SCRIPTS), ("vendor", VENDORED)):
            for name in names:
                self._copy(resources.files(f"wirbel.report.{package}") / name)
        for text in sorted(
            (resources.files("wirbel.report.vendor") / "licences").iterdir(), key=lambda t: t.name
        ):
            self._copy(text, "licences")

    def data(self, name: str, value: Any, folder: str = "") -> None:
        """Write `value` as the script `data/[folder/]<name>.js`."""
        path = self._folder.joinpath(DATA_FOLDER, *filter(None, [folder]), f"{name}.js")
        write_text_if_changed(path, as_script(name, value))
        self.written.append(path)

    def page(self, name: str, **values: Any) -> None:
        """Write a page from its template `<name>.j2`; everything put into it is escaped."""
        path = self._folder / name
        write_text_if_changed(path, self._templates.get_template(f"{name}.j2").render(**values))
        self.written.append(path)

    def forget_others(self, folder: str) -> None:
        """Remove data files of a folder that are not among those written: of measures that are gone."""
        kept = set(self.written)
        for path in self._in(folder):
            if path not in kept:
                path.unlink(missing_ok=True)

    def _in(self, folder: str) -> Iterable[Path]:
        return sorted((self._folder / DATA_FOLDER / folder).glob("*.js"))

    def _copy(self, source: Any, *into: str) -> None:
        path = self._folder.joinpath(ASSETS_FOLDER, *into, source.name)
        content = source.read_bytes()
        if not path.is_file() or path.read_bytes() != content:
            write_bytes(path, content)
        self.written.append(path)
