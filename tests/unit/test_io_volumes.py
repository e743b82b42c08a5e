"""NIfTI files: what is read, what is refused, and that the same input gives the same bytes."""

import gzip

import nibabel as nib
import numpy as np
import pytest

from wirbel.core.geometry import Volume
from wirbel.errors import ScanError
from wirbel.io.nifti.volumes import read_grid, read_volume, write_volume

OBLIQUE = np.array(
    [[0.8, 0.1, 0.0, -40.0], [-0.1, 0.8, 0.2, 7.0], [0.05, -0.2, 3.0, 12.5], [0, 0, 0, 1.0]]
)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.float32])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_volume_survives_the_disk(tmp_path, dtype, name):
    data = np.arange(24).reshape(2, 3, 4).astype(dtype)
    write_volume(tmp_path / name, Volume(data, OBLIQUE))
    back = read_volume(tmp_path / name)
    assert back.data.dtype == dtype
    np.testing.assert_array_equal(back.data, data)
    np.testing.assert_allclose(back.affine, OBLIQUE, atol=1e-6)
    assert read_grid(tmp_path / name).shape == (2, 3, 4)


def test_the_same_volume_gives_the_same_bytes_under_any_name(tmp_path):
    volume = Volume(np.random.default_rng(0).integers(0, 9, (5, 6, 7), np.uint8), OBLIQUE)
    write_volume(tmp_path / "a.nii.gz", volume)
    write_volume(tmp_path / "other" / "b.nii.gz", volume)
    first = (tmp_path / "a.nii.gz").read_bytes()
    assert first == (tmp_path / "other" / "b.nii.gz").read_bytes()
    assert first[4:8] == b"\0\0\0\0"  # gzip's time stamp


def test_scaled_integers_are_read_as_float(tmp_path):
    image = nib.Nifti1Image(np.array([[[1, 2]]], np.int16), np.eye(4))
    image.header.set_slope_inter(0.5, 10)
    nib.save(image, tmp_path / "scaled.nii")
    back = read_volume(tmp_path / "scaled.nii")
    assert back.data.dtype == np.float32
    np.testing.assert_allclose(back.data, [[[10.5, 11.0]]])


def test_big_endian_files_and_a_fourth_axis_of_one_are_accepted(tmp_path):
    header = nib.Nifti1Header(endianness=">")
    nib.save(nib.Nifti1Image(np.ones((2, 3, 4, 1), ">i2"), np.eye(4), header), tmp_path / "big.nii")
    back = read_volume(tmp_path / "big.nii")
    assert back.data.shape == (2, 3, 4)
    assert back.data.dtype.isnative


def _image(path, shape=(8, 9, 10)):
    noise = np.random.default_rng(1).integers(0, 1000, shape).astype(np.int16)
    nib.save(nib.Nifti1Image(noise, np.eye(4)), path)
    return path


@pytest.mark.parametrize("keep", [0, 5, 100, 400, 1000])
def test_a_file_cut_short_is_unreadable_and_named(tmp_path, keep):
    path = _image(tmp_path / "sub-01_T2w.nii.gz")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ScanError, match="sub-01_T2w") as caught:
        read_volume(path)
    assert caught.value.reason == "unreadable"
    assert str(tmp_path) not in caught.value.detail


def test_a_header_that_promises_more_than_the_file_can_hold_is_refused_before_any_memory_is_taken(
    tmp_path,
):
    path = _image(tmp_path / "liar.nii.gz")
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[40:56] = np.array([3, 30000, 30000, 30000, 1, 1, 1, 1], "<i2").tobytes()
    path.write_bytes(gzip.compress(bytes(content)))
    with pytest.raises(ScanError, match="truncated"):
        read_grid(path)


def test_a_byte_that_was_altered_on_the_way_is_noticed(tmp_path):
    path = _image(tmp_path / "altered.nii.gz")
    content = bytearray(path.read_bytes())
    content[-6] ^= 1  # the checksum, which comes after the last voxel
    path.write_bytes(content)
    with pytest.raises(
        ScanError, match="altered.nii.gz is not a complete NIfTI file: CRC"
    ) as caught:
        read_volume(path)
    assert caught.value.reason == "unreadable"


@pytest.mark.parametrize("name", ["zero.nii", "zero.nii.gz"])
def test_a_header_without_voxel_sizes_is_refused_instead_of_taken_for_1_mm(tmp_path, name):
    path = tmp_path / name
    image = nib.Nifti1Image(np.ones((2, 3, 4), np.int16), None)
    image.set_qform(np.eye(4), code="scanner")
    content = bytearray(image.to_bytes())
    content[80:92] = bytes(12)
    path.write_bytes(gzip.compress(bytes(content)) if name.endswith(".gz") else content)
    with pytest.raises(ScanError, match="voxel sizes of zero") as caught:
        read_volume(path)
    assert caught.value.reason == "bad_geometry"


def test_wrong_kinds_of_file_say_what_they_are(tmp_path):
    (tmp_path / "text.nii").write_text("not an image")
    nib.save(nib.Nifti1Image(np.ones((2, 3, 4, 5), np.int16), np.eye(4)), tmp_path / "4d.nii")
    colours = np.zeros((2, 2, 2), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.save(nib.Nifti1Image(colours, np.eye(4)), tmp_path / "rgb.nii")
    expected = {
        "text.nii": "unreadable",
        "missing.nii": "content_missing",
        "4d.nii": "not_3d",
        "rgb.nii": "unreadable",
    }
    for name, reason in expected.items():
        with pytest.raises(ScanError, match=name) as caught:
            read_volume(tmp_path / name)
        assert caught.value.reason == reason


def test_a_label_that_does_not_fit_the_type_is_an_error_not_a_wrong_label(tmp_path):
    with pytest.raises(ValueError, match="300"):
        write_volume(tmp_path / "a.nii", Volume(np.full((1, 1, 1), 300), np.eye(4)), np.uint8)
    write_volume(tmp_path / "a.nii", Volume(np.full((1, 1, 1), 1.6), np.eye(4)), np.uint8)
    assert read_volume(tmp_path / "a.nii").data[0, 0, 0] == 2
