"""The stations of a scan, each from its own series of what was delivered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wirbel.errors import NO_SCAN, ScanError
from wirbel.ingest.delivery import Converted, converted_of, look_into
from wirbel.plan.checks import PEOPLE
from wirbel.plan.series_rules import SeriesRules

SEVERAL = "several_series"
"""A question of the rules, which is asked; any other fault makes a station missing."""
NOTHING = ("no_series", NO_SCAN)
"""Nothing was delivered that fits."""


@dataclass(frozen=True)
class Stations:
    """The stations of a scan that were found, and why the others were not: name -> reason; and what converted them.

    `alone` is the station that is a scan of its own; empty: all are put together.
    """

    found: dict[str, Converted]
    missing: dict[str, str]
    software: str = "dcm2niix"
    alone: str = ""


@dataclass(frozen=True)
class Session:
    """The stations of a session: name -> what was converted, or why it could not be."""

    found: dict[str, Converted]
    faults: dict[str, ScanError]
    software: str = "dcm2niix"

    def together(self) -> Stations:
        """Return the stations to put together.

        Raises
        ------
        ScanError
            If no station was found, the fault that says most; "several_series" or "several_people" where several
            fit one station.
        """
        for name, fault in self.faults.items():
            if fault.reason in (SEVERAL, PEOPLE):
                raise _of_station(name, fault)
        if not self.found:
            raise _of_station(*_telling(self.faults))
        return Stations(self.found, self._reasons(), self.software)

    def apart(self, name: str) -> Stations:
        """Return the stations where `name` is a scan of its own; raises its fault (ScanError)."""
        if name in self.faults:
            raise _of_station(name, self.faults[name])
        return Stations(self.found, self._reasons(), self.software, name)

    def _reasons(self) -> dict[str, str]:
        return {name: fault.reason for name, fault in self.faults.items()}


def converted_session(
    paths: Sequence[Path], rules: Mapping[str, SeriesRules], *, best: bool = False
) -> Session:
    """Return each station's volume.

    Parameters
    ----------
    paths : sequence of Path
        Folders, archives or files, all of one session.
    rules : mapping of str to SeriesRules
        Name of a station -> which series it is.
    best : bool
        Where several series fit a station, take the best. Default: that is a fault.

    Raises
    ------
    InfrastructureError, OSError
        If the machine or its file system is at fault.
    """
    delivered = look_into(paths)
    return session_of(lambda rule: converted_of(delivered, rule, best=best), rules)


def session_of(
    convert: Callable[[SeriesRules], Converted],
    rules: Mapping[str, SeriesRules],
    software: str = "dcm2niix",
) -> Session:
    """Return what `convert` makes of each station, or its fault."""
    session = Session({}, {}, software)
    for name, rule in rules.items():
        try:
            session.found[name] = convert(rule)
        except ScanError as fault:
            session.faults[name] = fault
    return session


def _of_station(name: str, fault: ScanError) -> ScanError:
    return ScanError(fault.reason, f"station {name}: {fault.detail}")


def _telling(faults: Mapping[str, ScanError]) -> tuple[str, ScanError]:
    """Return the station whose fault says most: that nothing fits says least."""
    told = list(faults.items())
    return next((one for one in told if one[1].reason not in NOTHING), told[0])
