"""The case `labelling` of `make parity`: labelling networks in the published format through both tools.

For every network: whether all vertebrae get the same levels, the Dice of vertebrae and subregions, and by how much
at most the network's input and its probabilities differ between the tools, as they come about and on SPINEPS'
inputs. Then the search for a sequence alone, on random and on plausible probabilities.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from parity import paths as parity_paths
from parity import scans as parity_scans
from parity import scores as parity_scores
from parity.labelling_models import VARIANTS, write_labelling
from parity.runs import ask_spineps, digests, maps_of, plan_run, refused, run_mode, stage
from wirbel.core.labels import LEVEL_NAMES
from wirbel.learning.labelling.labelling_model import LabellingModel
from wirbel.models.folders.labelling import find_checkpoint
from wirbel.stages.label import cutouts_of, read_counted

KINDS = ("subregion", "vertebra")


@dataclass(frozen=True)
class Answers:
    """What a tool's network was shown, (vertebrae, P, I, R), and its probabilities by head."""

    inputs: np.ndarray
    heads: dict[str, np.ndarray]

    def difference(self, other: Answers) -> tuple[float, float]:
        """Return the largest difference of inputs and of probabilities; not a number where shapes differ."""
        pairs = [(self.inputs, other.inputs)]
        heads = [(values, other.heads[head]) for head, values in self.heads.items()]
        return _largest(pairs), _largest(heads)


def compare(args, name: str, folder: Path, models, n4: int) -> tuple[dict, list[tuple]]:
    """Run both tools with every network on a folder's scans; return the comparisons by mode, and no times."""
    scans, out = parity_scans.scans_in(folder), args.work / name
    networks = {
        variant: write_labelling(args.work / "models" / f"labelling-{variant}", settings)
        for variant, settings in VARIANTS.items()
    }
    _ask_spineps(args, models, networks, scans, n4, out / "spineps")
    found: dict[str, list] = {}
    for mode in args.modes:
        first = next(iter(networks.values()))
        ours, _ = run_mode(args, models, n4, mode, folder, out, first)
        print(f"\n{name}, Wirbel with compatibility: {mode}")
        for variant, network in networks.items():
            plan_run(ours, folder, models, n4, mode, network)
            _label(args, ours)
            results = _compared(scans, out / "spineps", variant, ours)
            found.setdefault(mode, []).extend(results)
            for result in results:
                if result.left_out:
                    print(f"  {result.name}, {variant}: not compared, {result.left_out}")
                    continue
                _tell(variant, result, out / "spineps", ours, network, scans[result.name])
    parity_paths.compare(args, out)
    return found, []


def _ask_spineps(args, models, networks, scans, n4: int, out: Path) -> None:
    task = {
        "semantic": str(models["semantic"][0].resolve()),
        "instance": str(models["instance"][0].resolve()),
        "labelling": {variant: str(path.resolve()) for variant, path in networks.items()},
        "sha256": digests(models) | {name: sha256(path) for name, path in networks.items()},
        "scans": {name: str(path) for name, path in scans.items()},
        "out": str(out.resolve()),
        "n4": bool(n4),
        "threads": args.threads,
    }
    ask_spineps(args, out, task, "labelling_spineps", "scans")


def sha256(folder: Path) -> str:
    """Return the digest of a network's weights, so that those of other ones are not taken for its answers."""
    return hashlib.sha256(find_checkpoint(folder).read_bytes()).hexdigest()


def _label(args, out: Path) -> None:
    """Run Wirbel's stage `label` with the planned network, anew."""
    shutil.rmtree(out / "work" / "label", ignore_errors=True)
    stage("label", args, out)


def _compared(scans, theirs: Path, variant: str, ours: Path) -> list[parity_scores.Scan]:
    maps = {
        name: {kind: theirs / f"{name}_{variant}_{kind}.nii.gz" for kind in KINDS} for name in scans
    }
    return parity_scores.compare(scans, maps, maps_of(ours, scans), True, refused(ours))


def _tell(
    variant: str, result: parity_scores.Scan, theirs: Path, ours: Path, network, scan
) -> None:
    """Print a network's line."""
    file = np.load(theirs / f"{result.name}_{variant}_answers.npz")
    heads = {key.removeprefix("head-"): file[key] for key in file if key.startswith("head-")}
    other = Answers(file["inputs"], heads)
    model = LabellingModel(network, "cpu")
    same = Answers(other.inputs, model.classify(other.inputs))
    counted, _ = read_counted(ours / "work" / "merge" / result.name)
    cutouts = cutouts_of(scan, counted, model.wanted)
    shown = np.stack(list(cutouts.values()))
    own = Answers(shown, model.classify(shown))
    inputs, answers = own.difference(other)
    dice = ", ".join(f"{LEVEL_NAMES[n]} {value:.4f}" for n, value in result.vertebrae.items())
    levels = "equal" if result.same_levels else "differ: {} and {}".format(*result.names)
    lowest = [min(d.values(), default=1.0) for d in (result.subregions, result.others)]
    print(
        f"  {result.name}, {variant}: levels {levels}; Dice {dice}; "
        f"lowest of a subregion {lowest[0]:.4f}, of a disc or endplate {lowest[1]:.4f}; "
        f"largest difference of inputs {inputs:.1e}, of probabilities {answers:.1e}, "
        f"on the same inputs {same.difference(other)[1]:.1e}"
    )


def _largest(pairs) -> float:
    if any(a.shape != b.shape for a, b in pairs):
        return float("nan")
    return max(float(np.abs(a - b).max()) for a, b in pairs)
