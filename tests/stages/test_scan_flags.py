"""What is odd about a scan's file comes from the file into the table of scans."""

import nibabel as nib
import numpy as np
import pytest
from support.spines.solid_spine import SolidSpine, render  # noqa: E402

from wirbel.core import labels as L
from wirbel.io.nifti.volumes import write_volume
from wirbel.manifests.batches import Scan, StageFolders
from wirbel.plan.stage_settings import NoSettings
from wirbel.stages.features import Features

OF_THE_FILE = ("header_conflict", "voxels_replaced", "no_zero_intensity")


@pytest.fixture(scope="module")
def maps():
    return render(SolidSpine(), (3.3, 1.2, 1.2))


def measured(folder, maps, image, qform=None):
    """Return the scan's row after measuring `image`, whose header may hold a `qform` of its own."""
    affine = maps[0].affine
    file = nib.Nifti1Image(image.astype(np.float32), affine)
    file.set_sform(affine, 1)
    file.set_qform(affine if qform is None else qform, 1)
    nib.save(file, folder / "sub-1_T2w.nii.gz")
    for kind, volume in zip(("subregion", "vertebra"), maps, strict=True):
        write_volume(folder / f"sub-1/anat/sub-1_desc-{kind}_dseg.nii.gz", volume)
    scan = Scan("sub-1", "sub-1", "", "", folder / "sub-1_T2w.nii.gz", 1, 1)
    stage = Features(NoSettings())
    return stage.compute(stage.load(scan, StageFolders(folder)))["scan"]


def of_the_file(row) -> list[str]:
    """Return a row's flags without those of the result: the solid spine is no whole one."""
    return [flag for flag in row["flags"].split(";") if flag in OF_THE_FILE]


def image_of(maps) -> np.ndarray:
    image = np.full(maps[0].data.shape, 20.0)
    image[maps[0].data > 0] = 100 + maps[0].data[maps[0].data > 0]
    return image


def test_a_file_without_oddities_has_no_flags(tmp_path, maps):
    assert of_the_file(measured(tmp_path, maps, image_of(maps))) == []


def test_oddities_of_header_and_voxels_are_flagged_together(tmp_path, maps):
    image = image_of(maps)
    image[tuple(np.argwhere(maps[0].data == L.CANAL)[0])] = np.nan
    moved = maps[0].affine.copy()
    moved[:3, 3] += 20
    row = measured(tmp_path, maps, image, moved)
    assert of_the_file(row) == ["header_conflict", "voxels_replaced"]
    assert row["scan_status"] == "ok"


def test_standardised_intensities_are_flagged(tmp_path, maps):
    image = image_of(maps)
    row = measured(tmp_path, maps, (image - image.mean()) / image.std())
    assert of_the_file(row) == ["no_zero_intensity"]
