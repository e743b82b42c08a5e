"""Deliveries of three stations for each person, whole or damaged in many ways, and what is to come of each."""

import shutil
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pydicom

from support.deliveries.planted import planted
from support.deliveries.series import SAG, enhanced, series, tarred, zipped
from wirbel.core.geometry import Volume
from wirbel.ingest.writing import SeriesInfo
from wirbel.phantom.imaging.stations import Station, cut_stations

RULES = {name: {"description": f"_{name}"} for name in ("neck", "chest", "lumbar")}
"""The setting `stations` for these deliveries."""
EVERY = ("neck", "chest", "lumbar")


@dataclass(frozen=True)
class Expected:
    """What is to come of a delivery: `reason` where it is refused, else the stations that are missing, and why."""

    reason: str = ""
    missing: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Delivery:
    """What one person's delivery is made of; `folder` is empty at first."""

    folder: Path
    stations: Mapping[str, Station]
    info: SeriesInfo

    def series(self, name, image=None, **changes):
        """Write a station as a folder of single slices."""
        info = self.info_of(name)
        return series(self.folder / f"files {name}", info, image or self.volume(name), **changes)

    def volume(self, name):
        return self.stations[name].volume

    def info_of(self, name):
        number = EVERY.index(name) + 1
        return replace(self.info, description=f"T2_TSE_SAG_{name}", number=number)

    def zipped(self, name, **more):
        """Write a station as a zip archive."""
        files = self.series(name, **more)
        path = zipped(self.folder / f"{name}.zip", files)
        shutil.rmtree(files)
        return path


# Whole deliveries: each returns its paths, in any order


def plain(made):
    return [made.zipped(name) for name in EVERY]


def one_archive(made):
    return [zipped(made.folder / "all.zip", *(made.series(name) for name in EVERY), order=-1)]


def twice(made):
    first = plain(made)
    return [*first, shutil.copy(first[1], made.folder / "again (1).zip")]


def beside_others(made):
    """A localiser in another plane, a T1 series and a text lie beside the stations."""
    info = replace(made.info, description="localizer_neck", number=11)
    plan = made.volume("chest")
    few = Volume(plan.data[:, ::8, :], plan.affine @ np.diag([1.0, 8, 1, 1]))
    others = [
        series(made.folder / "x1", info, few, axes=("L", "P", "S")),
        series(made.folder / "x2", info, made.volume("neck"), number=12, description="T1_SAG"),
    ]
    path = zipped(made.folder / "others.zip", *others)
    (made.folder / "readme.txt").write_text("nothing")
    return [*plain(made), path, made.folder / "readme.txt"]


def folders(made):
    return [made.series(name) for name in EVERY]


def tars(made):
    return [tarred(made.folder / f"{name}.tgz", made.series(name)) for name in EVERY]


def in_two_parts(made):
    """The last slices of the chest come in a later archive."""
    files, late = made.series("chest"), made.folder / "late"
    late.mkdir()
    for file in sorted(files.iterdir())[::3]:
        file.rename(late / file.name)
    parts = [zipped(made.folder / f"{n}.zip", f) for n, f in (("early", files), ("late", late))]
    return [made.zipped("neck"), *parts, made.zipped("lumbar")]


def narrow(made):
    """The lumbar station has two slices fewer at each side than the others."""
    whole = made.volume("lumbar")
    affine = whole.affine.copy()
    affine[:3, 3] = whole.grid.to_world([0, 0, 2])
    part = Volume(whole.data[:, :, 2:-2], affine)
    return [made.zipped("neck"), made.zipped("chest"), made.zipped("lumbar", image=part)]


def multi_frame(made):
    return [
        enhanced(made.folder / f"{name}.dcm", made.info_of(name), made.volume(name))
        for name in EVERY
    ]


def no_neck(made):
    return [made.zipped("chest"), made.zipped("lumbar")]


GOOD: Mapping[Callable, Expected] = {
    **dict.fromkeys((plain, one_archive, twice, beside_others, folders, tars), Expected()),
    **dict.fromkeys((in_two_parts, narrow, multi_frame), Expected()),
    no_neck: Expected(missing={"neck": "no_series"}),
}


# Damaged deliveries


def _changed(made, names, change):
    """Zip some stations with changed headers, and the others as they are."""
    paths = []
    for name in EVERY:
        files = made.series(name)
        for file in sorted(files.iterdir()) if name in names else ():
            header = pydicom.dcmread(file)
            change(header)
            header.save_as(file)
        paths.append(zipped(made.folder / f"{name}.zip", files))
        shutil.rmtree(files)
    return paths


def truncated_zip(made):
    paths = plain(made)
    paths[2].write_bytes(paths[2].read_bytes()[: paths[2].stat().st_size // 2])
    return paths


def encrypted(made):
    """Python cannot encrypt: the flag is set in both headers of each file."""
    paths = plain(made)
    for path in paths:
        content = bytearray(path.read_bytes())
        with zipfile.ZipFile(path) as archive:
            at = [entry.header_offset + 6 for entry in archive.infolist()]
            central = archive.start_dir
        while (central := content.find(b"PK\x01\x02", central)) >= 0:
            at.append(central + 8)
            central += 46
        for place in at:
            content[place] |= 1
        path.write_bytes(content)
    return paths


def nested(made):
    inner = plain(made)
    with zipfile.ZipFile(made.folder / "outer.zip", "w") as outer:
        for path in inner:
            outer.write(path, path.name)
            path.unlink()
    return [made.folder / "outer.zip"]


def bomb(made):
    paths = [made.zipped("chest"), made.zipped("lumbar"), made.folder / "neck.zip"]
    with zipfile.ZipFile(paths[2], "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"{number}.dcm", bytes(100_000_000))
    return paths


def missing_slices(made):
    files = made.series("neck")
    sorted(files.iterdir())[len(list(files.iterdir())) // 2].unlink()
    path = zipped(made.folder / "neck.zip", files)
    return [path, made.zipped("chest"), made.zipped("lumbar")]


def mixed_series(made):
    """Slices of two images claim to be one series."""
    files = made.series("chest")
    other = series(made.folder / "other", made.info_of("chest"), made.volume("chest"))
    for file in sorted(other.iterdir())[1:4]:
        header = pydicom.dcmread(file)
        header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = f"1.2.{file.stem}"
        header.save_as(files / f"x{file.name}", enforce_file_format=True)
    return [zipped(made.folder / "chest.zip", files), made.zipped("neck"), made.zipped("lumbar")]


def captured(made):
    """Secondary captures, which have neither orientation nor positions."""

    def change(header):
        header.SOPClassUID = header.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
        header.ConversionType = "WSD"
        del header.ImageOrientationPatient, header.ImagePositionPatient
        del header.SpacingBetweenSlices, header.SliceThickness

    return _changed(made, EVERY, change)


def one_captured(made):
    """Only the neck was delivered as pictures of a screen."""

    def change(header):
        header.ConversionType = "WSD"
        del header.ImageOrientationPatient, header.ImagePositionPatient

    return _changed(made, ("neck",), change)


def wrong_modality(made):
    return _changed(made, EVERY, lambda header: setattr(header, "Modality", "CT"))


def text_named_zip(made):
    (made.folder / "neck.zip").write_text("The archive is too large for this server.\n")
    return [made.folder / "neck.zip"]


def empty(made):
    zipfile.ZipFile(made.folder / "all.zip", "w").close()
    return [made.folder / "all.zip"]


def no_pixels(made):
    return _changed(made, EVERY, lambda header: setattr(header, "PixelData", b""))


def zero_pixels(made):
    return _changed(made, ("lumbar",), lambda h: setattr(h, "PixelData", bytes(len(h.PixelData))))


BAD: Mapping[Callable, Expected] = {
    truncated_zip: Expected(missing={"lumbar": "archive_damaged"}),
    encrypted: Expected("archive_encrypted"),
    nested: Expected("archive_nested"),
    bomb: Expected(missing={"neck": "archive_bomb"}),
    missing_slices: Expected(missing={"neck": "incomplete_series"}),
    mixed_series: Expected("several_series"),
    captured: Expected("derived_image"),
    one_captured: Expected(missing={"neck": "derived_image"}),
    wrong_modality: Expected("no_series"),
    text_named_zip: Expected("no_dicom"),
    empty: Expected("no_dicom"),
    no_pixels: Expected("incomplete_series"),
    zero_pixels: Expected(missing={"lumbar": "bad_intensities"}),
}


def delivered(way, folder, image, seed):
    """Deliver the stations of a scan in some way; return the paths and the stations as they were cut."""
    folder.mkdir(parents=True)
    cut = {station.name: station for station in cut_stations(image, seed)}
    made = Delivery(folder, cut, planted(SAG, seed % 100))
    return [Path(path) for path in way(made)], cut


@dataclass(frozen=True)
class SeamError:
    """By how much a seam was missed at the centre of its overlap: shift, rotation and brightness."""

    seam: str
    shift_mm: float
    rotation_deg: float
    gain: float


def seam_errors(sidecar, cut):
    """Return the errors of a stitched scan's seams, from its sidecar and the stations as they were cut."""
    names, found = sidecar["Stations"], []
    reference = (len(names) - 1) // 2
    for place, seam in enumerate(sidecar["Seams"]):
        outer, inner = (names[place], names[place + 1])
        if place >= reference:  # the lower one was moved
            outer, inner = inner, outer
        planted_mm = np.subtract(cut[inner].shift_mm, cut[outer].shift_mm)
        moved_mm = [seam[f"shift_{way}_mm"] for way in ("right", "front", "up")]
        gain = seam["intensity_ratio"] * cut[outer].gain / cut[inner].gain
        error = float(np.linalg.norm(np.subtract(moved_mm, planted_mm)))
        name = f"{seam['upper']}/{seam['lower']}"
        found.append(SeamError(name, error, seam["rotation_deg"], abs(gain - 1)))
    return found
