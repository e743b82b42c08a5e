"""Who is at the other end of a connection within this machine: login nodes have many users, and files are personal."""

from __future__ import annotations

import os
from pathlib import Path

TABLE = Path("/proc/net/tcp")
"""Linux' table of TCP connections: local and remote address, state, ..., the owner's user id."""
LOCAL, REMOTE, OWNER = 1, 2, 7
"""Columns of the table."""


def is_own(client: tuple[str, int], server: tuple[str, int], table: Path = TABLE) -> bool:
    """Return whether a client's socket is this user's (or root's); true where the system does not tell."""
    ends = _address(*client[:2]), _address(*server[:2])
    try:
        rows = [line.split() for line in table.read_text().splitlines()[1:]]
    except OSError:
        return True
    owners = [int(row[OWNER]) for row in rows if (row[LOCAL], row[REMOTE]) == ends]
    return not owners or owners[0] in (os.getuid(), 0)


def _address(host: str, port: int) -> str:
    """Return an address as the table has it: 127.0.0.1:80 is `0100007F:0050`."""
    return f"{int.from_bytes(map(int, host.split('.')), 'little'):08X}:{port:04X}"
