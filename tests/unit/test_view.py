"""`wirbel view` shows the output folder to this user's browser on this machine, and nothing else."""

from __future__ import annotations

import gzip
import http.client
import os
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from wirbel.command.common.mistake import Mistake
from wirbel.command.common.pages import page_of
from wirbel.command.serving.peers import is_own
from wirbel.command.serving.server import make_server
from wirbel.io.tabular.tables import write_rows


@pytest.fixture
def output(tmp_path) -> Path:
    folder = tmp_path / "out"
    (folder / "qc").mkdir(parents=True)
    (folder / "qc" / "index.html").write_text("<p>the cohort</p>")
    (folder / "map.nii.gz").write_bytes(gzip.compress(b"voxels"))
    (folder / "two words.txt").write_text("two")
    (folder / ".secret").write_text("hidden")
    (tmp_path / "passwords").write_text("outside")
    (tmp_path / "out-other").mkdir()
    (tmp_path / "out-other" / "file").write_text("outside")
    (folder / "link").symlink_to(tmp_path / "passwords")
    (folder / "away").symlink_to(tmp_path)
    (folder / "inside").symlink_to(folder / "qc" / "index.html")
    return folder


@contextmanager
def asking(folder: Path):
    """Yield a function that sends a request line as it is and returns the answer's code, headers and body."""
    server = make_server(folder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]

    def ask(target: str, method: str = "GET", host: str | None = None, more: str | None = None):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.putrequest(method, target, skip_host=True)
        if host != "":
            connection.putheader("Host", f"127.0.0.1:{port}" if host is None else host)
        if more:
            connection.putheader("Host", more)
        connection.endheaders()
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, headers, answer.read()

    ask.port = port
    yield ask
    server.shutdown()
    server.server_close()


def test_files_below_the_folder_are_shown_also_by_a_link_within_it(output):
    with asking(output) as ask:
        assert ask("/qc/index.html")[2] == b"<p>the cohort</p>" == ask("/inside")[2]
        assert ask("/qc/")[2] == b"<p>the cohort</p>"
        assert ask("/two%20words.txt?version=2")[2] == b"two"
        code, headers, body = ask("/map.nii.gz")
        assert code == 200 and gzip.decompress(body) == b"voxels"
        assert "content-encoding" not in headers and headers["content-type"] == "application/gzip"


OUTSIDE = [
    "/../passwords",
    "/%2e%2e/passwords",
    "/..%2fpasswords",
    "/qc/../../passwords",
    "//../passwords",
    "/../out-other/file",
    "/link",
    "/away/passwords",
    "/away/out-other/file",
    "/qc/%2e%2e/%2e%2e/passwords",
    "/.secret",
    "/%00",
    "/map.nii.gz%00.html",
    "/nothing",
    "/etc/passwd",
    "//etc/passwd",
    "/",
]


@pytest.mark.parametrize("target", OUTSIDE)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_nothing_outside_and_nothing_hidden_is_shown(output, target, method):
    with asking(output) as ask:
        code, _, body = ask(target, method)
        assert code == 404 and b"outside" not in body and b"hidden" not in body


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "", "[::1]", "a@127.0.0.1"]
)
def test_other_hosts_are_refused(output, host):
    """A web site could let a name of its own point to 127.0.0.1, and its scripts would be let in."""
    with asking(output) as ask:
        code, _, body = ask("/qc/index.html", host=host)
        assert code == 421 and b"cohort" not in body


def test_two_hosts_are_refused_and_localhost_is_this_machine(output):
    with asking(output) as ask:
        assert ask("/qc/index.html", host=f"localhost:{ask.port}")[0] == 200
        assert ask("/qc/index.html", more="evil.example")[0] == 421


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "X"])
def test_nothing_but_reading(output, method):
    with asking(output) as ask:
        assert ask("/qc/index.html", method)[0] == 405


def test_head_has_no_body_and_pages_may_load_nothing_from_elsewhere(output):
    with asking(output) as ask:
        code, headers, body = ask("/qc/index.html", "HEAD")
        assert (code, body) == (200, b"") and headers["content-length"] == "17"
        assert headers["content-security-policy"].startswith("default-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"


def test_it_listens_on_this_machine_only(output):
    server = make_server(output)
    assert server.server_address[0] == "127.0.0.1"
    server.server_close()


def test_other_users_of_the_machine_are_told_by_the_systems_table(tmp_path):
    ends = ("127.0.0.1", 40000), ("127.0.0.1", 8765)
    row = "  1: 0100007F:9C40 0100007F:223D 01 0:0 00:0 00000000 {} 0 1 1 0 20 4 30 10 -1\n"
    table = tmp_path / "tcp"
    for owner, mine in ((os.getuid(), True), (0, True), (os.getuid() + 1, False)):
        table.write_text("head\n" + row.format(owner))
        assert is_own(*ends, table) == mine
    assert is_own(*ends, tmp_path / "no table")


def test_a_scan_is_named_wholly_or_by_its_participant(output):
    (output / "qc" / "scan.html").touch()
    names = ("sub-01", "sub-02_ses-1", "sub-02_ses-2", "sub-03_ses-1")
    rows = [{"scan_id": name, "batch": "b00001"} for name in names]
    write_rows(output / "work" / "batches" / "assignment.tsv", ("scan_id", "batch"), rows)
    assert page_of(output, None) == "qc/index.html"
    assert page_of(output, "01") == page_of(output, "sub-01") == "qc/scan.html#sub-01"
    assert page_of(output, "03") == "qc/scan.html#sub-03_ses-1"
    with pytest.raises(Mistake, match="has 2 scans: name one of them, such as sub-02_ses-1"):
        page_of(output, "sub-02")
    with pytest.raises(Mistake, match="there is no scan '77'"):
        page_of(output, "77")
