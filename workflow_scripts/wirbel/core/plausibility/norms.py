"""What values were compared with, as rows of the table `reference`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wirbel.core.plausibility.strata import Group

EVERYBODY = "all"


def reference_rows(
    table: str,
    groups: Mapping[str, Sequence[Group]],
    levels: Sequence[str],
    sexes: Sequence[str],
) -> list[dict[str, Any]]:
    """Return one row per measure and group of a table, in the order of measures, levels and sexes.

    `levels` and `sexes` are what the groups' codes stand for; a table without levels has none.

    Parameters
    ----------
    table : str
        Its name.
    groups : mapping of str to sequence of Group
        Measure -> groups.
    levels, sexes : sequence of str
        See above.

    Returns
    -------
    list of dict
        Rows of the reference.
    """
    rows = []
    for measure, found in groups.items():
        for group in found:
            reference = group.reference
            rows.append(
                {
                    "table": table,
                    "measure": measure,
                    "level": levels[group.level] if levels else None,
                    "sex": sexes[group.sex] if group.sex >= 0 else EVERYBODY,
                    "n": reference.count,
                    "median": reference.median,
                    "sd": reference.sd,
                    "age_slope": reference.slope,
                    "age_years": reference.age,
                    "ages_known": reference.ages_known,
                }
            )
    return rows
