"""What decides the results of a stage besides its input, and how to learn it of another stage."""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Any

from wirbel.errors import InfrastructureError
from wirbel.runner.keys import provenance_key


@dataclass(frozen=True)
class Recipe:
    """A stage with its code, parameters and model."""

    stage: str
    code: str
    parameters: dict[str, Any]
    model_sha256: str | None

    def key(self, source: str) -> str:
        """Return the provenance key of the result; `source` is the upstream key or content hash."""
        return provenance_key(self.stage, self.code, self.parameters, self.model_sha256, source)

    def as_text(self) -> str:
        """Return what `--describe` prints."""
        return json.dumps(asdict(self), sort_keys=True)


def ask(command: str, args: argparse.Namespace) -> Recipe:
    """Return the recipe of the stage that `command` would run, by running it with `--describe`.

    `args` are this stage's own; they stand in for the arguments that make no difference.
    """
    line = shlex.split(command, comments=True)
    if line[0] == "python":
        line[0] = sys.executable
    line += ["--describe", "--batch", args.batch, "--manifest", args.manifest]
    line += ["--output-dir", args.output_dir]
    answer = subprocess.run([str(part) for part in line], capture_output=True, text=True)
    if answer.returncode:
        last = (answer.stderr.strip().splitlines() or ["no message"])[-1]
        raise InfrastructureError(f"`{command}` cannot tell what it will do: {last}")
    return Recipe(**json.loads(answer.stdout.splitlines()[-1]))
