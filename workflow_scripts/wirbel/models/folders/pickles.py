"""Look through a checkpoint's pickle without running it and without torch, before the first job.

A pickle is a list of instructions. Only those that name a function or type can do harm, and their names stand in the
file. torch itself reads the file in the job, with the same names and instructions allowed.
"""

from __future__ import annotations

import pickletools
import zipfile
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from pathlib import Path

from wirbel.models.errors import ModelError, UnsafeCheckpointError
from wirbel.models.folders.wording import short

ALLOWED_NAMES = frozenset(
    {
        "_codecs.encode",
        "argparse.Namespace",
        "builtins.bytearray",
        "builtins.complex",
        "builtins.set",
        "collections.Counter",
        "collections.OrderedDict",
        "numpy._core.multiarray._reconstruct",
        "numpy._core.multiarray.scalar",
        "numpy.core.multiarray._reconstruct",
        "numpy.core.multiarray.scalar",
        "numpy.dtype",
        "numpy.ndarray",
        "pathlib.PosixPath",
        "pathlib._local.PosixPath",
    }
)
"""What torch's restricted reader allows outside of torch, and `wirbel.learning.checkpoints` besides."""
LEFT_TO_TORCH = ("torch.", "numpy.dtypes.")
"""Names of which torch's own list says more than can be known here."""
INSTRUCTIONS = frozenset(
    [
        "PROTO",
        "STOP",
        "GLOBAL",
        "NEWOBJ",
        "REDUCE",
        "BUILD",
        "APPEND",
        "APPENDS",
        "SETITEM",
        "SETITEMS",
        "MARK",
        "TUPLE",
        "TUPLE1",
        "TUPLE2",
        "TUPLE3",
        "NONE",
        "NEWFALSE",
        "NEWTRUE",
        "EMPTY_TUPLE",
        "EMPTY_LIST",
        "EMPTY_DICT",
        "EMPTY_SET",
        "BININT",
        "BININT1",
        "BININT2",
        "BINFLOAT",
        "BINUNICODE",
        "SHORT_BINSTRING",
        "BINPERSID",
        "BINGET",
        "LONG_BINGET",
        "BINPUT",
        "LONG_BINPUT",
        "LONG1",
    ]
)
"""All that torch's restricted reader carries out (pickle protocol 2)."""
MOST_INSTRUCTIONS = 5_000_000
"""Ten thousand tensors take thirty each, and a training log of a thousand epochs some hundred an epoch."""
QUOTES = "'\""
PICKLE = "data.pkl"


def check_pickle(path: Path, archive: zipfile.ZipFile) -> None:
    """Raise ModelError if the pickle in a checkpoint's archive is missing, damaged, or names something unsafe."""
    found = [name for name in archive.namelist() if name.rpartition("/")[2] == PICKLE]
    if len(found) != 1:
        raise ModelError(
            f"{path} is not a complete checkpoint: expected one {PICKLE} in it, found {len(found)}; "
            "copy or fetch it again"
        )
    try:
        _look_through(path, archive.read(found[0]))
    except ModelError:
        raise
    except (ValueError, IndexError, UnicodeError, zipfile.BadZipFile, EOFError, OSError) as error:
        raise ModelError(
            f"{path} is not a complete checkpoint: {short(str(error))}; copy or fetch it again"
        ) from None


def _look_through(path: Path, pickle: bytes) -> None:
    for number, (instruction, argument, _) in enumerate(pickletools.genops(pickle)):
        if number > MOST_INSTRUCTIONS:
            raise ValueError(f"its pickle has more than {MOST_INSTRUCTIONS:,} instructions")
        if instruction.name == "GLOBAL":
            _check_name(path, _name(str(argument)))
        elif (
            instruction.name not in INSTRUCTIONS
        ):  # also of other protocols, whose names are put together
            raise ValueError(f"its pickle has the instruction {instruction.name}")


def _name(argument: str) -> str:
    """Return the full name that a GLOBAL instruction asks for, as today's Python calls it."""
    module, name = argument.split(" ", 1)
    module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
    return f"{module}.{name}"


def _check_name(path: Path, name: str) -> None:
    if name not in ALLOWED_NAMES and not name.startswith(LEFT_TO_TORCH):
        raise UnsafeCheckpointError(
            f"{path} was refused: it contains an object of type {short(name).strip(QUOTES)}, but a plain checkpoint "
            "contains only numbers, text and tensors; fetch it from its makers again"
        )
