"""Fixtures of several modules: a measured output folder, and the tables of a simulated cohort."""

import shutil

import pytest
from support.spines.solid_spine import SolidSpine, render
from support.studies.measured import measure_two_batches
from support.studies.simulated_cohort import gather_simulated_cohort


@pytest.fixture(scope="session")
def maps():
    """Both label maps of a spine of two boxes."""
    return render(SolidSpine())


@pytest.fixture(scope="session")
def measured_once(tmp_path_factory, maps):
    """Two batches: a measured scan and one that was never readable; another measured scan."""
    folder = tmp_path_factory.mktemp("measured")
    measure_two_batches(folder, maps)
    return folder


@pytest.fixture
def output(tmp_path, measured_once):
    """A copy of the measured output folder, to do with as a test likes."""
    shutil.copytree(measured_once, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture(scope="session")
def tables(tmp_path_factory):
    """The folder of the tables of a simulated cohort; number 7 has an odd height, number 8 no complete one."""
    output, bids = tmp_path_factory.mktemp("output"), tmp_path_factory.mktemp("bids")
    return gather_simulated_cohort(output, bids)
