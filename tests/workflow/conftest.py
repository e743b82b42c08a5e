"""Fixtures of the workflow tests."""

import pytest
from toy_workflow import Workflow, toy_workflow


@pytest.fixture
def workflow(tmp_path) -> Workflow:
    """A copy of the workflow with toy stages in place of the real ones."""
    return toy_workflow(tmp_path)
