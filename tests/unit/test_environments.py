"""envs/*.yaml pin what the jobs need and name no files: Snakemake copies them elsewhere before conda reads them."""

import tomllib
from importlib.metadata import requires
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parents[2]
ENVIRONMENTS = ("cpu", "gpu")
NOT_IN_JOBS = (
    "snakemake",
    "snakemake-executor-plugin-slurm",
    "snakemake-interface-logger-plugins",
    "rich",
    "shtab",
    "packaging",
)
"""What only the main process and the command `wirbel` use."""
BUILT_ON = {"torch": "+cpu", "torchvision": "+cpu"}
"""In cpu.yaml these two come without CUDA libraries, which their version says."""


def _constraints() -> dict[str, str]:
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()
    pairs = [line.split("==") for line in lines if "==" in line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


def _declared() -> list[Requirement]:
    content = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    project = content["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["cpu-engine"]]
    return [Requirement(line) for line in lines]


def _needed() -> set[str]:
    """Return all packages of constraints.txt that the jobs' dependencies need, directly or through others."""
    waiting = [item for item in _declared() if item.name not in NOT_IN_JOBS]
    seen: set[tuple[str, str]] = set()
    while waiting:
        item = waiting.pop()
        key = (canonicalize_name(item.name), ",".join(item.extras))
        if key in seen:
            continue
        seen.add(key)
        if key[0] in _constraints():
            waiting += [
                more for more in map(Requirement, requires(item.name) or []) if _applies(more, item)
            ]
    return {name for name, _ in seen} & _constraints().keys()


def _applies(item: Requirement, wanted_by: Requirement) -> bool:
    extras = [*wanted_by.extras, ""]
    return item.marker is None or any(item.marker.evaluate({"extra": extra}) for extra in extras)


def _pip_lines(name: str) -> list[str]:
    content = yaml.safe_load((REPOSITORY / "envs" / f"{name}.yaml").read_text())
    return content["dependencies"][-1]["pip"]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_pins_what_the_jobs_need_at_the_tested_versions(name):
    pins = dict(line.split("==") for line in _pip_lines(name) if not line.startswith("--"))
    suffix = BUILT_ON if name == "cpu" else {}
    tested = _constraints()
    expected = {package: tested[package] + suffix.get(package, "") for package in _needed()}
    assert {canonicalize_name(package): version for package, version in pins.items()} == expected


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_names_no_files(name):
    options = [line for line in _pip_lines(name) if line.startswith("--")]
    assert all(line.startswith("--extra-index-url https://") for line in options)
    assert not any("/" in line for line in _pip_lines(name) if not line.startswith("--"))
