"""The settings of `translate`: which scans become tomograms, by which networks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wirbel.io.settings_files import SettingsFileError, checked_section, read_settings_file


@dataclass(frozen=True)
class TranslateSettings:
    """The content of a settings file."""

    images: str
    """BIDS folder with the MR scans."""
    output: str
    """Folder for tomograms and label maps."""
    translator: str
    """The translator: a name in config/models.yaml, or a folder."""
    segmentation: str = ""
    """The semantic network of tomograms: a name, or a folder. Empty: tomograms alone."""
    participants: tuple[str, ...] = ()
    """Participants to translate; empty: all."""


def read_translate_settings(path: Path) -> TranslateSettings:
    """Read a settings file; raise SettingsFileError."""
    return translate_settings(read_settings_file(path, "config/translate.yaml"), str(path))


def translate_settings(content: Any, where: str) -> TranslateSettings:
    """Check and convert decoded settings; raise SettingsFileError, naming `where`."""
    values = checked_section(content, TranslateSettings, where)
    values["participants"] = tuple(map(str, values.get("participants") or ()))
    settings = TranslateSettings(**values)
    if not Path(settings.images).is_dir():
        raise SettingsFileError(f"{where}, images: there is no folder {settings.images}")
    return settings
