"""What a user can mend, said in one sentence."""

from __future__ import annotations

import argparse

EXIT_CODE = 2
"""Of a command that was not understood, as argparse has it."""


class Mistake(Exception):
    """Something in the command or its surroundings is wrong; the text says what, and what to do."""


class Parser(argparse.ArgumentParser):
    """Raises Mistake where argparse would print its usage and exit."""

    def __init__(self, *args, **kwargs) -> None:
        kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(*args, allow_abbrev=False, **kwargs)

    def error(self, message: str) -> None:
        """Raise Mistake."""
        raise Mistake(f"{message}; see {self.prog} --help")
