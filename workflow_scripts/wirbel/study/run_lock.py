"""One main process at a time on an output folder, also from several login nodes.

The kernel's lock on `work/workflow.lock` ends with its holder, however that ends, but on some shared file systems
it does not reach other machines. So the file also says who works here since when, and is emptied when that
process ends by itself. What a process killed on another machine left behind is cleared by
`snakemake ... unlock`, which runs `python -m wirbel.study.run_lock --output-dir DIR`.
"""

from __future__ import annotations

import argparse
import atexit
import os
import re
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from wirbel.runner.machine.locks import POLL_SECONDS, FileLock, is_locked, whoami
from wirbel.study.refused import Refused

HOLDER = re.compile(r"process \d+ on (?P<host>\S+)")


class RunLock:
    """The lock of a run on an output folder."""

    def __init__(self, output_dir: str | Path) -> None:
        self._output_dir = Path(output_dir)
        self._path = self._output_dir / "work" / "workflow.lock"
        self._lock = FileLock(self._path)
        self._held = False

    def acquire(self, wait_seconds: float = 0.0, say: Callable[[str], None] | None = None) -> bool:
        """Try to get the lock for `wait_seconds`; return whether this process holds it now."""
        end = time.monotonic() + wait_seconds
        while not self._held and self._elsewhere():
            if time.monotonic() >= end:
                return False
            time.sleep(POLL_SECONDS)
        if not self._held and self._lock.acquire(max(0.0, end - time.monotonic()), say=say):
            since = datetime.now().astimezone().isoformat(" ", "minutes")
            self._path.write_text(f"{whoami()} since {since}\n")
            self._held = True
            atexit.register(self.release)
        return self._held

    def release(self) -> None:
        """Empty the file and let go."""
        if self._held:
            self._held = False
            with suppress(OSError):
                os.truncate(self._path, 0)
            self._lock.release()

    def refusal(self) -> str:
        """Return who holds the lock and what to do about it."""
        told = f"{self._output_dir} is being worked on by {self._lock.holder()}: "
        if not self._elsewhere():
            return told + "wait for it, stop it, or choose another output_dir"
        return told + (
            "wait for it, stop it there, or choose another output_dir. If that process does not exist any more "
            "(it was killed, or its machine restarted), add `-- unlock` to the end of this command once"
        )

    def at_work(self) -> str:
        """Return who works on the folder now, or an empty text; for dry runs, since it writes nothing."""
        if not self._path.exists() or self._held:
            return ""
        return self._lock.holder() if self._elsewhere() or is_locked(self._path) else ""

    def clear(self) -> str:
        """Forget a holder that is gone; return what was done. Raises Refused where one on this machine lives."""
        if self._elsewhere():
            told = f"forgotten: {self._lock.holder()}"
            self._path.write_text("")
            return told
        if self._path.exists() and not self._lock.acquire():
            raise Refused(f"{self.refusal()}; nothing was changed")
        return f"{self._output_dir} is not locked"

    def _elsewhere(self) -> bool:
        """Whether the file names a holder on another machine."""
        found = HOLDER.match(self._lock.holder())
        return found is not None and found["host"] != os.uname().nodename


def main(argv: list[str] | None = None) -> int:
    """Clear the lock that a run left behind which was killed on another machine; return 1 if that run still works."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--output-dir", type=Path, required=True)
    try:
        print(RunLock(parser.parse_args(argv).output_dir).clear())
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
