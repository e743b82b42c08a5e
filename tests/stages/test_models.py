"""`wirbel.stages.models`: from an address in the registry to a network in the models folder, or a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support.models.file_server import model_files, serving, sha256, zipped

from wirbel.models.registry import ModelError, find_model
from wirbel.plan.networks import identified
from wirbel.stages import models

REPOSITORY = Path(__file__).parents[2]
GOOD = zipped(model_files("T2w_semantic/"))


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A checkout whose registry names one network on a server of ours."""
    monkeypatch.delenv("WIRBEL_MODELS_DIR", raising=False)
    with serving(lambda request: request.file(GOOD)) as server:
        yield Site(tmp_path / "checkout", server)


class Site:
    def __init__(self, root: Path, server) -> None:
        self.server, self.registry = server, root / "config" / "models.yaml"
        self.registry.parent.mkdir(parents=True)
        self.models = root / "models" / "fetched"
        self.publishes(url=server.url)

    def publishes(self, **changes) -> None:
        """Write the registry."""
        described = {"licence": "MIT", "citation": "A. Author", "modality": ["T2w"]}
        entry = {"url": self.server.url, "sha256": None, "size": None, **described, **changes}
        shared = {"semantic": "theirs"}
        self.registry.write_text(yaml.safe_dump({"theirs": {"semantic": entry}, "also": shared}))

    def run(self, action="fetch", *wanted: str) -> int:
        line = [action, *(wanted or ("theirs",)), "--registry", str(self.registry)]
        return models.main([*line, "--allow-http-loopback"])

    def folder(self, content: bytes = GOOD) -> Path:
        return self.models / f"theirs-semantic-{sha256(content)[:16]}"

    def left(self) -> set[str]:
        """Return what lies in the models folder, its own lock left aside."""
        return {path.name for path in self.models.iterdir()} - {models.LOCK_NAME}


def test_the_first_fetch_records_what_it_got_and_shows_it(site, capsys):
    assert site.run() == 0
    told = capsys.readouterr()
    assert f"SHA-256 {sha256(GOOD)}" in told.err and "must match" in told.err
    assert "theirs          semantic   fetched 20" in told.out
    recorded = yaml.safe_load((site.models / "models.lock.yaml").read_text())["theirs"]["semantic"]
    assert recorded["sha256"] == sha256(GOOD) and recorded["size"] == len(GOOD)
    assert set(recorded["files"]) == {"inference_config.json", "fold_0/weights.ckpt"}
    assert site.left() == {"models.lock.yaml", site.folder().name}, "no archive, no part"


def test_a_fetched_network_is_found_by_name_with_no_network_at_all(site):
    site.run()
    site.server.answer = None  # any question would now fail
    asked = len(site.server.asked)
    model = find_model("also", "semantic", site.registry)
    assert model.folder == site.folder() / "T2w_semantic", "the folder inside the archive"
    assert model.config.spacing_mm == (1.0, 1.0, 3.0)
    assert find_model(str(model.folder), "semantic").sha256 == model.sha256
    assert identified("also", "semantic", site.registry) == model
    assert site.run() == 0 and len(site.server.asked) == asked, "nor does fetching it again ask"


def test_a_network_that_was_not_fetched_is_told_how_to_get(site, monkeypatch):
    said = r"has not been fetched to .*models/fetched; .* --config models=theirs -- models"
    for look in (find_model, identified):
        with pytest.raises(ModelError, match=said):
            look("also", "semantic", site.registry)
    monkeypatch.setenv("WIRBEL_MODELS_DIR", "/shared/our models")
    with pytest.raises(
        ModelError, match=r"models=theirs models_dir='/shared/our models' -- models"
    ):
        find_model("theirs", "semantic", site.registry)


def test_files_at_the_top_of_an_archive_are_a_model_too(site):
    content = zipped({**model_files(), "README.md": b"a card"})
    site.server.answer = lambda request: request.file(content)
    assert site.run() == 0
    assert find_model("theirs", "semantic", site.registry).folder == site.folder(content)


def test_another_file_at_the_same_address_is_refused_later(site, capsys):
    """The models folder was emptied, the record of what was fetched stayed."""
    site.run()
    (site.folder() / "T2w_semantic" / "inference_config.json").unlink()
    other = zipped(model_files(weights=b"poisoned"))
    site.server.answer = lambda request: request.file(other)
    assert site.run() == 1
    told = capsys.readouterr().err
    assert f"SHA-256 is {sha256(other)}" in told and f"models.lock.yaml says {sha256(GOOD)}" in told
    assert not site.folder(other).exists() and not list(site.models.glob("*.partial*"))


def test_a_digest_in_the_registry_decides_from_the_start(site, capsys):
    site.publishes(sha256="0" * 64)
    assert site.run() == 1
    assert f"config/models.yaml says {'0' * 64}" in capsys.readouterr().err
    assert not site.left()
    site.publishes(sha256=sha256(GOOD), size=len(GOOD))
    assert site.run() == 0


def test_a_new_version_in_the_registry_is_another_network(site):
    site.run()
    newer = zipped(model_files(weights=b"newer"))
    site.server.answer = lambda request: request.file(newer)
    site.publishes(url=site.server.url.replace("model.zip", "v2/model.zip"))
    with pytest.raises(ModelError, match="has not been fetched"):
        find_model("theirs", "semantic", site.registry)
    assert site.run() == 0
    assert find_model("theirs", "semantic", site.registry).folder == site.folder(newer)
    assert site.folder().is_dir(), "a run that still uses the old one is not disturbed"


def test_a_damaged_network_is_refused_and_fetched_again(site, capsys):
    site.run()
    weights = site.folder() / "T2w_semantic" / "fold_0" / "weights.ckpt"
    weights.write_bytes(b"Weights")
    with pytest.raises(ModelError, match=r"weights.ckpt was changed or damaged"):
        find_model("theirs", "semantic", site.registry)
    assert site.run("verify") == 1
    assert site.run() == 0
    assert weights.read_bytes() == b"weights"
    assert site.run("verify") == 0


BAD = {
    "truncated zip": (GOOD[:-40], "not a complete zip file"),
    "no archive": (b"<html>Sign in</html>", "not a complete zip file"),
    "no model": (zipped({"a/readme.txt": b""}), "expected inference_config.json, found a"),
    "unknown field": (
        zipped({"inference_config.json": b'{"colour": "red"}'}),
        "inference_config.json: unknown field 'colour'",
    ),
    "outside": (zipped({**model_files(), "../evil": b""}), "refused at '../evil'"),
    "twice": (zipped({**model_files(), "FOLD_0/weights.ckpt": b""}), "occurs twice"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_archive_is_refused_in_one_sentence_and_leaves_nothing(site, capsys, name):
    content, sentence = BAD[name]
    site.server.answer = lambda request: request.file(content)
    assert site.run() == 1
    (told,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("models: ")]
    assert told.startswith(f"models: theirs semantic: {site.server.url}: ") and sentence in told
    assert not site.left()
    assert not (site.models.parent / "evil").exists()


def test_http_is_for_tests_only(site, capsys):
    assert models.main(["fetch", "theirs", "--registry", str(site.registry)]) == 1
    assert "is not https" in capsys.readouterr().err
    assert not site.server.asked


def test_a_shared_folder_that_may_only_be_read_is_enough(site, capsys):
    """Root may write everywhere, so the folder's rights are watched instead: nothing in it changes."""
    site.run()
    (site.models / models.LOCK_NAME).unlink()
    before = [(p, p.stat().st_mtime_ns) for p in sorted([site.models, *site.models.rglob("*")])]
    assert site.run() == 0 and site.run("verify") == 0 and site.run("list") == 0
    find_model("theirs", "semantic", site.registry)
    assert before == [
        (p, p.stat().st_mtime_ns) for p in sorted([site.models, *site.models.rglob("*")])
    ]


def test_a_folder_that_cannot_be_used_is_one_sentence(site, capsys):
    site.models.parent.mkdir()
    site.models.write_text("a file in the way")
    assert site.run() == 1
    assert (
        f"models: cannot read {site.models}/models.lock.yaml: Not a directory"
        in capsys.readouterr().err
    )


def test_a_full_disk_is_one_sentence(site, capsys, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("wirbel.models.fetching.install.unpack", full)
    assert site.run() == 1
    assert f"cannot write to {site.models}: No space left on device" in capsys.readouterr().err
    assert not site.left()


def test_two_fetchers_at_once_download_once(site):
    line = [sys.executable, "-m", "wirbel.stages.models", "fetch", "theirs"]
    line += ["--registry", str(site.registry), "--allow-http-loopback"]
    site.server.answer = lambda request: request.drip(GOOD, 0.001)
    path = str(REPOSITORY / "workflow_scripts")
    both = [
        subprocess.Popen(
            line, env={**os.environ, "PYTHONPATH": path}, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    told = [process.communicate(timeout=60)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert len(site.server.asked) == 1
    assert any("waiting for process" in text for text in told)


def test_what_a_killed_process_left_is_swept(site):
    (site.models / ".unpacking-123-theirs" / "half").mkdir(parents=True)
    assert site.run() == 0
    assert site.left() == {"models.lock.yaml", site.folder().name}


def test_a_damaged_record_is_a_sentence_not_a_path_to_anywhere(site, capsys):
    site.run()
    record = site.models / "models.lock.yaml"
    record.write_text(record.read_text().replace("folder: theirs", "folder: ../../theirs"))
    assert site.run() == 1
    assert "A path inside the folder, without `..`." in capsys.readouterr().err


def test_a_folder_is_verified_only(site, tmp_path, capsys):
    for name, content in model_files().items():
        path = tmp_path / "own" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    assert site.run("fetch", f"semantic={tmp_path / 'own'}") == 0
    assert "semantic: verified" in capsys.readouterr().err
    assert site.run("fetch", "semantic=nowhere") == 1
    assert "'nowhere' is neither a model" in capsys.readouterr().err
    assert not site.server.asked


def test_the_log_gets_the_same_account_without_a_bar(site, tmp_path):
    line = ["fetch", "theirs", "--registry", str(site.registry), "--allow-http-loopback"]
    assert models.main([*line, "--log", str(tmp_path / "log")]) == 0
    assert f"SHA-256 {sha256(GOOD)}" in (tmp_path / "log").read_text()
