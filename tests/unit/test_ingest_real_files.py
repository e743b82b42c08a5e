"""Files of real scanners, as pydicom and nibabel bring them along: headers as vendors write them."""

import gzip
import subprocess
from importlib.resources import files

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

from wirbel.errors import ScanError
from wirbel.ingest.conversion import COMMAND
from wirbel.ingest.delivery import convert, look_into
from wirbel.io.nifti.volumes import read_volume
from wirbel.plan.series_rules import rules_of

ANY = rules_of({"orientation": "any", "derived": True})
PHILIPS = files("nibabel") / "nicom" / "tests" / "data" / "philips_mprage.dcm.gz"
"""An enhanced image of 176 sagittal slices whose pixels are blank."""


def refused(path, rules=ANY):
    with pytest.raises(ScanError) as caught:
        convert([path], rules)
    return caught.value.reason


def by_hand(folder, out):
    line = [COMMAND, "-z", "n", "-b", "n", "-f", "hand", "-o", str(out), str(folder)]
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
    return read_volume(out / "hand.nii")


def series_of(name, folder, slices=4):
    """Copy a real slice to several places, 5 mm apart."""
    folder.mkdir()
    for number in range(slices):
        image = pydicom.dcmread(get_testdata_file(name))
        x, y, z = image.ImagePositionPatient
        image.ImagePositionPatient = [x, y, z + 5 * number]
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        image.InstanceNumber = number + 1
        image.save_as(folder / f"{number}.dcm")
    return folder


@pytest.mark.parametrize(
    "name",
    [
        *("MR_small.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm", "MR_small_RLE.dcm"),
        *("MR_small_padded.dcm", "MR_small_expb.dcm", "MR_small_jpeg_ls_lossless.dcm"),
        "MR_small_jp2klossless.dcm",
    ],
)
def test_real_slices_in_every_encoding_have_the_voxels_of_dcm2niix(tmp_path, name):
    found = convert([series_of(name, tmp_path / "in")], ANY)
    hand = by_hand(tmp_path / "in", tmp_path)
    np.testing.assert_array_equal(found.volume.data, hand.data)
    np.testing.assert_array_equal(found.volume.affine, hand.affine)
    assert found.volume.data.shape[2] == 4 and found.is_derived
    plain = pydicom.dcmread(get_testdata_file("MR_small.dcm")).pixel_array
    np.testing.assert_array_equal(np.sort(hand.data[..., 0], None), np.sort(plain, None))


@pytest.fixture
def philips(tmp_path):
    path = tmp_path / "philips" / "image.dcm"
    path.parent.mkdir()
    path.write_bytes(gzip.decompress(PHILIPS.read_bytes()))
    return path


def test_a_real_multi_frame_image_has_the_voxels_of_dcm2niix(philips, tmp_path):
    """Its header takes 350 kB; its pixels, which are blank, are filled with noise."""
    image = pydicom.dcmread(philips)
    noise = np.random.default_rng(3).integers(0, 4000, len(image.PixelData) // 2)
    image.PixelData = noise.astype("<u2").tobytes()
    image.save_as(philips)
    found, hand = convert([philips.parent], ANY), by_hand(philips.parent, tmp_path)
    np.testing.assert_array_equal(found.volume.data, hand.data)
    np.testing.assert_array_equal(found.volume.affine, hand.affine)
    assert found.facts["Manufacturer"] == "Philips" and found.facts["EchoTime"] == 0.003513


def test_its_blank_pixels_are_noticed(philips):
    assert refused(philips.parent) == "bad_intensities"


def test_none_of_the_secondary_captures_and_odd_files_is_taken():
    """Captures, doses, plans, structured reports, waveforms, single slices, broken files."""
    folder = files("pydicom") / "data" / "test_files"
    reasons = {
        path.name: refused(path, rules_of({"orientation": "any"}))
        for path in folder.iterdir()
        if path.is_file()
    }
    assert len(reasons) > 60
    assert set(reasons.values()) <= {"no_dicom", "no_series", "unreadable", "archive_damaged"}


def test_a_real_secondary_capture_of_several_slices_is_refused_as_one(tmp_path):
    """It has neither orientation nor positions."""
    for number in range(4):
        image = pydicom.dcmread(get_testdata_file("SC_rgb_small_odd.dcm"))
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        image.save_as(tmp_path / f"{number}.dcm")
    assert refused(tmp_path, rules_of({})) == "derived_image"
    assert refused(tmp_path) == "no_series", "it is not taken where derived images are, either"


def test_real_slices_of_a_localiser_are_no_series():
    folder = files("pydicom") / "data" / "test_files" / "dicomdirtests" / "98892003"
    assert len(look_into([folder]).headers) == 17
    assert refused(folder) == "no_series"
