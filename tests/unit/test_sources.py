"""Which scans are taken: filter, where, one_per_session, and tables of scans; every other one says why not."""

import pytest
from support.studies.bids_scans import put_scan

from wirbel.io.dataset.scan_table import TableError, list_table
from wirbel.study.listing.dataset import look_up
from wirbel.study.listing.discovery import plan_batches
from wirbel.study.refused import Refused
from wirbel.study.settings.setting_values import SettingsError
from wirbel.study.sources.source import OneOf, Range, Source
from wirbel.study.sources.source_settings import source_of


def source(**settings):
    """The source as settings describe it."""
    plain = {"scans": "", "dicom": False, "suffix": "T2w", "filter": {}, "where": {}}
    plain |= {"one_per_session": False}
    return source_of({**plain, **settings})


def taken(folder, **settings):
    """Return the names of the scans that are taken."""
    return [scan.scan_id for scan in found(folder, **settings).scans]


def found(folder, **settings):
    return look_up(folder / "in", folder / "out", source=source(**settings))


@pytest.fixture
def cohort(tmp_path):
    """Sub-01 with two orientations and a repeated run in two sessions, sub-02 with one scan without entities."""
    for extra in ("acq-sag_run-1", "acq-sag_run-2", "acq-ax"):
        put_scan(tmp_path / "in", "sub-01", "ses-a", extra)
    put_scan(tmp_path / "in", "sub-01", "ses-b", "acq-sag")
    put_scan(tmp_path / "in", "sub-02")
    put_scan(tmp_path / "in", "sub-02", suffix="_T1w.nii.gz")
    return tmp_path


def test_a_filter_takes_names_with_one_of_its_values(cohort):
    assert taken(cohort, filter={"acq": ["sag"], "ses": "a"}) == [
        "sub-01_ses-a_acq-sag_run-1",
        "sub-01_ses-a_acq-sag_run-2",
    ]
    assert taken(cohort, filter={"acq": ["none"]}) == ["sub-02"]
    assert taken(cohort, filter={"run": 2}) == ["sub-01_ses-a_acq-sag_run-2"]
    assert taken(cohort, filter={"run": "02", "ses": "ses-a"}) == ["sub-01_ses-a_acq-sag_run-2"]


def test_who_has_scans_but_none_that_fits_has_no_scan_and_is_told(cohort):
    data = found(cohort, filter={"acq": ["sag"]})
    (one,) = data.findings
    assert (one.participant_id, one.reason) == ("sub-02", "no_scan")
    assert one.detail == (
        "1 scan, such as sub-02: left out by the setting filter: expected acq sag, found no acq-"
    )
    assert "2 scans are left out by the setting filter" in data.remarks


def test_another_suffix_takes_other_images(cohort):
    assert taken(cohort, suffix="T1w") == ["sub-02"]
    (scan,) = found(cohort, suffix="T1w").scans
    assert scan.path.endswith("sub-02_T1w.nii.gz")
    assert [one.participant_id for one in found(cohort, suffix="T1w").findings] == ["sub-01"]


def test_the_best_scan_of_a_session_is_the_highest_run_and_the_others_are_listed(cohort):
    data = found(cohort, one_per_session=True, filter={"acq": ["sag", "ax", "none"]})
    assert [scan.scan_id for scan in data.scans] == [
        "sub-01_ses-a_acq-sag_run-2",
        "sub-01_ses-b_acq-sag",
        "sub-02",
    ]
    assert [(one.scan_id, one.reason, one.detail) for one in data.findings] == [
        (
            f"sub-01_ses-a_{extra}",
            "not_chosen",
            "sub-01_ses-a_acq-sag_run-2_T2w.nii.gz was chosen for this session",
        )
        for extra in ("acq-sag_run-1", "acq-ax")
    ]


def test_the_order_of_a_filters_values_counts_before_runs_and_sizes(tmp_path):
    put_scan(tmp_path / "in", "sub-1", extra="acq-ax_run-9").write_bytes(b"a larger image")
    put_scan(tmp_path / "in", "sub-1", extra="acq-sag")
    best_first = {"one_per_session": True, "filter": {"acq": ["sag", "ax"]}}
    assert taken(tmp_path, **best_first) == ["sub-1_acq-sag"]
    assert taken(tmp_path, one_per_session=True) == ["sub-1_acq-ax_run-9"]


def test_a_file_that_is_not_there_is_never_the_best(tmp_path):
    put_scan(tmp_path / "in", "sub-1", extra="run-1")
    put_scan(tmp_path / "in", "sub-1", extra="run-2").unlink()
    (tmp_path / "in/sub-1/anat/sub-1_run-2_T2w.nii.gz").symlink_to("nowhere")
    assert taken(tmp_path, one_per_session=True) == ["sub-1_run-1"]


@pytest.fixture
def people(tmp_path):
    rows = "participant_id\tage\tsite\n01\t39.5\tA\n02\t40\tB\n03\tn/a\tA\n04\t60\tC\n"
    for number in range(1, 6):
        put_scan(tmp_path / "in", f"sub-0{number}")
    (tmp_path / "in/participants.tsv").write_text(rows)
    return tmp_path


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"site": "A"}, ["sub-01", "sub-03"]),
        ({"site": ["B", "C"]}, ["sub-02", "sub-04"]),
        ({"age": {"from": 40}}, ["sub-02", "sub-04"]),
        ({"age": {"from": "39", "to": "40"}}, ["sub-01", "sub-02"]),
        ({"age": 40.0}, ["sub-02"]),
        ({"age": {"to": 50}, "site": "A"}, ["sub-01"]),
        ({"site": "__import__('os').abort()"}, []),
    ],
)
def test_people_are_chosen_by_their_row(people, where, expected):
    """Sub-03's age is missing and sub-05 is not listed: they fit nothing that asks for it."""
    assert taken(people, where=where) == expected


def test_a_column_that_nobody_has_stops_the_start(people):
    with pytest.raises(Refused, match="has no column 'agee'; it has age, site"):
        found(people, where={"agee": 3})


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"filter": {"ses": [1]}}, "'filter.ses': 1 is a number, in which leading zeros are lost"),
        ({"filter": {"acq": ["a/b"]}}, "'filter.acq': 'a/b' is not a label of BIDS"),
        ({"where": {"age": {"from": "old"}}}, "'where.age': expected a number as a limit"),
        ({"where": {"smoker": False}}, "'where.smoker': YAML reads yes, no, true and false"),
    ],
)
def test_mistakes_in_settings_are_explained(settings, told):
    with pytest.raises(SettingsError, match=told.replace("[", r"\[")):
        source(**settings)


def test_ranges_and_values_hold_what_they_say():
    assert Range(40, 59).holds("40") and Range(None, 59).holds("-3") and not Range(40).holds("")
    assert not Range(0, 1e9).holds("nan") and not Range(0, 1).holds("half")
    assert OneOf(("1",)).holds("1") and not OneOf(("1",)).holds("01")
    assert OneOf(("1",), (1.0,)).holds("01")


def test_what_settings_leave_out_is_not_gone(cohort):
    """A narrower run must not ask whether the disk is mounted, and keeps what is finished."""
    wide = found(cohort)
    plan_batches(cohort / "in", cohort / "out", 8, (), wide.scans).write()
    narrow = found(cohort, filter={"ses": ["a"]})
    plan = plan_batches(cohort / "in", cohort / "out", 8, (), narrow.scans, narrow.excluded)
    assert plan.left_out == {"sub-01_ses-b_acq-sag", "sub-02"}
    assert plan.changes["b00001"].gone == plan.left_out


# Tables of scans


def table(folder, text):
    (folder / "in").mkdir(exist_ok=True)
    (folder / "in/scans.tsv").write_text(text)
    return str(folder / "in/scans.tsv")


def test_a_table_names_scans_anywhere_and_bids_names_are_made_of_its_ids(tmp_path):
    text = "participant_id\tsession_id\tpath\tacq\trun\n7\tbase\t../deliveries/a b;rm.nii\tsag\t2\n"
    path = table(tmp_path, text)
    (tmp_path / "deliveries").mkdir()
    (tmp_path / "deliveries/a b;rm.nii").write_bytes(b"image")
    (scan,) = list_table(path).scans
    assert scan.scan_id == "sub-7_ses-base_acq-sag_run-2"
    assert (scan.participant_id, scan.session_id, scan.run_id) == ("sub-7", "ses-base", "run-2")
    assert (scan.path, scan.size) == (str(tmp_path / "in/../deliveries/a b;rm.nii"), 5)


def test_a_path_written_on_windows_is_found(tmp_path):
    """Unless a file is really called so."""
    path = table(tmp_path, "participant_id,path\n1,deep\\a.nii\n2,odd\\b.nii\n3,no\\c.nii\n")
    (tmp_path / "in/deep").mkdir()
    (tmp_path / "in/deep/a.nii").write_bytes(b"image")
    (tmp_path / "in/odd\\b.nii").write_bytes(b"an image")
    told = [(scan.path, scan.size) for scan in list_table(path).scans]
    assert told == [
        (str(tmp_path / "in/deep/a.nii"), 5),
        (str(tmp_path / "in/odd\\b.nii"), 8),
        (str(tmp_path / "in/no\\c.nii"), -1),
    ]


def test_a_bad_row_is_a_finding_and_stops_no_other(tmp_path):
    rows = ["1,a.nii", "../2,a.nii", "3 x,a.nii", "4,", "5,no_such.nii", "sub-6,a\x1b.nii"]
    path = table(tmp_path, "participant_id,path\n" + "\n".join(rows) + "\n")
    (tmp_path / "in/a.nii").write_bytes(b"image")
    listing = list_table(path)
    assert [(scan.scan_id, scan.size) for scan in listing.scans] == [("sub-1", 5), ("sub-5", -1)]
    told = {one.participant_id: (one.reason, one.detail) for one in listing.findings}
    assert told["sub-../2"] == (
        "misnamed",
        "scans.tsv, line 3: participant_id '../2' is not a label of BIDS (letters and digits only); "
        "give the scan another one",
    )
    assert told["sub-4"] == ("no_scan", "scans.tsv, line 5: no path is given")
    assert told["sub-6"][0] == told["sub-3 x"][0] == "misnamed"
    assert all("".join(vars(one).values()).isprintable() for one in listing.findings)


def test_an_empty_row_is_nothing_beside_one_with_a_path(tmp_path):
    path = table(tmp_path, "participant_id\tpath\n1\t\n1\ta.nii\n")
    listing = list_table(path)
    assert (len(listing.scans), listing.findings) == (1, [])


def test_participants_and_columns_of_the_table_select(tmp_path):
    rows = "participant_id\tpath\twave\n01\ta.nii\t1\n02\tb.nii\t2\n03\tc.nii\t2\n"
    path = table(tmp_path, rows)
    assert [s.scan_id for s in list_table(path, ["2"]).scans] == ["sub-02"]
    assert taken(tmp_path, scans=path, where={"wave": 2}) == ["sub-02", "sub-03"]


def test_a_scan_may_be_a_folder_and_changes_with_any_of_its_files(tmp_path):
    (tmp_path / "in/one/deep").mkdir(parents=True)
    (tmp_path / "in/one/deep/1.dcm").write_bytes(b"123")
    (tmp_path / "in/one/2.dcm").write_bytes(b"45")
    path = table(tmp_path, "participant_id\tpath\n1\tone\n")
    (before,) = list_table(path).scans
    assert before.size == 5
    (tmp_path / "in/one/deep/3.dcm").write_bytes(b"6")
    (after,) = list_table(path).scans
    assert (after.size, after.mtime_ns > before.mtime_ns) == (6, True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("participant_id\tfile\n1\ta\n", "has no column path: expected participant_id, session_id"),
        ("", "has no column participant_id"),
        ("participant_id\tpath\n1\ta\tb\tc\n", "line 2 has 4 cells, but the header has 2"),
    ],
)
def test_a_table_that_is_none_says_what_was_expected(tmp_path, text, told):
    with pytest.raises(TableError, match=told):
        list_table(table(tmp_path, text))


def test_the_defaults_take_everything(cohort):
    assert Source() == source()
    assert len(taken(cohort)) == 5
