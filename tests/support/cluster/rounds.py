"""One round: a run of the workflow on a cluster, hit by faults, given again until it succeeds, and judged."""

from __future__ import annotations

import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from support.cluster.cluster import Cluster
from support.cluster.cluster_workflow import ClusterWorkflow
from support.cluster.injections import FAULTS_WITH_ACCOUNTING, run_later

IN_HAND = 2
"""Scans that an interrupted job may compute again: the one being computed, the one being written."""
MOST_RESTARTS = 20
HUNG_SECONDS = 400
"""A main process counts as hung when for so long no scan was computed and no job came or went."""


@dataclass
class Result:
    """A row of the results. `faults` are words KIND@STAGES: the stages whose jobs were met or running."""

    round: int
    stages: str = ""
    faults: str = ""
    seconds: float = 0.0
    commands: int = 0
    scans: int = 0
    computed: int = 0
    again: int = 0
    again_allowed: int = 0
    findings: str = ""


@dataclass
class Fault:
    """One that was injected: `serial` where a job was ordered to bring it upon itself."""

    kind: str
    stages: str
    serial: str = ""
    ended: bool = False


class Round:
    """One run of the workflow with its faults."""

    def __init__(
        self, number: int, kinds: list[str], seed: int, cluster: Cluster, study: ClusterWorkflow
    ) -> None:
        self.cluster, self.workflow, self.kinds = cluster, study, kinds
        self.chance = random.Random(f"{seed} {number}")
        self.result = Result(number)
        self.findings: list[str] = []
        self.faults: list[Fault] = []
        self.serial = ""
        self.expected = len(study.expected())
        self.log = open(study.folder.parent / "log.txt", "w")  # noqa: SIM115
        self.repairs = []
        self.main: subprocess.Popen

    def play(self) -> Result:
        """Run, inject, run to the end, judge."""
        began = time.monotonic()
        self._command()
        for kind, moment in zip(self.kinds, self._moments(), strict=True):
            self._await(moment)
            self._inject(kind)
        for repair in self.repairs:
            repair.join()
        self._finish()
        self._judge()
        self.result.seconds = round(time.monotonic() - began, 1)
        self.result.faults = " ".join(map(_told, self.faults))
        self.result.findings = "; ".join(self.findings)
        self.log.close()
        return self.result

    def complain(self, finding: str) -> None:
        """Note that something is not as it should be."""
        self.findings.append(" ".join(finding.split()))

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Call `act` after a while."""
        self.repairs.append(run_later(seconds, act))

    def restart(self) -> None:
        """Wait for the main process and give the command again, not always at once."""
        self._wait()
        time.sleep(self.chance.choice((0.0, 1.0, 4.0)))
        self._command()

    def order(self, order: str) -> str:
        """Give the next job an order; return its serial number."""
        self.serial = str(len(self.faults))
        (self.workflow.trouble / f"{order}.{self.serial}").touch()
        return self.serial

    def _moments(self) -> list[float]:
        """Return when to inject, as shares of all that has to be computed; the last ones are for the tables."""
        return sorted(self.chance.uniform(0.0, 1.03) for _ in self.kinds)

    def _command(self) -> None:
        self.result.commands += 1
        self._say(f"command {self.result.commands}")
        self.main = self.workflow.start(output=self.log)

    def _say(self, text: str) -> None:
        print(f"=== {time.strftime('%H:%M:%S')} {text}", file=self.log, flush=True)

    def _await(self, share: float) -> None:
        """Let the run come so far, and then to its first or next job."""
        while not (reached := self._ended()) and self._share() < min(share, 1.0):
            time.sleep(0.2)
        while not reached and not self.cluster.jobs():
            time.sleep(0.5)
            reached = self._ended()

    def _share(self) -> float:
        """Return how much was computed, of all there is."""
        return len(set(self.workflow.computed())) / self.expected

    def _ended(self) -> bool:
        """Give the command again where it has failed; return whether it has succeeded."""
        code = self.main.poll()
        if code:
            self.restart()
        return code == 0

    def _inject(self, kind: str) -> None:
        stages = self.cluster.running_stages()
        fault = Fault(kind, "+".join(sorted(set(stages))), ended=self.main.poll() is not None)
        self._say(f"fault {kind} at {self._share():.2f}, running: {stages}")
        self.faults.append(fault)
        self.serial = ""
        interrupted = FAULTS_WITH_ACCOUNTING[kind](self)
        fault.serial = self.serial
        self.result.again_allowed += IN_HAND * interrupted

    def _wait(self) -> int:
        """Return how the main process ended; end it when nothing has moved for long."""
        seen, since = None, time.monotonic()
        while (code := self.main.poll()) is None:
            now = len(self.workflow.computed()), tuple(self.cluster.jobs())
            if now != seen:
                seen, since = now, time.monotonic()
            if time.monotonic() - since > HUNG_SECONDS:
                self.complain(f"the main process hung for {HUNG_SECONDS} s")
                self.main.kill()
            time.sleep(1)
        return code

    def _finish(self) -> None:
        """Give the command until it has nothing left to do."""
        for order in self.workflow.trouble.glob("[a-z]*@*"):
            if self.main.poll() is not None:
                order.unlink()  # no job was left to take it
        while self._wait() != 0 or self._left():
            if self.result.commands > MOST_RESTARTS:
                self.complain("it never came to an end")
                return
            self._command()

    def _left(self) -> bool:
        told = self.workflow.run("--dry-run")
        print(told, file=self.log, flush=True)
        return "Nothing to be done" not in told

    def _judge(self) -> None:
        for fault in self.faults:
            if fault.serial:
                struck = list(self.workflow.trouble.glob(f".struck-{fault.serial}-*"))
                fault.ended = not struck
                fault.stages = struck[0].name.split("-")[2] if struck else ""
        self._judge_work()
        self.findings += map(str, self.workflow.differences())
        if left := self.cluster.jobs():
            self.complain(f"jobs left in the queue: {left}")

    def _judge_work(self) -> None:
        computed = Counter(self.workflow.computed())
        for line in [line for line in computed if line.startswith("second-writer-failed")]:
            self.complain(f"{line} {computed.pop(line)} times")
        replaced, expected = self.workflow.replaced, self.workflow.expected()
        again = {
            what: number - 1
            for what, number in computed.items()
            if number > 1 and what.split()[1] not in replaced
        }
        self.result.scans = len({what.split()[1] for what in expected})
        self.result.computed = sum(computed.values())
        self.result.again = sum(again.values())
        if self.result.again > self.result.again_allowed:
            self.complain(f"computed again: {again}")
        wrong = {what for what in set(computed) ^ expected if what.split()[1] not in replaced}
        wrong |= expected - set(computed)
        if wrong:
            self.complain(f"not computed, or too much: {sorted(wrong)}")


def _told(fault: Fault) -> str:
    return f"{fault.kind}@{fault.stages or 'none'}{'(ended)' if fault.ended else ''}"
