"""A slip in output_dir is refused before it overwrites or mixes somebody's data."""

import os

import pytest
from support.studies.bids_scans import put_scan

from wirbel.io.dataset.bids import write_dataset_description
from wirbel.study.checks.output_folder import check_output_folder
from wirbel.study.refused import Refused


@pytest.fixture
def bids(tmp_path):
    put_scan(tmp_path / "data", "sub-01")
    write_dataset_description(tmp_path / "data", "A study")
    return tmp_path / "data"


def refused(output, bids) -> str:
    with pytest.raises(Refused) as caught:
        check_output_folder(output, bids)
    return str(caught.value)


def test_a_new_folder_an_empty_one_and_a_derivative_of_the_data_set_are_fine(tmp_path, bids):
    (tmp_path / "empty").mkdir()
    for output in (tmp_path / "new/deeper", tmp_path / "empty", bids / "derivatives/wirbel"):
        check_output_folder(output, bids)
    check_output_folder(bids / "derivatives/wirbel", bids)
    check_output_folder("results", "")
    check_output_folder("results", tmp_path / "not there")


def test_a_folder_of_our_own_is_fine_with_the_scans_inside_it_too(tmp_path, bids):
    """As in the demo: the simulated scans lie in results/demo/bids."""
    write_dataset_description(tmp_path, "Spine", derivative_of="wirbel", version="1")
    put_scan(tmp_path, "sub-01")
    check_output_folder(tmp_path, bids)


def test_a_folder_of_our_own_whose_description_was_deleted_is_known_by_its_work_folder(tmp_path):
    put_scan(tmp_path / "out", "sub-01")
    (tmp_path / "out/work/batches").mkdir(parents=True)
    check_output_folder(tmp_path / "out", "")


@pytest.mark.parametrize("name", ["data", "data/", "data/../data", "data/sub-01/..", "link"])
def test_the_data_set_itself_is_refused_however_it_is_written(tmp_path, bids, name):
    (tmp_path / "link").symlink_to(bids)
    told = refused(f"{tmp_path}/{name}", bids)
    assert "is bids_dir itself" in told and str(bids / "derivatives/wirbel") in told


def test_the_data_set_is_seen_through_a_link_to_it(tmp_path, bids):
    (tmp_path / "link").symlink_to(bids)
    assert "is bids_dir itself" in refused(bids, tmp_path / "link")


@pytest.mark.parametrize("name", ["sub-01", "sub-01/anat/new", "derivatives", "sourcedata/x"])
def test_places_of_the_raw_data_are_refused(tmp_path, bids, name):
    (tmp_path / "link").symlink_to(bids)
    for path in (bids / name, tmp_path / "link" / name):
        assert "lies among the raw data of bids_dir" in refused(path, bids)


@pytest.fixture
def selection(tmp_path, bids):
    """A data set whose participants are links: some people of another data set, one under another name."""
    (tmp_path / "selection/derivatives").mkdir(parents=True)
    put_scan(tmp_path / "data", "sub-02")
    for name, target in {"sub-01": "sub-01", "sub-b": "sub-02"}.items():
        (tmp_path / "selection" / name).symlink_to(bids / target)
    return tmp_path / "selection"


@pytest.mark.parametrize(
    "name", ["selection/sub-01", "selection/sub-b/anat/new", "data/sub-01", "data/sub-02/anat"]
)
def test_participants_that_are_links_are_raw_data_behind_the_link_too(tmp_path, selection, name):
    assert "lies among the raw data of bids_dir" in refused(tmp_path / name, selection)


def test_a_result_folder_that_leads_to_where_the_participants_link_leads_is_refused(
    tmp_path, bids, selection
):
    (tmp_path / "out/work/batches").mkdir(parents=True)
    (tmp_path / "out/sub-b").symlink_to(bids / "sub-02")
    assert "is a link into bids_dir" in refused(tmp_path / "out", selection)


def test_derivatives_on_another_disk_and_dangling_participants_are_fine(tmp_path, selection):
    (selection / "derivatives").rmdir()
    (tmp_path / "disk").mkdir()
    (selection / "derivatives").symlink_to(tmp_path / "disk")
    (selection / "sub-gone").symlink_to(tmp_path / "nowhere")
    check_output_folder(selection / "derivatives/wirbel", selection)


def test_scans_in_a_folder_that_wirbel_writes_are_refused(tmp_path):
    put_scan(tmp_path / "out/work/bids", "sub-01")
    assert "in a folder that Wirbel writes" in refused(tmp_path / "out", tmp_path / "out/work/bids")


def test_a_participants_folder_that_is_a_link_to_the_raw_one_is_refused(tmp_path, bids):
    (tmp_path / "out/work/batches").mkdir(parents=True)
    (tmp_path / "out/sub-01").symlink_to(bids / "sub-01")
    assert "is a link into bids_dir" in refused(tmp_path / "out", bids)
    (tmp_path / "out/sub-01").unlink()
    (tmp_path / "scratch").mkdir()
    (tmp_path / "out/qc").symlink_to(tmp_path / "scratch")
    check_output_folder(tmp_path / "out", bids)


@pytest.mark.parametrize(
    "text",
    [
        '{"Name": "A study", "DatasetType": "raw"}',
        '{"Name": "x", "GeneratedBy": [{"Name": "fmriprep"}, {"Name": "wirbel"}]}',
        '{"GeneratedBy": "wirbel"}',
        "not JSON",
        "[1]",
        "",
    ],
)
def test_another_data_sets_description_is_never_overwritten(tmp_path, bids, text):
    (tmp_path / "other").mkdir()
    (tmp_path / "other/dataset_description.json").write_text(text)
    (tmp_path / "other/work/batches").mkdir(parents=True)
    assert "is another data set" in refused(tmp_path / "other", bids)


def test_a_description_that_is_a_link_counts_as_what_it_points_to(tmp_path, bids):
    (tmp_path / "other").mkdir()
    os.symlink(bids / "dataset_description.json", tmp_path / "other/dataset_description.json")
    assert "is a link into bids_dir" in refused(tmp_path / "other", bids)
    assert "is another data set" in refused(tmp_path / "other", "")


def test_participants_without_any_description_are_somebodys(tmp_path, bids):
    put_scan(tmp_path / "other", "sub-07")
    assert "holds sub-07 but was not made by Wirbel" in refused(tmp_path / "other", bids)


def test_a_file_and_a_link_to_nothing_are_no_folders(tmp_path, bids):
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    assert "is a file" in refused(tmp_path / "file", bids)
    assert "is a link to nothing" in refused(tmp_path / "link", bids)
