"""The main process without Snakemake, and toy stages: a whole run takes a fraction of a second.

What has to run is decided by the workflow's own code (`wirbel.study.run`); jobs then run one after another in this
process, in the order in which Snakemake would start them. A stage's result is what it was made from, with the beginning
of its plan's fingerprint: so it tells by which settings, code and networks it was made.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from wirbel.errors import ScanError
from wirbel.io.atomic import write_text
from wirbel.manifests.batches import list_batches
from wirbel.manifests.findings import data_set_mark
from wirbel.manifests.receipts import (
    digest_of_seals,
    pictures_receipt,
    read_seals,
    write_receipt,
)
from wirbel.manifests.records import OK, manifest_file, read_records
from wirbel.plan.chain import READS_ALSO
from wirbel.plan.plan import Plan, Wishes, plan_file, read_plan
from wirbel.runner.arguments import stage_arguments
from wirbel.runner.loop import run_stage
from wirbel.study.decision.tables import stages_of
from wirbel.study.listing.acceptance import doubts
from wirbel.study.run import Run, look
from wirbel.study.settings.run_settings import checked_settings

CONFIG = Path(__file__).parents[3] / "config"
GATHERED = {
    "cohort": "cohort/scans.csv",
    "contact_sheet": "qc/contact_sheet.png",
    "report": "qc/index.html",
}
READ_SCAN = ("resample", "merge", "features")


class Stopped(Exception):
    """The run asked a person to look first."""


class ToyStage:
    """Adds its mark to what the stage before made of a scan."""

    def __init__(self, name: str, before: str | None, mark: str) -> None:
        self.name, self.before, self.mark = name, before, mark
        self.reads_scan = name in READ_SCAN
        self.reads = READS_ALSO.get(name, ())

    def prepare(self):
        pass

    def load(self, scan, folders):
        for stage in self.reads:
            place_of(stage, scan, folders).read_text()
        source = place_of(self.before, scan, folders) if self.before else scan.path
        try:
            return scan.scan_id, source.read_bytes().decode("ascii")
        except ValueError as error:
            raise ScanError("unreadable", f"{source.name}: {error}") from error

    def compute(self, inputs):
        scan_id, text = inputs
        if "broken" in text:
            raise ScanError("unreadable", f"{scan_id} is broken")
        return f"{text} {self.mark}"

    def save(self, scan, result, folders):
        path = place_of(self.name, scan, folders)
        write_text(path, result)
        return [path]


def place_of(stage, scan, folders) -> Path:
    """Return where a stage puts its result: the merged maps into the results, all else into `work`."""
    if stage == "merge":
        return folders.anat(scan) / f"{scan.scan_id}_map.txt"
    return folders.stage(stage) / f"{scan.scan_id}.txt"


@cache
def _defaults() -> dict:
    return yaml.safe_load((CONFIG / "config.yaml").read_text())


def settings_of(bids_dir: Path, output_dir: Path | str, **chosen):
    """Return settings as the command line gives them."""
    config = {**_defaults(), "bids_dir": str(bids_dir), "output_dir": str(output_dir)} | chosen
    return checked_settings(config, CONFIG / "schemas" / "config.schema.json")


def command(bids_dir: Path, output_dir: Path | str, **chosen) -> Run:
    """Do what the user's command does; raises Stopped where it would ask first."""
    settings = settings_of(bids_dir, output_dir, **chosen)
    run = look(settings, Wishes(settings.retry_failed, settings.recompute))
    doubt = "" if settings.accept_changes else doubts(Path(output_dir), run.plan, run.found)
    if doubt:
        raise Stopped(doubt)
    run.carry_out()
    plan = read_plan(plan_file(output_dir))
    for stage in plan.stages:
        for batch in run.found.batches:
            if run.decision.runs(stage.stage, batch):
                _job(Path(output_dir), plan, stage.stage, batch)
    for batch in run.pictures:
        _draw(Path(output_dir), plan, batch)
    for table, causes in run.tables.items():
        if causes:
            _gather(Path(output_dir), plan, table)
    return run


def _job(output_dir: Path, plan: Plan, name: str, batch: str) -> None:
    stage = ToyStage(name, plan.before(name), plan.stage(name).fingerprint[:4])
    args = stage_arguments(name, None, ["--plan", str(plan_file(output_dir)), "--batch", batch])
    assert run_stage(stage, args) == 0


def _draw(output_dir: Path, plan: Plan, batch: str) -> None:
    seals = read_seals(output_dir, plan, plan.names[-2:], [batch])
    path = output_dir / "work" / "pictures" / f"{batch}.json"
    write_text(path, batch)
    made_by, made_from = plan.stage("pictures").fingerprint, digest_of_seals(seals)
    write_receipt(output_dir, pictures_receipt(batch), made_by, made_from, [path])


def _gather(output_dir: Path, plan: Plan, table: str) -> None:
    stages = stages_of(plan, table)
    seals = read_seals(output_dir, plan, stages)
    path = output_dir / GATHERED[table]
    people = Path(plan.bids_dir, "participants.tsv")
    rows = [f"{scan},{value}" for scan, value in values(output_dir, plan, stages[-1]).items()]
    rows += people.read_text().splitlines() if people.exists() and table != "contact_sheet" else []
    write_text(path, "\n".join([*rows, ""]))
    mark = data_set_mark(output_dir.resolve()) if table != "contact_sheet" else ""
    made_by, made_from = plan.stage(table).fingerprint, digest_of_seals(seals, mark)
    write_receipt(output_dir, table, made_by, made_from, [path])


def values(output_dir: Path, plan: Plan, stage: str) -> dict[str, str]:
    """Return scan -> result or reason at a stage, by name."""
    found = {}
    for batch in list_batches(output_dir):
        for record in read_records(manifest_file(output_dir, stage, batch)).values():
            text = record.reason
            if record.status == OK:
                text = (output_dir / record.outputs[0]).read_text()
            found[record.scan_id] = text
    return dict(sorted(found.items()))
