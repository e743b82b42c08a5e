"""What the words of `wirbel run` mean: two folders, settings, and Snakemake's own options."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote

from wirbel.command.common.mistake import Mistake
from wirbel.command.starting.known import known_settings, settings_in

SETTING = re.compile(r"[A-Za-z_][\w-]*=")
OPTIONS = ("cores", "profile", "configfile")
"""Options with a value, which people write like settings."""
YAML_ENDINGS = (".yaml", ".yml", ".json")
BRACKETS = {"{": "}", "[": "]"}
USAGE = "expected wirbel run BIDS_DIR OUTPUT_DIR [KEY=VALUE ...]"


@dataclass(frozen=True)
class Wanted:
    """What a run is asked for; `settings` as they were written, `after` for Snakemake."""

    settings: dict[str, str]
    profile: str = "default"
    configfiles: tuple[str, ...] = ()
    cores: str | None = None
    dry_run: bool = False
    quiet: bool = False
    after: tuple[str, ...] = field(default=())


def understood(args: argparse.Namespace, **more: str) -> Wanted:
    """Return what the arguments of `wirbel run` mean, with `more` settings; raises Mistake."""
    if len(args.config) > 1:
        raise Mistake(
            "--config is there twice, and Snakemake would keep the last one only: write all settings as KEY=VALUE "
            "after the folders, without --config"
        )
    _explain(args.unknown)
    files, behind = _configfiles(args.configfile)
    words = [*args.words, *behind, *(word for group in args.config for word in group)]
    folders = [word for word in words if not SETTING.match(word)]
    settings = {**_settings([word for word in words if SETTING.match(word)], folders), **more}
    _refuse_config(args.after)
    return Wanted(
        _with_folders(settings, folders, _set_in(files)),
        args.profile,
        files,
        args.cores,
        args.dry_run,
        args.quiet,
        tuple(args.after),
    )


def _configfiles(groups: list[list[str]]) -> tuple[tuple[str, ...], list[str]]:
    """Part what stands behind --configfile, which takes several files, into files and words of the command."""
    files: list[str] = []
    words: list[str] = []
    for group in groups:
        for place, word in enumerate(group):
            named = place == 0 or Path(word).suffix in YAML_ENDINGS
            is_file = Path(word).is_file() or (named and not SETTING.match(word))
            (files if is_file else words).append(word)
    return tuple(files), words


def _settings(words: list[str], others: list[str]) -> dict[str, str]:
    """Return key -> text; refuses what a shell has torn apart."""
    found: dict[str, str] = {}
    for word in words:
        key, _, text = word.partition("=")
        if key in found:
            raise Mistake(f"setting {key} is given twice: keep one of them")
        if key in OPTIONS:
            raise Mistake(f"{key} is an option, not a setting: write --{key} {quote(text)}")
        if not _is_balanced(text):
            raise Mistake(
                f"the value of {key} is torn apart at a blank, or has a bracket too many: put it in quotes, as in "
                f"{key}='{text.rstrip(',')}, ...'"
            )
        found[key] = text
    if any(word.startswith("=") for word in others):
        raise Mistake("there are blanks around a =: write settings without them, as in n4=false")
    return found


def _set_in(files: tuple[str, ...]) -> set[str]:
    """Return the settings to which files give a value."""
    return {key for file in files for key, value in settings_in(Path(file)).items() if value}


def _with_folders(settings: dict[str, str], folders: list[str], set_in: set[str]) -> dict[str, str]:
    """Add the two folders, which may also be given as settings, or in a file; a table of scans needs no `bids_dir`."""
    free = [key for key in ("bids_dir", "output_dir") if key not in settings]
    for key in ("bids_dir", "output_dir"):
        if len(folders) < len(free) and key in free and key in set_in:
            free.remove(key)
    if {"scans"} & {*settings, *set_in} and len(folders) < len(free) and "bids_dir" in free:
        free.remove("bids_dir")  # it is the table's folder
    if len(folders) > len(free):
        raise Mistake(_too_many(folders, len(free)))
    if len(folders) < len(free):
        missing = free[len(folders)]
        raise Mistake(f"{missing} is missing: {USAGE}")
    return {**dict(zip(free, folders, strict=True)), **settings}


def _too_many(folders: list[str], expected: int) -> str:
    """Return what is wrong with more folders than there can be."""
    for begin in range(len(folders)):
        for end in range(begin + 2, len(folders) + 1):
            whole = " ".join(folders[begin:end])
            if Path(whole).exists():
                return f"put a path with a blank in quotes: {quote(whole)}"
    near = next((word for word in folders if word in known_settings()), None)
    if near:
        return f"setting {near} has no value: write {near}=VALUE, without blanks"
    surplus = " ".join(folders[expected:])
    return (
        f"{surplus!r} is neither a folder nor a setting: {USAGE}; put a path with a blank in quotes"
    )


def _explain(unknown: list[str]) -> None:
    """Refuse options that are none of ours, with what was probably meant."""
    for option in unknown:
        name, _, value = option.lstrip("-").partition("=")
        key = name.replace("-", "_")
        if key in known_settings():
            raise Mistake(
                f"unknown option {option}: settings are written without dashes, as {key}={value or 'VALUE'}"
            )
        raise Mistake(
            f"unknown option {option}: options of Snakemake go to the end, after --, as in "
            f"wirbel run BIDS_DIR OUTPUT_DIR -- {option}"
        )


def _refuse_config(after: list[str]) -> None:
    for option in ("--config", "-C"):
        if any(word == option or word.startswith(f"{option}=") for word in after):
            raise Mistake(
                f"{option} after -- would hide the settings before it: write them as KEY=VALUE before the --"
            )


def _is_balanced(text: str) -> bool:
    """Whether every bracket of a value is closed; quotes are the shell's affair."""
    return all(text.count(opened) == text.count(closed) for opened, closed in BRACKETS.items())
