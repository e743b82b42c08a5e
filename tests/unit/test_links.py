"""Links inside the output folder that would let results be written among the raw data."""

import pytest
from support.studies.bids_scans import put_scan

from wirbel.io.dataset.bids import find_scans
from wirbel.study.listing.links import check_links
from wirbel.study.refused import Refused


@pytest.fixture
def study(tmp_path):
    """A data set with a scan beside a session, and an output folder."""
    put_scan(tmp_path / "data", "sub-01")
    put_scan(tmp_path / "data", "sub-02", "ses-a")
    (tmp_path / "out").mkdir()
    return tmp_path


def check(study):
    check_links(study / "out", study / "data", find_scans(study / "data"))


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("sub-01/anat", "sub-01/anat"),
        ("sub-02/ses-a", "sub-02/ses-a"),
        ("sub-02/ses-a/anat", "sub-01"),
        ("work/merge", "sub-01"),
        ("logs/merge", ""),
    ],
)
def test_a_link_into_the_data_set_is_refused_at_any_depth(study, link, target):
    path = study / "out" / link
    path.parent.mkdir(parents=True)
    path.symlink_to(study / "data" / target)
    with pytest.raises(Refused, match=f"{link} is a link into bids_dir"):
        check(study)


def test_a_link_to_where_a_participant_s_own_link_leads_is_refused(study):
    """A data set may be a selection of another one, made of links."""
    (study / "selection").mkdir()
    (study / "selection/sub-01").symlink_to(study / "data/sub-01")
    (study / "out/sub-01").mkdir()
    (study / "out/sub-01/anat").symlink_to(study / "data/sub-01/anat")
    with pytest.raises(Refused, match="sub-01/anat is a link into bids_dir"):
        check_links(study / "out", study / "selection", find_scans(study / "selection"))


def test_folders_and_links_to_other_disks_are_fine(study):
    (study / "other disk").mkdir()
    (study / "out" / "sub-01").mkdir()
    (study / "out" / "sub-01" / "anat").symlink_to(study / "other disk")
    (study / "out" / "sub-02" / "ses-a" / "anat").mkdir(parents=True)
    check(study)


def test_a_link_within_an_output_folder_of_the_data_set_s_derivatives_is_fine(study):
    output = study / "data" / "derivatives" / "wirbel"
    (output / "large").mkdir(parents=True)
    (output / "sub-01").mkdir()
    (output / "sub-01" / "anat").symlink_to(output / "large")
    check_links(output, study / "data", find_scans(study / "data"))
