"""Deliveries of DICOM: the right series of a folder or archive, with dcm2niix's own voxels."""

import subprocess

import numpy as np
import pydicom
import pytest
from support.deliveries.series import enhanced, series, tarred, volume, zipped

from wirbel.core.geometry import reorient
from wirbel.errors import ScanError
from wirbel.ingest.conversion import COMMAND
from wirbel.ingest.delivery import convert
from wirbel.ingest.headers.reading import REACHES
from wirbel.io.nifti.volumes import read_volume
from wirbel.plan.series_rules import RuleError, SeriesRules, rules_of

ANY = SeriesRules()


def refused(path, rules=ANY, **more):
    """Return reason and detail of a delivery that is refused."""
    paths = path if isinstance(path, list) else [path]
    with pytest.raises(ScanError) as caught:
        convert(paths, rules, **more)
    return caught.value.reason, caught.value.detail


def assert_is(converted, image):
    """Voxels are those of `image`, and lie where they lay, to a thousandth of a millimetre."""
    found, expected = (reorient(one, ("P", "I", "R")) for one in (converted.volume, image))
    np.testing.assert_array_equal(found.data, expected.data)
    np.testing.assert_allclose(found.affine, expected.affine, atol=1e-3)


@pytest.mark.parametrize(
    "pack",
    [
        lambda folder: series(folder / "a"),
        lambda folder: zipped(folder / "a.zip", series(folder / "a"), order=-1),
        lambda folder: tarred(folder / "a.tar.gz", series(folder / "a")),
        lambda folder: tarred(folder / "a.tar", series(folder / "a"), mode="w"),
        lambda folder: enhanced(folder / "a.dcm"),
        lambda folder: zipped(folder / "all" / "in a folder.zip", series(folder / "a")).parent,
    ],
    ids=["folder", "zip", "tar.gz", "tar", "enhanced", "folder of zips"],
)
def test_a_series_arrives_as_it_was_acquired(tmp_path, pack):
    (tmp_path / "all").mkdir()
    found = convert([pack(tmp_path)], ANY)
    assert_is(found, volume())
    assert (found.facts["EchoTime"], found.facts["RepetitionTime"]) == (0.101, 3.76)
    assert found.notes == []


def test_a_header_of_many_frames_is_read_to_its_end(tmp_path):
    """It is longer than what is read at first, which ends in the middle of the groups of a frame."""
    path = enhanced(tmp_path / "a.dcm", image=volume(400))
    pixels = 400 * 24 * 30 * 2
    assert path.stat().st_size - pixels > 1.3 * REACHES[1]
    assert_is(convert([path], ANY), volume(400))


@pytest.mark.parametrize("write", [series, enhanced], ids=["single-frame", "multi-frame"])
def test_voxels_are_those_of_dcm2niix_by_hand(tmp_path, write):
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / "x.dcm" if write is enhanced else tmp_path / "in")
    line = [COMMAND, "-f", "hand", "-o", str(tmp_path), str(tmp_path / "in")]
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
    by_hand, ours = read_volume(tmp_path / "hand.nii"), convert([tmp_path / "in"], ANY).volume
    np.testing.assert_array_equal(ours.data, by_hand.data)
    np.testing.assert_array_equal(ours.affine, by_hand.affine)


@pytest.fixture(scope="module")
def protocol(tmp_path_factory):
    """A session: localiser in three planes, T2 sagittal and axial, T1 sagittal, and a dual-echo series."""
    folder = tmp_path_factory.mktemp("protocol") / "session"
    series(folder / "loc", description="localizer", number=1, image=volume(2, 1))
    series(folder / "t2", number=2, image=volume(5, 2))
    series(
        folder / "ax", description="T2_TSE_TRA", number=3, image=volume(4, 9), axes=("L", "P", "S")
    )
    series(folder / "t1", description="T1_TSE_SAG", number=5, echo_time_ms=9.5, image=volume(5, 3))
    return folder


@pytest.mark.parametrize(
    ("rules", "seed"),
    [
        ({"description": "t2.*sag"}, 2),
        ({"description": "TSE", "echo_time_ms": {"from": 60}}, 2),
        ({"echo_time_ms": {"to": 20}}, 3),
        ({"exclude": "T1|loc"}, 2),
        ({"exclude": "T2", "in_plane_mm": {"to": 1}, "slice_mm": {"from": 3, "to": 4}}, 3),
    ],
)
def test_rules_choose_by_description_orientation_echo_time_and_resolution(protocol, rules, seed):
    assert_is(convert([protocol], rules_of(rules)), volume(5, seed))


def test_another_orientation_is_chosen_if_asked_for(protocol):
    assert_is(convert([protocol], rules_of({"orientation": "axial"})), volume(4, 9))


def test_where_none_or_several_fit_they_are_told_in_numbers(protocol):
    reason, told = refused(protocol, rules_of({"description": "no such"}))
    assert reason == "no_series"
    assert told.startswith(
        "none of 4 series fits the rules in `series` (30 axial slices, 24 x 4 pixels"
    )
    assert "5 sagittal slices, 30 x 24 pixels, echo time 101 ms: another description" in told
    reason, told = refused(protocol)
    assert reason == "several_series" and told.startswith("2 series fit the rules (5 sagittal")
    assert "TSE" not in told


def test_a_repeated_series_counts_where_the_best_is_asked_for(tmp_path):
    series(tmp_path / "d/a", number=4, image=volume(seed=1))
    series(tmp_path / "d/b", number=9, image=volume(seed=2))
    series(tmp_path / "d/c", number=5, image=volume(seed=3))
    assert refused(tmp_path / "d")[0] == "several_series"
    assert_is(convert([tmp_path / "d"], ANY, best=True), volume(seed=2))


def test_a_series_in_two_deliveries_counts_once_and_its_parts_are_put_together(tmp_path):
    folder = series(tmp_path / "a")
    twice = zipped(tmp_path / "1.zip", folder), zipped(tmp_path / "2.zip", folder)
    assert_is(convert(twice, ANY), volume())
    later = tmp_path / "later"
    later.mkdir()
    for name in ("0002.dcm", "0004.dcm"):
        (folder / name).rename(later / name)
    assert_is(convert([folder, later], ANY), volume())


def test_two_echoes_of_one_series_are_told_apart(tmp_path):
    series(tmp_path / "d/a", image=volume(seed=1), echo_time_ms=20)
    series(tmp_path / "d/b", image=volume(seed=2), echo_time_ms=100)
    for number, file in enumerate(sorted((tmp_path / "d/b").iterdir())):
        header = pydicom.dcmread(file)
        header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = f"1.2.{number}"
        header.save_as(file)
    found = convert([tmp_path / "d"], rules_of({"echo_time_ms": {"from": 60}}))
    assert_is(found, volume(seed=2))


# What is refused


def changed(folder, change, only=None):
    """Change the headers of a series, or of one file of it; return its folder."""
    for file in sorted(folder.iterdir()):
        if only is None or file.name == only:
            header = pydicom.dcmread(file)
            change(header)
            header.save_as(file)
    return folder


def _capture(header):
    header.SOPClassUID = header.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    del header.ImageOrientationPatient, header.ImagePositionPatient, header.SliceThickness


def _without(*names):
    def change(header):
        for name in names:
            delattr(header, name)

    return change


@pytest.mark.parametrize(
    ("change", "reason", "told"),
    [
        (_capture, "derived_image", "is a secondary capture, or derived from other images"),
        (
            lambda h: setattr(h, "ImageType", ["DERIVED", "PRIMARY", "M"]),
            "derived_image",
            "export the original series",
        ),
        (lambda h: setattr(h, "ConversionType", "SD"), "derived_image", "secondary capture"),
        (_without("ImageOrientationPatient"), "bad_geometry", "has no orientation in its header"),
        (_without("ImagePositionPatient"), "bad_geometry", "positions of slices are missing"),
        (_without("PixelSpacing"), "bad_geometry", "has no pixel size in its header"),
        (lambda h: setattr(h, "Modality", "CT"), "no_series", "no MR images"),
        (_without("SOPInstanceUID"), "", ""),
    ],
    ids=["capture", "derived", "digitised", "directions", "positions", "pixels", "CT", "no UID"],
)
def test_what_is_no_original_scan_is_refused_as_that(tmp_path, change, reason, told):
    folder = changed(series(tmp_path / "a"), change)
    if not reason:
        assert_is(convert([folder], ANY), volume())
        return
    found = refused(folder)
    assert found[0] == reason and told in found[1]


def test_derived_images_are_taken_if_asked_for(tmp_path):
    folder = series(tmp_path / "a", image_type=("DERIVED", "PRIMARY", "M"))
    assert_is(convert([folder], rules_of({"derived": True})), volume())


def test_missing_slices_doubled_places_and_cut_files_are_counted(tmp_path):
    folder = series(tmp_path / "gap", image=volume(9))
    for name in ("0003.dcm", "0004.dcm", "0007.dcm"):
        (folder / name).unlink()
    assert refused(folder) == (
        "incomplete_series",
        "the series (6 sagittal slices, 30 x 24 pixels, echo time 101 ms): 3 slices are missing between others, "
        "3.3 mm apart: fetch them",
    )
    folder = series(tmp_path / "cut")
    file = folder / "0002.dcm"
    file.write_bytes(file.read_bytes()[:-100])
    assert refused(folder)[0] == "incomplete_series"
    assert "1 of 5 files end before their pixels do" in refused(folder)[1]
    folder = series(tmp_path / "same")
    place = pydicom.dcmread(folder / "0001.dcm").ImagePositionPatient
    changed(folder, lambda h: setattr(h, "ImagePositionPatient", place), only="0002.dcm")
    assert refused(folder)[0] == "several_series"


def test_odd_files_beside_a_series_do_no_harm(tmp_path):
    folder = series(tmp_path / "a")
    (folder / "DICOMDIR").write_bytes(bytes(128) + b"DICM" + b"\0" * 400)
    (folder / "readme.txt").write_text("Jane Doe")
    (folder / "noise.dcm").write_bytes(bytes(128) + b"DICM" + bytes(range(256)) * 9)
    assert_is(convert([folder], ANY), volume())


def test_where_nothing_is_dicom_that_is_told(tmp_path):
    (tmp_path / "a").mkdir()
    assert refused(tmp_path / "a")[0] == "no_dicom"
    (tmp_path / "a" / "scan.nii.gz").write_bytes(b"no image")
    assert refused(tmp_path / "a")[0] == "no_dicom"
    assert refused(tmp_path / "gone")[0] == "content_missing"


def test_rules_that_cannot_be_understood_are_told():
    with pytest.raises(
        RuleError, match="'series.description': 'T2\\(' is not a regular expression"
    ):
        rules_of({"description": "T2("})
    with pytest.raises(RuleError, match="'series.echo_time_ms': expected numbers"):
        rules_of({"echo_time_ms": {"from": "long"}})
