"""Downloads over networks that break, servers that misbehave and addresses that mislead."""

from __future__ import annotations

import hashlib
import itertools

import pytest
from support.models.file_server import serving

from wirbel.models.errors import ModelError
from wirbel.models.fetching.fetch import Patience, download
from wirbel.models.fetching.partial_download import PartialDownload

CONTENT = b"".join(hashlib.sha256(bytes([n])).digest() for n in range(200))
QUICK = Patience(connect_seconds=2, read_seconds=0.3, tries=4, pause_seconds=0.01)


class Ear:
    """Keeps what is reported."""

    def __init__(self):
        self.said, self.steps = [], []

    def say(self, sentence):
        self.said.append(sentence)

    def progress(self, done, total):
        self.steps.append((done, total))


@pytest.fixture
def target(tmp_path):
    return tmp_path / "model.zip.partial"


def get(server, target, size=None, patience=QUICK, ear=None):
    urls = (server.url,)
    return download(urls, target, size, ear or Ear(), patience, allow_loopback=True)


def in_turn(*answers):
    """Answer the first question with the first function, and so on; the last one for ever."""
    waiting = itertools.chain(answers, itertools.repeat(answers[-1]))
    return lambda request: next(waiting)(request)


def test_a_file_arrives_as_it_is_and_the_progress_is_told(target):
    ear = Ear()
    with serving(lambda r: r.file(CONTENT)) as server:
        assert get(server, target, len(CONTENT), ear=ear) == server.url
    assert target.read_bytes() == CONTENT
    assert ear.steps[-1] == (len(CONTENT), len(CONTENT)) and not ear.said


def test_a_file_whose_length_is_not_told_arrives_too(target):
    def answer(request):
        request.head(200)
        request.wfile.write(CONTENT)

    with serving(answer) as server:
        get(server, target)
    assert target.read_bytes() == CONTENT


def test_a_cut_answer_is_continued_where_it_broke(target):
    ear = Ear()
    with serving(in_turn(lambda r: r.file(CONTENT, 1000), lambda r: r.file(CONTENT))) as server:
        get(server, target, ear=ear)
    first, second = (headers for _, headers in server.asked)
    assert "Range" not in first
    assert (second["Range"], second["If-Range"]) == ("bytes=1000-", '"v1"')
    assert target.read_bytes() == CONTENT
    assert "1000 of 6400 bytes" in ear.said[0] or "broke" in ear.said[0]


def test_the_next_run_continues_too(target):
    with serving(lambda r: r.file(CONTENT, 1000)) as server:
        url = server.url
        with pytest.raises(ModelError, match="gave up after 1 tries"):
            get(server, target, patience=Patience(2, 0.3, tries=1))
        assert target.stat().st_size == 1000
        server.answer = lambda r: r.file(CONTENT)
        assert get(server, target) == url
        assert server.asked[-1][1]["Range"] == "bytes=1000-"
    assert target.read_bytes() == CONTENT


def test_a_server_that_ignores_ranges_is_read_from_the_start(target):
    def whole(request):
        request.head(200, Content_Length=len(CONTENT), ETag='"v1"')
        request.wfile.write(CONTENT)

    with serving(in_turn(lambda r: r.file(CONTENT, 1000), whole)) as server:
        get(server, target)
    assert target.read_bytes() == CONTENT


def test_a_file_that_changed_meanwhile_is_read_from_the_start(target):
    newer = CONTENT[::-1]
    answers = (lambda r: r.file(CONTENT, 1000), lambda r: r.file(newer, etag='"v2"'))
    with serving(in_turn(*answers)) as server:
        get(server, target)
    assert target.read_bytes() == newer


def test_without_a_version_nothing_is_continued(target):
    def nameless(request):
        request.head(200, Content_Length=len(CONTENT), ETag='W/"weak"')
        request.wfile.write(CONTENT[: 1000 if len(server.asked) == 1 else None])

    with serving(nameless) as server:
        get(server, target)
    assert all("Range" not in headers for _, headers in server.asked)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    "span", ["bytes 999-6399/6400", "bytes 1000-6399/*", "pages 1000-6399/6400", ""]
)
def test_a_part_that_was_not_asked_for_is_not_appended(target, span):
    def other(request):
        if "Range" in request.headers:
            request.head(206, Content_Range=span, Content_Length=5400, ETag='"v1"')
            request.wfile.write(CONTENT[1000:])
        else:
            request.file(CONTENT, 1000 if len(server.asked) == 1 else None)

    with serving(other) as server:
        get(server, target)
    assert target.read_bytes() == CONTENT


def test_a_part_that_the_server_cannot_continue_is_dropped(target):
    answers = (
        lambda r: r.file(CONTENT, 1000),
        lambda r: r.head(416, Content_Range="bytes */500"),
        lambda r: r.file(CONTENT),
    )
    with serving(in_turn(*answers)) as server:
        get(server, target)
    assert target.read_bytes() == CONTENT


def test_a_busy_server_is_asked_again_and_a_missing_file_is_not(target):
    with serving(in_turn(lambda r: r.head(503), lambda r: r.file(CONTENT))) as server:
        get(server, target)
        assert len(server.asked) == 2
        PartialDownload(target).forget()
        server.answer = lambda r: r.head(404)
        with pytest.raises(ModelError, match=r"model.zip: the server answered 404 \(Not Found\)$"):
            get(server, target)
        assert len(server.asked) == 3
    assert not list(target.parent.iterdir())


@pytest.mark.parametrize("slow", ["silent", "dripping"])
def test_a_server_that_sleeps_or_drips_is_given_up(target, slow):
    def answer(request):
        if slow == "dripping":
            return request.drip(CONTENT[:40], 0.05)
        request.head(200, Content_Length=100)
        request.rfile.read(1)  # until the asker hangs up

    with serving(answer) as server, pytest.raises(ModelError, match="gave up after 2 tries"):
        get(server, target, patience=Patience(2, 0.2, tries=2, pause_seconds=0.01))


def test_nobody_there_is_one_sentence(target):
    with serving(lambda r: None) as server:
        pass
    with pytest.raises(
        ModelError, match="the connection broke .*; gave up after 2 tries"
    ) as caught:
        get(server, target, patience=Patience(1, 1, tries=2, pause_seconds=0.01))
    assert "\n" not in str(caught.value) and "object at 0x" not in str(caught.value)


def test_a_machine_without_internet_does_not_try_for_minutes(target, monkeypatch):
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ModelError, match="is there internet on this machine") as caught:
        download(("https://no-such-host.invalid/model.zip",), target, None, Ear())
    assert "no-such-host.invalid" in str(caught.value)


def test_a_wrong_size_is_noticed_at_once_and_an_endless_answer_in_the_end(target, monkeypatch):
    with serving(lambda r: r.file(CONTENT)) as server:
        with pytest.raises(ModelError, match="the file has 6400 bytes, expected 6399 bytes"):
            get(server, target, size=6399)
        monkeypatch.setattr("wirbel.models.fetching.fetch.MOST_BYTES", 5000)
        with pytest.raises(ModelError, match="the file has 6400 bytes, expected at most 5000"):
            get(server, target)

        def endless(request):
            request.head(200)
            while True:
                request.wfile.write(CONTENT)

        server.answer = endless
        with pytest.raises(ModelError, match="sent more than 5000 bytes"):
            get(server, target)
    assert not list(target.parent.iterdir())


def test_http_is_refused_without_asking(target):
    with serving(lambda r: r.file(CONTENT)) as server:
        with pytest.raises(ModelError, match="refused, because http://127.0.0.1 is not https"):
            download((server.url,), target, None, Ear(), QUICK)
        assert not server.asked
    for url in ("http://example.org/a.zip", "http://127.0.0.1.example.org/", "ftp://127.0.0.1/a"):
        with pytest.raises(ModelError):
            download((url,), target, None, Ear(), QUICK, allow_loopback=True)


@pytest.mark.parametrize("place", ["http://example.org/model.zip", "file:///etc/passwd"])
def test_a_redirect_away_from_https_is_not_followed(target, place):
    with serving(lambda r: r.head(302, Location=place)) as server:
        with pytest.raises(ModelError, match=r"model.zip: "):
            get(server, target)
        assert len(server.asked) == 1
    assert not target.exists()


def test_redirects_are_followed_but_not_for_ever(target):
    def moved(request):
        if request.path == "/there":
            return request.file(CONTENT)
        request.head(302, Location="/there" if not endless else "/model.zip")

    endless = False
    with serving(moved) as server:
        get(server, target)
        assert target.read_bytes() == CONTENT
        PartialDownload(target).forget()
        endless = True
        with pytest.raises(ModelError, match="redirects"):
            get(server, target)
    assert len(server.asked) < 20


def test_the_second_address_is_tried_when_the_first_does_not_work(target):
    with serving(lambda r: r.head(404)) as gone, serving(lambda r: r.file(CONTENT)) as mirror:
        urls = (gone.url, mirror.url)
        assert download(urls, target, None, Ear(), QUICK, allow_loopback=True) == mirror.url
    assert target.read_bytes() == CONTENT


def test_a_packed_transfer_is_not_unpacked(target):
    """What is hashed and stored is what the file holds, whatever encoding a server claims."""

    def claims(request):
        request.head(200, Content_Length=len(CONTENT), Content_Encoding="gzip")
        request.wfile.write(CONTENT)

    with serving(claims) as server:
        get(server, target)
        assert server.asked[0][1]["Accept-Encoding"] == "identity"
    assert target.read_bytes() == CONTENT
