"""`wirbel`: finds the subcommand, and turns what a user can mend into one sentence.

That includes what a file system refuses, such as to write where this user may not, or on a full disk.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from types import ModuleType

from wirbel import __version__
from wirbel.command.common.completion import complete
from wirbel.command.common.mistake import EXIT_CODE, Mistake, Parser

SUBCOMMANDS = {
    "inventory": "say which scans a run would take, leave out and miss, and why",
    "run": "segment and measure the scans of a BIDS folder",
    "status": "say how far a run is, what failed and why",
    "view": "show results in a browser, on this machine only",
    "report": "make the quality-control pages again",
    "simulate": "make scans with known truth, to try the software on",
    "evaluate": "compare results with known label maps",
    "annotate": "fuse several segmentations of each scan into one annotation",
    "translate": "make tomograms of MR scans, and label maps of these, for annotate",
    "spider": "segment the public SPIDER data set and print the paper's table",
    "train": "train both networks, from simulated and real scans, and register them",
    "models": "list, fetch or verify networks",
    "doctor": "check this machine and say what to mend",
    "plan": "say what more scans would cost, by what a finished run measured",
    "profile": "copy a profile, to edit it for your machine or cluster",
}
"""Subcommand -> what it does; each is a module of this package with `add_arguments` and `run`."""
TOPICS = dict.fromkeys(("evaluate", "annotate", "translate", "spider"), "references")
"""Subcommand -> the folder that its module is in, if not that of this module."""
DESCRIPTION = "Whole-spine segmentation and measurement of sagittal T2-weighted MRI."
EPILOG = """\
As a BIDS App: wirbel BIDS_DIR OUTPUT_DIR participant [--participant-label LABEL ...]
Completion:    wirbel --print-completion bash > ~/.local/share/bash-completion/completions/wirbel
"""
NOT_FINISHED = 1
"""Exit code where the file system refused something on the way."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code: 2 for a mistake that the user can mend."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _dispatch(words)
    except Mistake as mistake:
        return _told(words, str(mistake), EXIT_CODE)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        sys.stderr.close()
        return 0
    except OSError as error:
        from wirbel.runner.failures import machine_fault

        not_allowed = isinstance(error, (PermissionError, NotADirectoryError, FileExistsError))
        if (fault := machine_fault(error, writing=not_allowed)) is None:
            raise
        return _told(words, fault, NOT_FINISHED)


def _told(words: Sequence[str], sentence: str, code: int) -> int:
    called = words[0] if words and words[0] in SUBCOMMANDS else ""
    print(f"{f'wirbel {called}'.strip()}: {sentence}", file=sys.stderr)
    return code


def _dispatch(words: list[str]) -> int:
    if is_bids_app(words):
        return _module("starting.bids_app").run(words)
    if words and words[0] in SUBCOMMANDS:
        module = _module(words[0])
        return module.run(_parse(_subparser(words[0], module), words[1:]))
    root_parser().parse_args(words)
    root_parser().print_help()
    return 0


def is_bids_app(words: Sequence[str]) -> bool:
    """Whether these words call a BIDS App: two folders and the level of analysis."""
    return len(words) > 2 and words[2] in ("participant", "group") and words[0] not in SUBCOMMANDS


def root_parser() -> Parser:
    """Return the parser of the whole command, for help and completion."""
    root = Parser(prog="wirbel", description=DESCRIPTION, epilog=EPILOG)
    root.add_argument("--version", action="version", version=f"wirbel {__version__}")
    children = root.add_subparsers(metavar="SUBCOMMAND", title="subcommands")
    for name, summary in SUBCOMMANDS.items():
        module = _module(name)
        child = children.add_parser(name, help=summary, description=module.__doc__)
        module.add_arguments(child)
    complete(root, children.choices.values())
    return root


def _subparser(name: str, module: ModuleType) -> Parser:
    parser = Parser(prog=f"wirbel {name}", description=module.__doc__)
    module.add_arguments(parser)
    return parser


def _parse(parser: Parser, words: list[str]):
    """Parse words; refuses unknown options, unless the subcommand explains them itself."""
    args = parser.understood(words)
    if args.unknown and not getattr(args, "explains_unknown", False):
        parser.error(f"unknown option {args.unknown[0]}")
    return args


def _module(name: str) -> ModuleType:
    place = f"{TOPICS[name]}.{name}" if name in TOPICS else name
    return importlib.import_module(f"wirbel.command.{place}")
