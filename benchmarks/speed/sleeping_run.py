"""The job of both networks on a device that sleeps: `sleeping_run.py ANSWERS SECONDS SECONDS [the job's arguments]`.

Imports no more than the job itself, whose start is part of what is measured.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

JOB = ("semantic", "instance")

if __name__ == "__main__":
    answers, *seconds, arguments = *sys.argv[1:4], sys.argv[4:]
    naps: list[dict[str, float]] = []
    found = dict(np.load(answers))

    def sleep(number: int) -> None:
        """Sleep as one of the networks; note when, and how much CPU time the job had taken by then."""
        begun, cpu_s = time.time(), time.process_time()
        time.sleep(float(seconds[number]))
        naps.append({"begun": begun, "ended": time.time(), "cpu_s": cpu_s})

    def segment(self, given, shape):
        """Stand for the semantic network."""
        from wirbel.learning.semantic.semantic_model import Segmented

        sleep(0)
        return Segmented(found["labels"], np.ones_like(found["labels"]))

    def predict(self, cutouts):
        """Stand for the instance network."""
        sleep(1)
        return found["votes"]

    from wirbel.stages.__main__ import main
    from wirbel.stages.instance import InstanceStage
    from wirbel.stages.semantic import SemanticStage

    def replaced(stage, name: str, stand_in) -> None:
        """Let a stage's network, once it is loaded, answer by a stand-in."""
        load = stage.prepare

        def prepare(self):
            load(self)
            setattr(type(self.network), name, stand_in)

        stage.prepare = prepare

    replaced(SemanticStage, "segment_with_margins", segment)
    replaced(InstanceStage, "predict", predict)
    code = main([*JOB, *arguments])
    Path(answers).with_suffix(".json").write_text(
        json.dumps({"naps": naps, "cpu_s": time.process_time()})
    )
    sys.exit(code)
