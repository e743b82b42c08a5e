"""Show results in a browser: the cohort's page, or one scan. Only this machine can reach the server.

From a cluster's login node, forward its port to your own machine: ssh -L 8765:127.0.0.1:8765 LOGIN_NODE
"""

from __future__ import annotations

import argparse
import errno
import webbrowser
from pathlib import Path

from wirbel.command.common.completion import DIRECTORY, offer
from wirbel.command.common.mistake import Mistake
from wirbel.command.common.pages import page_of
from wirbel.command.serving.server import HOST, make_server


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    folder = parser.add_argument("output_dir", help="the output folder of a run")
    offer(folder, DIRECTORY)
    parser.add_argument("scan", nargs="?", help="a scan, such as sub-01, or sub-01_ses-2_run-1")
    parser.add_argument("--port", type=int, default=8765, help="port to listen on; 0: a free one")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C; raises Mistake."""
    folder = Path(args.output_dir)
    if not folder.is_dir():
        raise Mistake(f"there is no folder {folder}: give the output folder of a run")
    page = page_of(folder, args.scan)
    server = _server(folder, args.port)
    address = f"http://{HOST}:{server.server_address[1]}/{page}"
    print(f"{folder} is shown at {address} on this machine only; Ctrl-C ends it", flush=True)
    if not args.no_browser:
        webbrowser.open(address)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
    return 0


def _server(folder: Path, port: int):
    try:
        return make_server(folder, port)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise Mistake(
            f"port {port} cannot be used ({error.strerror}): give another one with --port, or --port 0 for a free one"
        ) from None
    except OverflowError:
        raise Mistake(f"--port {port}: expected a number from 0 to 65535") from None
