"""Public functions with many parameters say what each one is, in numpydoc's sections."""

import ast
from pathlib import Path

import pytest

from wirbel.core.measures import status

PACKAGE = Path(status.__file__).parents[2]
FOLDERS = ("core", "io", "learning", "models")
MANY = 4
"""Functions with fewer parameters name them in a sentence."""
NOT_YET = {
    "core/dictionary/shared.py:angle",
    "core/dictionary/shared.py:ratio",
    "core/dictionary/shared.py:signal_ratio",
    "core/dictionary/shared.py:size",
    "core/dictionary/shared.py:surface_volume",
    "core/dictionary/shared.py:volume",
    "core/measures/cord/compression.py:compression_columns",
    "core/measures/cord/conus.py:conus_columns",
    "core/measures/cord/sections.py:cut_section",
    "core/measures/coverage/completeness.py:add_complete",
    "core/measures/curvature/curves.py:fit_closed_curve",
    "core/measures/curvature/landmarks.py:cobb_landmarks",
    "core/measures/curvature/slips.py:facing_plates",
    "core/measures/curvature/slips.py:slip_row",
    "core/measures/discs.py:disc_rows",
    "core/measures/levels.py:level_rows",
    "core/measures/scans.py:scan_row",
    "core/measures/shape/bulge.py:bulge_columns",
    "core/measures/shape/corners.py:corners_beside",
    "core/measures/shape/foramen.py:foramen_columns",
    "core/measures/shape/foramen.py:pedicle_edge_mm",
    "core/measures/shape/joint.py:segment_columns",
    "core/measures/shape/outlines.py:fit_outline",
    "core/measures/shape/surfaces.py:find_block",
    "core/measures/shape/walls.py:wall_at_rims",
    "core/measures/signal/coil.py:add_corrected_ratios",
    "core/measures/signal/discs.py:add_disc_contrast",
    "core/measures/signal/marrow.py:vbq_columns",
    "core/measures/signal/signals.py:add_signal_ratios",
}
"""They lack the sections; this list only gets shorter."""


def _functions(path: Path):
    """Yield (name, arguments, docstring) of the public functions of a module."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            given = (*node.args.args, node.args.vararg, *node.args.kwonlyargs)
            arguments = [argument.arg for argument in given if argument]
            yield node.name, arguments, ast.get_docstring(node) or ""


MODULES = sorted(path for folder in FOLDERS for path in (PACKAGE / folder).rglob("*.py"))


def _lacks(path: Path) -> set[str]:
    name = str(path.relative_to(PACKAGE))
    return {
        f"{name}:{function}"
        for function, arguments, text in _functions(path)
        if len(arguments) >= MANY and "Parameters\n----------\n" not in text
    }


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_public_function_has_a_docstring_and_many_parameters_are_listed(path):
    assert all(text for _, _, text in _functions(path))
    assert _lacks(path) <= NOT_YET


def test_what_has_its_sections_now_is_no_longer_excused():
    assert set().union(*map(_lacks, MODULES)) == NOT_YET


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_sections_list_the_parameters_that_there_are(path):
    for name, arguments, text in _functions(path):
        if "Parameters\n----------\n" not in text:
            continue
        section = text.split("Parameters\n----------\n")[1].split("\n\n")[0]
        heads = [line for line in section.split("\n") if line and not line.startswith(" ")]
        listed = [part.strip(" *") for head in heads for part in head.split(" : ")[0].split(",")]
        assert listed == arguments, name
