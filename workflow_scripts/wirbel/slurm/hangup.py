"""Keep a run on a cluster going if the terminal that started it closes."""

from __future__ import annotations

import os
import signal
from datetime import datetime
from pathlib import Path


def outlive_terminal(log: Path) -> None:
    """Keep this process running, with output to `log`, if the connection drops or the window closes.

    A process started with nohup already ignores the signal and is left alone.
    """
    if signal.getsignal(signal.SIGHUP) != signal.SIG_DFL:
        return

    def go_on(*_: object) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        now = datetime.now().isoformat(" ", "seconds")
        os.write(descriptor, f"{now}: the terminal is gone, the run goes on\n".encode())
        nothing = os.open(os.devnull, os.O_RDONLY)
        for stream, number in ((nothing, 0), (descriptor, 1), (descriptor, 2)):
            os.dup2(stream, number)

    signal.signal(signal.SIGHUP, go_on)
