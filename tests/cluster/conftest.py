"""The cluster that all tests of this folder share, and a workflow with toy stages on it."""

import os
import tempfile

import pytest
from support.cluster.accounting import PACKAGES as ACCOUNTING_PACKAGES
from support.cluster.cluster import PACKAGES, Cluster, missing_programs
from support.cluster.cluster_workflow import ClusterWorkflow, toy_cluster_workflow


def pytest_collection_modifyitems(items):
    """Without SLURM on this machine these tests are left out, unless WIRBEL_REQUIRE_CLUSTER asks for them."""
    if os.environ.get("WIRBEL_REQUIRE_CLUSTER") == "1":
        return
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        accounting = "accounting_cluster" in fixtures
        lacking = missing_programs(accounting)
        if lacking and (accounting or "cluster" in fixtures):
            needed = f"{PACKAGES} {ACCOUNTING_PACKAGES}" if accounting else PACKAGES
            missing = f"{', '.join(lacking)} missing (as root: apt install {needed})"
            item.add_marker(pytest.mark.skip(reason=f"no SLURM to test with, {missing}"))


@pytest.fixture(scope="session")
def cluster():
    """A running SLURM cluster of four nodes, two of them with a pretend GPU."""
    with tempfile.TemporaryDirectory(prefix="cluster-") as folder, Cluster(folder) as running:
        yield running


@pytest.fixture(scope="session")
def accounting_cluster():
    """The same with an accounting database, in which jobs need an account."""
    with (
        tempfile.TemporaryDirectory(prefix="cluster-") as folder,
        Cluster(folder, accounting=True) as running,
    ):
        yield running


@pytest.fixture
def workflow(cluster, tmp_path) -> ClusterWorkflow:
    """A copy of the workflow with toy stages, run with profiles/slurm on the cluster."""
    made = toy_cluster_workflow(tmp_path, cluster.environment)
    yield made
    made.stop()
    cluster.cancel_all()
