"""A study of text files, for toy stages called in this process."""

from support.studies.batch_lists import update_batches
from support.studies.toy import parsed, plan_of
from wirbel.manifests.records import manifest_file, read_records
from wirbel.runner.loop import run_stage


class Study:
    """A data folder of text files in place of scans, an output folder, and two toy stages."""

    def __init__(self, folder):
        self.data, self.output = folder / "in", folder / "out"

    def scan(self, name, text):
        path = self.data / name / "anat" / f"{name}_T2w.nii"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def run(self, stage, **planned):
        """Run a stage by a plan (`toy.plan_of`); return (exit code, scan_id -> record)."""
        update_batches(self.data, self.output, 100)
        code = run_stage(stage, parsed(plan_of(self.output, **planned)))
        manifest = manifest_file(self.output, stage.name, "b00001")
        return code, read_records(manifest) if code == 0 else None
