"""What BIDS wants to know about a simulated data set, and folders that must not be taken for one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from wirbel import __version__
from wirbel.io.atomic import write_text
from wirbel.io.dataset.bids import DESCRIPTION_FILE, read_description, write_dataset_description
from wirbel.io.sidecars import write_json

CT_FOLDER = "derivatives/ct"
DELIVERIES = "sourcedata"
"""Folder of scans as they would be delivered."""
STATIONS_FILE = f"{DELIVERIES}/stations.yaml"
DATA_SET_NAME = "Simulated sagittal T2w scans of the spine"


def refusal(bids_dir: Path) -> str:
    """Return why the folder must not be written to: it is a data set of somebody's; empty where it may."""
    if read_description(bids_dir / DESCRIPTION_FILE).get("Name") == DATA_SET_NAME:
        return ""
    theirs = [bids_dir / DESCRIPTION_FILE, bids_dir / "participants.tsv", *bids_dir.glob("sub-*")]
    found = next((path.name for path in theirs if path.exists()), None)
    if found is None or (bids_dir / "derivatives" / "truth").is_dir():
        return ""
    return (
        f"{bids_dir} is another data set (it holds {found}): simulated scans would be mixed into it, and its "
        "description and participants.tsv overwritten; give a new folder as bids_dir"
    )


def write_station_settings(bids_dir: Path, descriptions: Mapping[str, str]) -> None:
    """Write the settings with which a run takes the deliveries: station -> the description of its series."""
    lines = [f"  {name}: {{description: {told}$}}" for name, told in descriptions.items()]
    settings = ["dicom: true", "series: {orientation: sagittal}", "stations:", *lines]
    write_text(bids_dir / STATIONS_FILE, "\n".join(settings) + "\n")


def write_descriptions(bids_dir: Path, *, ct: bool = False) -> None:
    """Write what BIDS wants to know about the data set, about its truth and, if there are any, its tomograms."""
    write_dataset_description(bids_dir, DATA_SET_NAME)
    write_dataset_description(
        bids_dir / "derivatives" / "truth",
        "Truth of the simulated scans",
        derivative_of="wirbel.phantom",
        version=__version__,
        links={"raw": "../.."},
        ignored=("*.csv", "truth.json", "*_truth.json", "*_stations.tsv"),
    )
    if ct:
        write_dataset_description(
            bids_dir / CT_FOLDER,
            "Simulated tomograms of the same people",
            derivative_of="wirbel.phantom",
            version=__version__,
            links={"raw": "../.."},
            ignored=("*_ct.nii.gz",),
        )
    write_json(
        bids_dir / "participants.json",
        {
            "age": {"Description": "Age, drawn at random", "Units": "year"},
            "sex": {"Description": "Sex, drawn at random", "Levels": {"F": "female", "M": "male"}},
            "seed": {"Description": "Seed of wirbel.phantom.make_phantom"},
            "broken": {"Description": "Whether the file was cut short on purpose"},
        },
    )
