"""Every dependency's licence is listed, and the audit fails for what it finds, never for want of a network."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


def script(name: str):
    spec = importlib.util.spec_from_file_location(f"ci_{name}", REPOSITORY / ".ci" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


licences, audit = script("licences"), script("audit")
ROW = re.compile(r"^\| (\S+) \| (\S+) \| (.+) \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def listed() -> dict[str, tuple[str, str]]:
    """Package -> version and licence, as docs/licences.md has them."""
    rows = ROW.findall(licences.PAGE.read_text(encoding="utf-8"))
    return {name: (version, stated) for name, version, stated in rows}


def test_every_declared_dependency_is_listed_with_a_licence(listed):
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    declared = project["dependencies"] + project["optional-dependencies"]["test"]
    names = {licences.canonical(re.match(r"[\w.-]+", line)[0]) for line in declared}
    assert names and names <= set(listed)
    assert not [name for name, (_, stated) in listed.items() if stated == licences.UNKNOWN]


def test_every_pinned_package_is_listed_at_its_version(listed):
    """Else: make licences."""
    versions = {name: version for name, (version, _) in listed.items()}
    assert licences.pinned().items() <= versions.items()
    assert set(versions) - {"package", "---"} <= set(licences.pinned())


def test_a_licence_is_what_the_installed_package_states():
    assert licences.licence("requests") == "Apache-2.0"
    assert licences.licence("no-such-package") == licences.UNKNOWN


def package(name: str, *identifiers: str) -> dict:
    found = [{"id": one, "aliases": [f"CVE-{one}"], "fix_versions": ["2.0"]} for one in identifiers]
    return {"name": name, "version": "1.0", "vulns": found}


SKIPPED = {"name": "b", "skip_reason": "Dependency not found and could not be audited: b (1.0)"}


def test_a_vulnerability_fails_and_is_named_with_its_remedy(capsys):
    assert audit.report({"dependencies": [package("a", "X-1"), package("c")]}, set()) == 1
    told = capsys.readouterr().out
    assert "a 1.0: X-1, fixed in 2.0" in told and "2 of 2 packages audited, 1 findings" in told


@pytest.mark.parametrize("accepted", ["X-1", "CVE-X-1"])
def test_one_that_was_looked_at_does_not_fail(capsys, accepted):
    assert audit.report({"dependencies": [package("a", "X-1"), SKIPPED]}, {accepted}) == 0
    assert "1 of 2 packages audited, 0 findings" in capsys.readouterr().out


@pytest.mark.parametrize("found", [None, {}, {"dependencies": [SKIPPED]}])
def test_no_service_is_no_failure_and_is_said(capsys, found):
    assert audit.report(found, set()) == 0
    assert "nothing was audited" in capsys.readouterr().out


def stand_in(folder: Path, text: str) -> Path:
    """Return a program in place of pip-audit."""
    program = folder / "pip-audit"
    program.write_text(f"#!{sys.executable}\nimport sys\n{text}\n")
    program.chmod(0o755)
    return program


def test_the_audits_answer_is_read_whatever_its_exit_code(tmp_path):
    answer = {"dependencies": [package("a", "X-1")]}
    write = (
        f"open(sys.argv[sys.argv.index('-o') + 1], 'w').write({json.dumps(answer)!r}); sys.exit(1)"
    )
    assert audit.audit(stand_in(tmp_path, write)) == answer
    assert audit.audit(stand_in(tmp_path, "sys.exit('ConnectionError')")) is None
    assert audit.audit(tmp_path / "nothing") is None


def test_without_a_network_the_audit_ends_well(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(audit, "ENVIRONMENT", tmp_path / "environment")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    for other in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    assert audit.main() == 0
    assert "could not be installed (no network?)" in capsys.readouterr().out


def test_what_was_accepted_says_why():
    for line in audit.ACCEPTED.read_text(encoding="utf-8").splitlines():
        assert line.startswith("#") or len(line.split()) > 3
    assert "audit.py" in (REPOSITORY / ".ci" / "run").read_text()
