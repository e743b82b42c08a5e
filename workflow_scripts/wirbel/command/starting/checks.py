"""What would end in a traceback, or hours later, is told in one sentence before Snakemake is started."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from wirbel.command.common.mistake import Mistake
from wirbel.command.starting.known import DEFAULTS_FILE, SCHEMA_FILE, settings_in, value_of
from wirbel.command.starting.line import as_given, profile_folder
from wirbel.command.starting.words import Wanted
from wirbel.models.entries import network, read_registry
from wirbel.models.errors import ModelError
from wirbel.models.registry import folder_of, listed_folder
from wirbel.models.store import VARIABLE
from wirbel.study.checks.output_folder import check_output_folder
from wirbel.study.checks.start import check_writable
from wirbel.study.refused import Refused
from wirbel.study.settings.run_settings import Settings, SettingsError, checked_settings

MOST_NAMED = 4
NEED_NO_SCANS = ("simulate", "models", "train", "annotate", "translate", "unlock")
"""Targets of Snakemake that read no scan."""


def check(wanted: Wanted) -> Settings:
    """Return the settings of a run; raises Mistake for what it could not begin with. Writes nothing."""
    profile = profile_folder(wanted.profile)
    _check_cores(wanted.cores)
    try:
        settings = settings_of(wanted, profile)
        if not set(NEED_NO_SCANS) & set(wanted.after):
            _check_scans(settings)
        check_output_folder(settings.output_dir, settings.bids_dir)
        check_writable(settings.output_dir)
        _check_models(settings)
    except (SettingsError, Refused, ModelError) as error:
        raise Mistake(str(error)) from None
    _check_place()
    _check_cluster(profile)
    return settings


def settings_of(wanted: Wanted, profile: Path) -> Settings:
    """Return the settings as Snakemake will put them together: defaults, profile, files, command line."""
    config = settings_in(DEFAULTS_FILE)
    for file in (*_profile_files(profile), *map(Path, wanted.configfiles)):
        config |= settings_in(file)
    given = as_given(wanted)
    config |= {key: value_of(text) for key, text in given.items()}
    return checked_settings(config, SCHEMA_FILE, [f"{k}={v}" for k, v in given.items()])


def _profile_files(profile: Path) -> list[Path]:
    """Return the settings files that a profile names; it is a template, so its lines are read one by one."""
    lines = (profile / "config.yaml").read_text(encoding="utf-8").splitlines()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("configfile:")]
    return [profile / name for name in named]


def _check_cores(cores: str | None) -> None:
    if cores is not None and cores != "all" and not (cores.isdigit() and int(cores)):
        raise Mistake(f"--cores {cores}: expected a number of processors, or all")


def _check_scans(settings: Settings) -> None:
    """Refuse a data set in which no scan can be."""
    if settings.source.table:
        _check_table(settings.source.table, folder_too=settings.source.dicom)
        return
    expected = settings.source.expected
    folder = Path(settings.bids_dir)
    if not folder.is_dir():
        found = "it is a file" if folder.exists() else "there is no such folder"
        raise Mistake(f"bids_dir {settings.bids_dir}: {found}; expected a folder with {expected}")
    try:
        inside = sorted(entry.name for entry in os.scandir(folder))
    except OSError as error:
        raise Mistake(
            f"bids_dir {folder} cannot be listed ({error.strerror}): ask for its permissions"
        ) from None
    people = {name for name in inside if name.startswith("sub-")}
    if not people:
        shown = ", ".join(inside[:MOST_NAMED]) or "nothing"
        raise Mistake(f"bids_dir {folder} holds no sub-* folder, but {shown}: expected {expected}")
    _check_participants(settings.participants, people)


def _check_table(table: str, *, folder_too: bool) -> None:
    """Refuse a table of scans that is none; deliveries of DICOM may also lie in a folder."""
    if not Path(table).is_file() and not (folder_too and Path(table).is_dir()):
        found = "it is a folder" if Path(table).is_dir() else "there is no such file"
        raise Mistake(
            f"scans {table}: {found}; expected a table with participant_id, session_id, path"
        )


def _check_participants(wanted: tuple[str, ...], people: set[str]) -> None:
    called = [f"sub-{name.removeprefix('sub-')}" for name in wanted]
    if called and not people.intersection(called):
        raise Mistake(
            f"none of the participants asked for is in bids_dir, such as {called[0]}; "
            f"there are {', '.join(sorted(people)[:MOST_NAMED])}"
        )


def _check_models(settings: Settings) -> None:
    """Refuse names and folders that are no model; what is in their files is checked when the run begins."""
    if settings.models_dir:
        os.environ[VARIABLE] = os.path.abspath(settings.models_dir)
    entries = read_registry()
    for kind, name in settings.models.items():
        if name in entries:
            listed_folder(network(entries, name, kind))
        else:
            folder_of(Path(name), kind, sorted(entries))


def _check_place() -> None:
    """Refuse a working directory in which Snakemake could not keep its notes."""
    if not os.access(".", os.W_OK | os.X_OK):
        raise Mistake(
            f"nothing can be written to the working directory {os.getcwd()}, where Snakemake keeps its notes "
            "(.snakemake): change to another one with cd"
        )


def _check_cluster(profile: Path) -> None:
    """Refuse a SLURM profile where there is no SLURM."""
    lines = (profile / "config.yaml").read_text(encoding="utf-8").splitlines()
    settings = [line.split("#")[0].split() for line in lines]
    submits = any(["executor:", name] in settings for name in ("slurm", "wirbel-slurm"))
    if submits and not shutil.which("sbatch"):
        raise Mistake(
            f"profile {profile.name} submits jobs to SLURM, but there is no sbatch here: run this on the cluster's "
            "login node, or use --profile default"
        )
