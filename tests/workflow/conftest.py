"""Fixtures of the workflow tests."""

import shutil

import pytest
from support.studies.toy_workflow import Workflow, toy_workflow


@pytest.fixture
def workflow(tmp_path) -> Workflow:
    """A copy of the workflow with toy stages in place of the real ones."""
    return toy_workflow(tmp_path)


@pytest.fixture(scope="module")
def first_run(tmp_path_factory):
    """A workflow that ran on three scans and a broken one, all in one batch; what it told; a copy of its files."""
    folder = tmp_path_factory.mktemp("finished") / "study"
    folder.mkdir()
    workflow = toy_workflow(folder)
    for number in (1, 2, 3):
        workflow.scan(f"sub-{number:02}", str(number))
    workflow.scan("sub-04", "broken")
    told = workflow.run(batch_size=4)
    shutil.copytree(folder, folder.with_name("kept"))
    return workflow, told


@pytest.fixture
def finished(first_run) -> Workflow:
    """The workflow after its first run, whatever other tests have made of it since (time stamps included)."""
    folder = first_run[0].folder.parent
    if folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(folder.with_name("kept"), folder)
    return Workflow(folder)
