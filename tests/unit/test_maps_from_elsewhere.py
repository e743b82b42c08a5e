"""Label maps of another tool can be measured, and docs/coming-from-spineps.md says how in lines that run."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.spines.solid_spine import SolidSpine, render

from wirbel.core.labels import ENDPLATE, LOWER_ENDPLATE, UPPER_ENDPLATE
from wirbel.core.measures import measure
from wirbel.io.nifti.volumes import write_volume

PAGE = Path(__file__).parents[2] / "docs" / "coming-from-spineps.md"


@pytest.fixture(scope="module")
def maps():
    return render(SolidSpine(), (3.3, 0.86, 0.86))


def parted(subregion):
    """Return the map with 52 and 53 in place of 62, by turns: which is which plays no part."""
    plates = np.argwhere(subregion.data == ENDPLATE)
    numbers = np.where(np.arange(len(plates)) % 2, UPPER_ENDPLATE, LOWER_ENDPLATE)
    data = subregion.data.copy()
    data[tuple(plates.T)] = numbers
    return subregion.with_data(data)


def test_endplates_numbered_as_by_spineps_belong_to_the_height(maps):
    subregion, vertebra = maps
    assert measure(None, parted(subregion), vertebra) == measure(None, *maps)


def test_the_lines_of_the_page_write_tables(maps, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    subregion, vertebra = maps
    write_volume("sub-01_T2w.nii.gz", subregion.with_data(subregion.data.astype(np.float32)))
    write_volume("sub-01_seg-spine_msk.nii.gz", parted(subregion))
    write_volume("sub-01_seg-vert_msk.nii.gz", vertebra)
    section = PAGE.read_text().split("## Measuring existing masks")[1]
    exec(re.search(r"```python\n(.*?)```", section, re.DOTALL)[1], {})
    table = pd.read_csv("vertebrae.csv")
    assert list(table.level) == ["L3", "L4"]
    assert table.height_middle_mm.to_numpy() == pytest.approx([26.0, 26.0], abs=0.3)
    assert len(pd.read_csv("discs.csv")) == 1
