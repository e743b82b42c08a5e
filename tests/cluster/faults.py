"""A workflow on a real SLURM cluster, hit by random faults at random moments, must lose nothing.

    python tests/cluster/faults.py --rounds 30 --seed 1 --results results/faults.tsv

One round is a cohort of toy scans in batches, run with profiles/slurm; while it runs, `--faults` faults are injected
one after another, then the same command is given until it succeeds. It counts as survived when the tables are byte
for byte those of an undisturbed run, no scan is lost, and nothing is computed again but what the interrupted jobs had
in hand. Every round is a line of the results; given again, the command goes on after the last one. Kinds of
faults take turns, moments and victims depend on the seed. Needs root, SLURM and (for the full disk) the right to mount.
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
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "workflow"), str(HERE.parents[1] / "workflow_scripts")]

from cluster import Cluster  # noqa: E402
from injections import FAULTS, ORDERED, run_later  # noqa: E402
from toy_cluster import ClusterWorkflow, cluster_workflow  # noqa: E402
from toy_workflow import CHAIN  # noqa: E402

SCANS, BATCH_SIZE = 8, 4
SECONDS_PER_SCAN = 0.4
IN_HAND = 2
"""Scans that an interrupted job may compute again: the one being computed, the one being written."""
MOST_RESTARTS = 12
HUNG_SECONDS = 400
DISK = "size=12m"
BETWEEN_SECONDS = (0.5, 9.0)


@dataclass
class Result:
    """A row of the results."""

    round: int
    faults: str
    seconds: float = 0.0
    commands: int = 0
    computed: int = 0
    again: int = 0
    again_allowed: int = 0
    findings: str = ""


class Round:
    """One run of the workflow with its faults."""

    def __init__(
        self,
        number: int,
        kinds: list[str],
        seed: int,
        cluster: Cluster,
        folder: Path,
        disk: str | None = DISK,
    ) -> None:
        self.cluster, self.kinds = cluster, kinds
        self.chance = random.Random(f"{seed} {number}")
        self.result = Result(number, "")
        self.findings: list[str] = []
        self.workflow = _study(folder, cluster, disk)
        self.log = open(folder / "log.txt", "w")  # noqa: SIM115
        self.repairs = []
        self.main: subprocess.Popen

    def play(self) -> Result:
        """Run, inject, run to the end, judge."""
        began = time.monotonic()
        self._command()
        for kind in self.kinds:
            self._pause(self.chance.uniform(*BETWEEN_SECONDS))
            self._await_jobs()
            self._inject(kind)
        for repair in self.repairs:
            repair.join()
        self._finish()
        self._judge()
        self.result.seconds = round(time.monotonic() - began, 1)
        self.result.findings = "; ".join(self.findings)
        self.log.close()
        return self.result

    def complain(self, finding: str) -> None:
        self.findings.append(" ".join(finding.split()))

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        self.repairs.append(run_later(seconds, act))

    def restart(self) -> None:
        """Wait for the main process and give the command again, not always at once."""
        self._wait()
        time.sleep(self.chance.choice((0.0, 1.0, 4.0)))
        self._command()

    def _command(self) -> None:
        self.result.commands += 1
        print(f"=== command {self.result.commands}", file=self.log, flush=True)
        self.main = self.workflow.start(
            sleep=SECONDS_PER_SCAN, output=self.log, batch_size=BATCH_SIZE
        )

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.main.poll() is None:
            time.sleep(0.1)
        if self.main.poll() not in (None, 0):
            self.restart()

    def _await_jobs(self) -> None:
        """Let a run come to its first or next job."""
        while self.main.poll() is None and not self.cluster.jobs():
            time.sleep(0.2)

    def _inject(self, kind: str) -> None:
        print(f"=== fault {kind}", file=self.log, flush=True)
        ended = self.main.poll() is not None
        self.result.faults += (
            f"{' ' if self.result.faults else ''}{kind}{'(ended)' if ended else ''}"
        )
        self.result.again_allowed += IN_HAND * FAULTS[kind](self)

    def _wait(self) -> int:
        try:
            return self.main.wait(HUNG_SECONDS)
        except subprocess.TimeoutExpired:
            self.complain(f"the main process hung for {HUNG_SECONDS} s")
            self.main.kill()
            return self.main.wait()

    def _finish(self) -> None:
        """Give the command until it has nothing left to do."""
        for order in self.workflow.trouble.glob("[a-z]*"):  # no job was left to take it
            order.unlink()
            kind = ORDERED[order.name.partition("@")[0]]
            self.result.faults = self.result.faults.replace(kind, f"{kind}(ended)", 1)
        while self._wait() != 0 or self._left():
            if self.result.commands > MOST_RESTARTS:
                self.complain("it never came to an end")
                return
            self._command()

    def _left(self) -> bool:
        told = self.workflow.run("--dry-run", batch_size=BATCH_SIZE)
        print(told, file=self.log, flush=True)
        return "Nothing to be done" not in told

    def _judge(self) -> None:
        output, texts = self.workflow.output, self.workflow.texts
        computed = Counter(self.workflow.computed())
        replaced = self.workflow.replaced
        expected = {f"{stage} {scan}" for stage in CHAIN for scan in texts}
        expected -= {f"{stage} sub-03" for stage in CHAIN[1:]}  # fails at the first stage
        again = {
            what: number - 1
            for what, number in computed.items()
            if number > 1 and what.split()[1] not in replaced
        }
        self.result.computed = sum(computed.values())
        self.result.again = sum(again.values())
        if self.result.again > self.result.again_allowed:
            self.complain(f"computed again: {again}")
        if set(computed) != expected:
            self.complain(f"not computed, or too much: {sorted(set(computed) ^ expected)}")
        table = (output / "cohort" / "scans.csv").read_text() if output.exists() else ""
        if table != _undisturbed(texts):
            self.complain(f"the table differs: {table!r}")
        if left := self.cluster.jobs():
            self.complain(f"jobs left in the queue: {left}")


class Study(ClusterWorkflow):
    """The toy workflow with its scans."""

    texts: dict[str, str]
    replaced: set[str]

    def replace(self, scan: str, text: str) -> None:
        """Write a scan's file anew, in one step."""
        path = self.scan(f"{scan}", self.texts[scan])
        new = path.with_name("new")
        new.write_text(text)
        new.replace(path)
        self.texts[scan] = text
        self.replaced.add(scan)


def _study(folder: Path, cluster: Cluster, disk: str | None) -> Study:
    workflow = cluster_workflow(folder, cluster.environment)
    workflow.__class__ = Study
    names = [f"sub-{number:02}" for number in range(SCANS)]
    workflow.texts = {name: "broken" if name == "sub-03" else name for name in names}
    workflow.replaced = set()
    for name, text in workflow.texts.items():
        workflow.scan(name, text)
    workflow.output.mkdir()
    if disk:
        subprocess.run(["mount", "-t", "tmpfs", "-o", disk, "tmpfs", workflow.output], check=True)
    return workflow


def _undisturbed(texts: dict[str, str]) -> str:
    """Return scans.csv as a run without faults writes it (tests/workflow/test_toy_chain.py holds it to that)."""
    rows = [
        f"{scan},{'unreadable' if 'broken' in text else text + 'RSIMF'}\n"
        for scan, text in sorted(texts.items())
    ]
    return "scan_id,value\n" + "".join(rows)


def play_round(number: int, kinds: list[str], seed: int, kept: Path | None) -> Result:
    """Play a round on a cluster of its own; keep its logs when something was found."""
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    try:
        with Cluster(folder / "slurm") as cluster:
            made = Round(number, kinds, seed, cluster, folder)
            try:
                result = made.play()
            finally:
                made.workflow.stop()
        if result.findings and kept:
            kept.mkdir(parents=True, exist_ok=True)
            shutil.copy(folder / "log.txt", kept / f"round-{number}.txt")
        return result
    finally:
        subprocess.run(["umount", "--lazy", folder / "out"], capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


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
    """Return a table for people: how often each kind of fault was met, and in how many rounds something was found."""
    met = Counter(kind for row in results for kind in row["faults"].split() if "(" not in kind)
    lines = [f"{number:4}  {kind}" for kind, number in sorted(met.items())]
    bad = [row for row in results if row["findings"]]
    again = sum(int(row["again"]) for row in results)
    lines.append(
        f"{sum(met.values())} faults in {len(results)} rounds, {again} scans computed again, "
        f"findings in {len(bad)} rounds"
    )
    return "\n".join([*lines, *(f"round {row['round']}: {row['findings']}" for row in bad)])


def main(argv: list[str] | None = None) -> int:
    """Play the rounds that the results do not hold yet; 1 when something was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--faults", type=int, default=4, help="faults in a round")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--kinds", nargs="+", choices=FAULTS, default=list(FAULTS))
    parser.add_argument("--minutes", type=float, default=1e6, help="begin no round after this")
    args = parser.parse_args(argv)
    done = _read(args.results)
    end = time.monotonic() + 60 * args.minutes
    for number, kinds in enumerate(schedule(args.rounds, args.faults, args.seed, args.kinds)):
        if str(number) in {row["round"] for row in done} or time.monotonic() > end:
            continue
        result = play_round(number, kinds, args.seed, args.results.with_suffix(""))
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
