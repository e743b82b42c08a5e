"""A workflow on a real SLURM cluster, hit by random faults at random moments, must lose nothing.

    python tests/support/cluster/faults.py --results results/real.tsv --rounds 8 --faults 14 --stages real --scans 64
    python tests/support/cluster/faults.py --results results/toy.tsv --rounds 30

One round is a cohort in batches, run with profiles/slurm; while it runs, `--faults` faults are injected one after
another, then the same command is given until it succeeds. With toy stages that is a cohort of 8 texts, with real ones
`--scans` small simulated scans, four of them faulty (small_study.py), made once in the folder `--kept`. A round
counts as survived when tables, dictionaries, maps, sidecars and pictures are byte for byte those of an undisturbed
run, no scan is lost, every failed one has a reason, and nothing is computed again but what the interrupted jobs had
in hand. Every round is a line of the results; given again, the command goes on after the last one. Kinds
of faults take turns, moments and victims depend on the seed. Needs root, SLURM and the right to mount.
With --accounting the cluster has an accounting database, which is one more thing to fail.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, fields
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parents[2] / "workflow_scripts")]

from support.cluster.cluster import Cluster  # noqa: E402
from support.cluster.injections import FAULTS, FAULTS_WITH_ACCOUNTING  # noqa: E402
from support.cluster.rounds import Result, Round  # noqa: E402
from support.cluster.studies import RealStudy, Reference, ToyStudy  # noqa: E402

KEPT = Path("results") / "faults"


def study(args: argparse.Namespace, folder: Path, cluster: Cluster) -> ToyStudy | RealStudy:
    """Lay out what a round works on, its results on a small file system of their own."""
    if args.stages == "real":
        made = RealStudy(folder, cluster.environment, args.kept, args.scans, args.batch_size)
    else:
        made = ToyStudy(folder, cluster.environment)
    line = ["mount", "-t", "tmpfs", "-o", made.disk, "tmpfs", str(made.output)]
    subprocess.run(line, check=True)
    return made


def play_round(number: int, kinds: list[str], args: argparse.Namespace) -> Result:
    """Play a round on a cluster of its own; keep its logs when something was found."""
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    kept = args.results.with_suffix("") / f"round-{number}"
    result = None
    try:
        with Cluster(folder / "slurm", accounting=args.accounting) as cluster:
            made = study(args, folder, cluster)
            try:
                result = Round(number, kinds, args.seed, cluster, made).play()
            finally:
                made.stop()
            result.stages = args.stages
        return result
    finally:
        if result is None or result.findings or args.keep_logs:
            keep_logs(folder, kept)
        subprocess.run(["umount", "--lazy", folder / "out"], capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def keep_logs(folder: Path, kept: Path) -> None:
    """Copy what there is of a round's logs: also of one that broke off."""
    if (folder / "out" / "logs").is_dir():
        shutil.copytree(folder / "out" / "logs", kept / "logs", dirs_exist_ok=True)
    if (folder / "log.txt").is_file():
        kept.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "log.txt", kept)


def schedule(rounds: int, faults: int, seed: int, kinds: list[str]) -> list[list[str]]:
    """Return the kinds of each round; all kinds take turns, in an order that depends on the seed."""
    chance = random.Random(seed)
    order: list[str] = []
    while len(order) < rounds * faults:
        turn = list(kinds)
        chance.shuffle(turn)
        order += turn
    return [order[i * faults : (i + 1) * faults] for i in range(rounds)]


def summary(results: list[dict[str, str]]) -> str:
    """Return a table for people: how often each kind of fault was met, at which stages, and what was found."""
    faults = [word.split("@") for row in results for word in row["faults"].split()]
    met = [(kind, stages) for kind, stages in faults if "(" not in stages]
    kinds, at = (
        Counter(kind for kind, _ in met),
        Counter(s for _, all_ in met for s in all_.split("+")),
    )
    bad = [row for row in results if row["findings"]]
    again, computed, commands = (
        sum(int(row[name]) for row in results) for name in ("again", "computed", "commands")
    )
    lines = [f"{number:4}  {kind}" for kind, number in sorted(kinds.items())]
    lines += [f"{number:4}  while {stage} ran" for stage, number in sorted(at.items())]
    lines.append(
        f"{len(met)} faults in {len(results)} rounds, {commands} commands, {again} of {computed} computations "
        f"done again, findings in {len(bad)} rounds"
    )
    return "\n".join([*lines, *(f"round {row['round']}: {row['findings']}" for row in bad)])


def main(argv: list[str] | None = None) -> int:
    """Play the rounds that the results do not hold yet; 1 when something was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--faults", type=int, default=4, help="faults in a round")
    parser.add_argument("--stages", choices=("toy", "real"), default="toy")
    parser.add_argument("--scans", type=int, default=64, help="of a round with real stages")
    parser.add_argument("--batch-size", type=int, default=8, help="of a round with real stages")
    parser.add_argument("--kept", type=Path, default=KEPT, help="for what all real rounds share")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--accounting", action="store_true")
    parser.add_argument("--kinds", nargs="+", choices=FAULTS_WITH_ACCOUNTING)
    parser.add_argument("--minutes", type=float, default=1e6, help="begin no round after this")
    parser.add_argument("--keep-logs", action="store_true", help="also of rounds without findings")
    args = parser.parse_args(argv)
    args.kept = args.kept.absolute()
    kinds = args.kinds or list(FAULTS_WITH_ACCOUNTING if args.accounting else FAULTS)
    if args.stages == "real":
        Reference(args.kept, args.scans)  # made before the first round's cluster
    done = _read(args.results)
    end = time.monotonic() + 60 * args.minutes
    for number, round_kinds in enumerate(schedule(args.rounds, args.faults, args.seed, kinds)):
        if str(number) in {row["round"] for row in done} or time.monotonic() > end:
            continue
        result = play_round(number, round_kinds, args)
        _append(args.results, result)
        done = _read(args.results)
        print(asdict(result), flush=True)
    print(summary(done))
    return int(any(row["findings"] for row in done))


def _read(path: Path) -> list[dict[str, str]]:
    names = [field.name for field in fields(Result)]
    lines = path.read_text().splitlines()[1:] if path.exists() else []
    return [dict(zip(names, line.split("\t"), strict=True)) for line in lines]


def _append(path: Path, result: Result) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    head = "" if path.exists() else "\t".join(asdict(result)) + "\n"
    with open(path, "a") as stream:
        stream.write(
            head
            + "\t".join(str(value).replace("\t", " ") for value in asdict(result).values())
            + "\n"
        )


if __name__ == "__main__":
    sys.exit(main())
