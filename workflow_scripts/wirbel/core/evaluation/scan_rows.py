"""All rows of one scan: its maps against a reference in our numbers, or in those of a label scheme."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from wirbel.core.evaluation.instances import instance_rows, panoptic_rows, restrict_to_bodies
from wirbel.core.evaluation.metrics.surfaces import TOLERANCE_MM
from wirbel.core.evaluation.structures import partial_rows, structure_rows
from wirbel.core.geometry import Volume
from wirbel.core.label_schemes import LabelScheme

Rows = dict[str, list[dict[str, Any]]]
ALL, SOME, BODIES = SHOWN = ("all", "some", "bodies")
"""What a reference's vertebra maps show: all vertebrae of a scan, some of them, or the bodies of some."""


@dataclass(frozen=True)
class Comparison:
    """How maps are compared.

    Attributes
    ----------
    shows : str
        One of `SHOWN`. Panoptic qualities need `all`: otherwise nobody knows what is invented.
    tolerance_mm : float
        Of the NSD.
    """

    shows: str = ALL
    tolerance_mm: float = TOLERANCE_MM

    def rows(
        self,
        scan_id: str,
        reference: tuple[Volume | None, Volume | None],
        result: tuple[Volume | None, Volume | None],
    ) -> Rows:
        """Return the rows of a scan whose reference has our numbers.

        Parameters
        ----------
        scan_id : str
            For the rows.
        reference, result : tuple of Volume or None
            Subregion map and vertebra map; a result of a map lies on the reference's grid. None: there is no such map.
            A result that is missing is compared as an empty map: all that it should show counts as missed.
        """
        found: Rows = {"structures": [], "instances": [], "panoptic": []}
        (true_subregion, true_vertebra), (subregion, vertebra) = reference, result
        if true_subregion is not None:
            data = _data(subregion, true_subregion)
            found["structures"] = structure_rows(scan_id, true_subregion, data, self.tolerance_mm)
        if true_vertebra is not None:
            data = _data(vertebra, true_vertebra)
            bodies = data if subregion is None else subregion.data
            found |= self._instances(scan_id, true_vertebra, data, bodies)
        return found

    def foreign_rows(
        self,
        scan_id: str,
        theirs: Volume,
        scheme: LabelScheme,
        result: tuple[Volume | None, Volume | None],
    ) -> Rows:
        """Return the rows of a scan whose reference has numbers of its own; the result lies on its grid."""
        subregion, vertebra = (_data(one, theirs) for one in result)
        found: Rows = {"structures": [], "instances": [], "panoptic": []}
        found["structures"] = partial_rows(scan_id, theirs, scheme, subregion, self.tolerance_mm)
        if scheme.vertebrae:
            numbered = theirs.with_data(scheme.vertebra_map(theirs.data))
            found |= self._instances(scan_id, numbered, vertebra, subregion)
        return found

    def _instances(
        self, scan_id: str, reference: Volume, vertebra: np.ndarray, subregion: np.ndarray
    ) -> Rows:
        complete = self.shows == ALL
        if self.shows == BODIES:
            reference, vertebra = restrict_to_bodies(reference, vertebra, subregion)
        rows = instance_rows(
            scan_id,
            reference,
            vertebra,
            complete_reference=complete,
            tolerance_mm=self.tolerance_mm,
        )
        panoptic = panoptic_rows(scan_id, reference, vertebra, self.tolerance_mm)
        return {"instances": rows, "panoptic": panoptic if complete else []}


def _data(result: Volume | None, reference: Volume) -> np.ndarray:
    return np.zeros(reference.data.shape, np.uint8) if result is None else result.data
