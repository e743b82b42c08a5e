"""The settings of `annotate`: which segmentations of which scans are fused, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wirbel.core.fusion.combining import LEAST_AGREEMENT
from wirbel.core.fusion.deciding import METHODS, STAPLE
from wirbel.core.label_schemes import BACKGROUND
from wirbel.io.foreign.label_schemes import OURS, SchemeError, read_scheme
from wirbel.io.settings_files import SettingsFileError, checked_section, read_settings_file

DEFAULT = "default"
AnnotateSettingsError = SettingsFileError


@dataclass(frozen=True)
class SourceSettings:
    """One source of segmentations."""

    name: str
    """For tables and sidecars."""
    labels: str
    """Folder with one label map per scan, named after it; scans without one do without this source."""
    scheme: str
    """What the numbers mean: a label scheme (`config/schemes`) or the path of one."""
    ending: str = ""
    """How the files' names end, if there are several per scan, such as `desc-subregion_dseg`."""
    vertebrae: str = ""
    """Folder with vertebra maps in our numbers. Empty: what the scheme knows of vertebrae."""
    vertebrae_ending: str = ""
    """How their names end, such as `desc-vertebra_dseg`."""
    trust: Mapping[str, float] = field(default_factory=dict)
    """Structure -> weight; `default` for all others (1). 0: not trusted in this structure."""
    align: bool = False
    """Align rigidly, by `images`, before the labels are brought to the scan's grid."""
    images: str = ""
    """Folder with the images that the source was made on, named after the scans; needed to align."""

    @property
    def trust_by_label(self) -> dict[int, float]:
        """Our label -> weight."""
        found = dict.fromkeys((n for n in OURS["whole_vertebra"]), 1.0)
        default = float(self.trust.get(DEFAULT, 1.0))
        for labels in OURS.values():
            found |= {label: default for label in labels if label != BACKGROUND}
        for name in sorted(self.trust, key=lambda name: -len(OURS.get(name, ()))):
            if name != DEFAULT:  # wholes before their parts
                found |= dict.fromkeys(OURS[name], float(self.trust[name]))
        return found


@dataclass(frozen=True)
class AnnotateSettings:
    """The content of a settings file."""

    images: str
    """BIDS folder with the scans."""
    output: str
    """Folder for the fused maps and tables."""
    sources: tuple[SourceSettings, ...]
    participants: tuple[str, ...] = ()
    """Participants to annotate; empty: all."""
    method: str = STAPLE
    """How structures are combined: staple, vote or priority."""
    methods: Mapping[str, str] = field(default_factory=dict)
    """Structure -> another method for it."""
    least_agreement: float = LEAST_AGREEMENT
    """Smallest share of trust behind a label that a training uses; less is ignored."""
    corrections: str = ""
    """Folder with readers' corrected maps (scheme `spineps`). Empty: `corrections` in the output folder."""

    @property
    def methods_by_label(self) -> dict[int, str]:
        """Our label -> method, where it is not `method`."""
        return {label: way for name, way in self.methods.items() for label in OURS[name]}

    @property
    def corrections_folder(self) -> Path:
        """Where corrections are looked for."""
        return Path(self.corrections or Path(self.output, "corrections"))


def read_annotate_settings(path: Path) -> AnnotateSettings:
    """Read a settings file; raise AnnotateSettingsError."""
    return annotate_settings(read_settings_file(path, "config/annotate.yaml"), str(path))


def annotate_settings(content: Any, where: str) -> AnnotateSettings:
    """Check and convert decoded settings; raise AnnotateSettingsError, naming `where`."""
    values = checked_section(content, AnnotateSettings, where)
    listed = values["sources"]
    if not isinstance(listed, list) or not listed:
        raise AnnotateSettingsError(f"{where}: expected a list of sources, found {listed!r}")
    values["sources"] = tuple(
        _source(one, f"{where}, source {n}") for n, one in enumerate(listed, 1)
    )
    names = [source.name for source in values["sources"]]
    if len(set(names)) < len(names):
        raise AnnotateSettingsError(f"{where}: expected sources of different names, found {names}")
    values["participants"] = tuple(map(str, values.get("participants") or ()))
    settings = AnnotateSettings(**values)
    _check_structures(settings.methods, f"{where}, methods")
    for way in (settings.method, *settings.methods.values()):
        if way not in METHODS:
            raise AnnotateSettingsError(
                f"{where}: expected a method ({', '.join(METHODS)}), found {way!r}"
            )
    if not 0 <= settings.least_agreement <= 1:
        raise AnnotateSettingsError(
            f"{where}: expected least_agreement from 0 to 1, found {settings.least_agreement}"
        )
    return settings


def _source(content: Any, where: str) -> SourceSettings:
    values = checked_section(content, SourceSettings, where)
    trust = values.get("trust")
    if isinstance(trust, int | float):
        values["trust"] = {DEFAULT: trust}
    source = SourceSettings(**values)
    _check_structures([name for name in source.trust if name != DEFAULT], f"{where}, trust")
    wrong = {n: w for n, w in source.trust.items() if not isinstance(w, int | float) or w < 0}
    if wrong:
        raise AnnotateSettingsError(f"{where}, trust: expected numbers of 0 or more, found {wrong}")
    if source.align and not source.images:
        raise AnnotateSettingsError(
            f"{where}: align needs images, a folder with the images that its maps were made on"
        )
    for folder in filter(None, (source.labels, source.vertebrae, source.images)):
        if not Path(folder).is_dir():
            raise AnnotateSettingsError(f"{where}: there is no folder {folder}")
    try:
        read_scheme(source.scheme)
    except SchemeError as error:
        raise AnnotateSettingsError(f"{where}: {error}") from None
    return source


def _check_structures(names: Any, where: str) -> None:
    for name in names:
        if name not in OURS or BACKGROUND in OURS[name]:
            known = ", ".join(one for one, labels in OURS.items() if BACKGROUND not in labels)
            raise AnnotateSettingsError(f"{where}: unknown structure {name!r}; known: {known}")
