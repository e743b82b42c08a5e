"""Mistakes that a user can correct, said in one sentence."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

EXIT_CODE = 2
"""Of a command that was not understood, as argparse has it."""


class Mistake(Exception):
    """Something in the command or its surroundings is wrong; the text says what, and what to do."""


class Parser(argparse.ArgumentParser):
    """Raises Mistake instead of printing the usage and exiting, as argparse does."""

    def __init__(self, *args, **kwargs) -> None:
        kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        kwargs["allow_abbrev"] = False
        super().__init__(*args, **kwargs)

    def understood(self, words: Sequence[str]) -> argparse.Namespace:
        """Parse options and other words, mixed; `unknown` has further options, `after` what follows the first `--`."""
        place = words.index("--") if "--" in words else len(words)
        args, unknown = self.parse_known_intermixed_args(words[:place])
        args.unknown = [word for word in unknown if word.startswith("-")]
        args.after = list(words[place + 1 :])
        return args

    def error(self, message: str) -> NoReturn:
        """Raise Mistake."""
        raise Mistake(f"{message}; see {self.prog} --help")
