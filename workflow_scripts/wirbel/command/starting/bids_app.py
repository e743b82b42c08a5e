"""Wirbel as a BIDS App: `wirbel BIDS_DIR OUTPUT_DIR participant --participant-label 01 02`.

The levels `participant` and `group` do the same: finished scans are kept, and the tables are made from all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from wirbel.command.common.mistake import Parser
from wirbel.command.run import add_options, start
from wirbel.command.starting.words import understood

LEVELS = ("participant", "group")


def run(words: Sequence[str]) -> int:
    """Run the command; raises Mistake."""
    args = parser().understood(words)
    args.words = [args.bids_dir, args.output_dir, *args.settings]
    args.cores = args.cores or args.n_cpus
    return start(understood(args, **_participants(args.participant_label)))


def parser() -> Parser:
    """Return the parser of the BIDS-App call."""
    made = Parser(prog="wirbel", description=__doc__)
    made.add_argument("bids_dir")
    made.add_argument("output_dir")
    made.add_argument("analysis_level", choices=LEVELS)
    made.add_argument("settings", nargs="*", metavar="KEY=VALUE")
    made.add_argument(
        "--participant-label",
        "--participant_label",
        nargs="+",
        metavar="LABEL",
        default=[],
        help="only these participants, with or without sub-",
    )
    made.add_argument("--n-cpus", "--n_cpus", "--nprocs", metavar="N", help="same as --cores")
    made.add_argument(
        "--skip-bids-validation",
        "--skip_bids_validator",
        action="store_true",
        help="accepted and ignored: Wirbel checks the files it reads itself",
    )
    add_options(made)
    return made


def _participants(labels: Sequence[str]) -> dict[str, str]:
    """Return the setting for labels, which may be separated by blanks or commas."""
    names = [f"sub-{part.removeprefix('sub-')}" for label in labels for part in label.split(",")]
    return {"participants": ",".join(names)} if names else {}
