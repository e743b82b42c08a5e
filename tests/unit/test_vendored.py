"""The JavaScript kept in the repository is what npm delivered, with its licence, and is listed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
_spec = importlib.util.spec_from_file_location("ci_vendor", REPOSITORY / ".ci" / "vendor.py")
vendor = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(vendor)
PACKAGES = [(path, package) for path in vendor.LISTS for package in vendor.read_list(path)]


@pytest.mark.parametrize("path", vendor.LISTS, ids=lambda path: path.parts[-4])
def test_every_file_has_its_checksum(path):
    assert vendor.wrong_files(path) == []


@pytest.mark.parametrize(
    "path, package", PACKAGES, ids=lambda p: p["package"] if isinstance(p, dict) else ""
)
def test_every_package_comes_with_its_licence_and_is_listed(path, package):
    assert (path.parent / package["text"]).read_text(encoding="utf-8").strip()
    page = (REPOSITORY / "docs" / "licences.md").read_text(encoding="utf-8")
    assert f"| {package['package']} {package['version']} | {package['licence']} |" in page


def test_a_changed_file_is_noticed(tmp_path):
    for path in vendor.LISTS[:1]:
        (tmp_path / "vendored.json").write_bytes(path.read_bytes())
    assert "tabulator.min.js" in vendor.wrong_files(tmp_path / "vendored.json")
