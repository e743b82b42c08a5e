"""The stage ingest on a table of deliveries, as a run drives it."""

from support.studies import planned
from wirbel.manifests.records import read_records
from wirbel.plan.checks import levels_of
from wirbel.stages import ingest
from wirbel.study.listing.dataset import look_up
from wirbel.study.listing.discovery import plan_batches
from wirbel.study.sources.source_settings import source_of

BATCH = "b00001"


class Study:
    """A table of deliveries and an output folder."""

    def __init__(self, folder):
        self.folder, self.out, self.rows = folder / "in", folder / "out", []
        self.folder.mkdir()

    def deliver(self, participant, path, session=""):
        self.rows.append(f"{participant}\t{session}\t{path.relative_to(self.folder)}")
        return path

    @property
    def table(self):
        path = self.folder / "scans.tsv"
        path.write_text("\n".join(["participant_id\tsession_id\tpath", *self.rows]) + "\n")
        return str(path)

    def run(self, stage=ingest, **settings):
        told = {"dicom": True, "scans": self.table, **settings}
        plain = {"suffix": "T2w", "filter": {}, "where": {}, "one_per_session": False}
        source = source_of({**plain, **told})
        levels = levels_of(told.get("checks", {}), dicom=source.dicom)
        data = look_up(self.folder, self.out, source=source, levels=levels)
        problems = data.doubts.problems
        plan_batches(self.folder, self.out, 500, (), data.scans, problems=problems).write()
        data.write(self.out)
        assert planned.run(stage, self.out, planned.BUILTIN, batch=BATCH, **told) == 0
        return self.records(stage.__name__.rpartition(".")[2])

    def records(self, stage):
        return read_records(self.out / "work" / stage / f"{BATCH}.tsv")
