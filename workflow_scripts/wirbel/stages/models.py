"""Fetch the networks of models in config/models.yaml, verify them, and list what there is.

A model is NAME (all its networks), KIND=NAME (one of them, such as semantic=spineps-t1w), or a folder, which is
verified only. A network that is there already is never downloaded again, unless its files were damaged. Fetched
networks are kept in models/fetched, or in the folder that WIRBEL_MODELS_DIR names.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from wirbel.models.entries import (
    ALL_KINDS,
    KINDS,
    REGISTRY_FILE,
    Embedded,
    Published,
    network,
    networks,
    read_registry,
)
from wirbel.models.errors import ModelError
from wirbel.models.fetching.install import fetch
from wirbel.models.fetching.progress import FetchAccount
from wirbel.models.registry import find_model
from wirbel.models.store import fetched, models_folder, verify
from wirbel.runner.machine.locks import FileLock

LONGEST_WAIT_SECONDS = 6 * 3600
"""For another process that fetches into the same folder."""
LOCK_NAME = ".fetching.lock"


def main(argv: list[str] | None = None) -> int:
    """Run the stage; return the exit code."""
    args = _arguments(argv)
    account = FetchAccount(args.log)
    faults: list[str] = []
    try:
        entries = read_registry(args.registry)
        if args.action != "list":
            faults.extend(_faults(args, entries, account))
        for line in overview(entries, models_folder(args.registry.resolve().parents[1])):
            print(line)
    except ModelError as error:
        faults.append(str(error))
    for sentence in dict.fromkeys(faults):
        account.say(f"models: {sentence}")
    return 1 if faults else 0


def overview(entries: dict, models_dir: Path) -> Iterator[str]:
    """Yield a table of all networks: which there are, which were fetched."""
    yield f"{'MODEL':<16}{'KIND':<11}{'STATE':<22}{'MB':>6}  MODALITY  LICENCE"
    for found in networks(entries):
        state, size = "embedded", None
        if isinstance(found, Published):
            entry = fetched(models_dir, found)
            state = f"fetched {entry.fetched}" if entry else "not fetched"
            size = entry.size if entry else found.size
        megabytes = "" if size is None else f"{size / 1e6:.0f}"
        row = f"{found.name:<16}{found.kind:<11}{state:<22}{megabytes:>6}"
        yield f"{row}  {', '.join(found.modality):<8}  {found.licence}"
    yield f"Fetched networks are kept in {models_dir}"


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="wirbel.stages.models", description=__doc__)
    parser.add_argument("action", choices=("fetch", "verify", "list"), help="what to do")
    parser.add_argument("models", nargs="*", metavar="MODEL", help="NAME, KIND=NAME or a folder")
    parser.add_argument("--registry", type=Path, default=REGISTRY_FILE, help="config/models.yaml")
    parser.add_argument("--log", type=Path, help="file that gets the account as well")
    parser.add_argument(
        "--allow-http-loopback", action="store_true", help="for tests: http from this very machine"
    )
    return parser.parse_args(argv)


def _faults(args: argparse.Namespace, entries: dict, account: FetchAccount) -> Iterator[str]:
    """Fetch and verify every network that was asked for; yield a sentence for each that failed."""
    for name, kind in _asked(args.models, entries):
        try:
            if name in entries and args.action == "fetch":
                _get(network(entries, name, kind), args, account)
            model = find_model(name, kind, args.registry)
            account.say(f"{name} {kind}: verified, {model.folder}")
        except ModelError as error:
            yield str(error)


def _asked(models: list[str], entries: dict) -> Iterator[tuple[str, str]]:
    """Yield name and kind of every network that the arguments mean."""
    for text in models:
        kind, _, name = text.partition("=")
        if kind in ALL_KINDS and name:
            yield name, kind
        else:
            yield from ((text, kind) for kind in entries.get(text, KINDS))


def _get(found: Embedded | Published, args: argparse.Namespace, account: FetchAccount) -> None:
    """Make a network complete; nothing is written where it already is."""
    if isinstance(found, Embedded):
        return
    models_dir = models_folder(args.registry.resolve().parents[1])
    if _is_intact(found, models_dir, account):
        return
    lock = FileLock(models_dir / LOCK_NAME)
    try:
        if not lock.acquire(LONGEST_WAIT_SECONDS, account.say):
            raise ModelError(f"{lock.holder()} has been fetching into {models_dir} for hours")
        if not _is_intact(found, models_dir, account):
            _fetch(found, models_dir, args, account)
    except OSError as error:
        raise ModelError(f"cannot write to {models_dir}: {error.strerror}") from None
    finally:
        lock.release()


def _is_intact(found: Published, models_dir: Path, account: FetchAccount) -> bool:
    entry = fetched(models_dir, found)
    if entry is None:
        return False
    try:
        verify(models_dir, found, entry)
    except ModelError as error:
        account.say(f"{error}: fetching it again")
        return False
    return True


def _fetch(
    found: Published, models_dir: Path, args: argparse.Namespace, account: FetchAccount
) -> None:
    account.say(f"{found.name} {found.kind}: fetching {found.urls[0]}")
    try:
        entry = fetch(models_dir, found, account, allow_loopback=args.allow_http_loopback)
    except ModelError as error:
        raise ModelError(f"{found.name} {found.kind}: {error}") from None
    finally:
        account.close()
    account.say(f"{found.name} {found.kind}: {entry.size} bytes, SHA-256 {entry.sha256}")
    if found.sha256 is None:
        account.say(
            "  config/models.yaml has no digest for it: this one was recorded, and from now on must match"
        )


if __name__ == "__main__":
    sys.exit(main())
