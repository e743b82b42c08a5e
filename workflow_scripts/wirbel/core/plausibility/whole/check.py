"""Check the whole result: flag contradictions to anatomy, and fail the scan if nothing can be right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wirbel.core.geometry import Volume
from wirbel.core.measures.label_maps import LabelMaps
from wirbel.core.plausibility.scan_flags import SCAN_FLAGS
from wirbel.core.plausibility.whole.canal import canal_flags
from wirbel.core.plausibility.whole.chain import WholeChain
from wirbel.core.plausibility.whole.cords import cord_flags
from wirbel.core.plausibility.whole.counts import count_flags, has_arch
from wirbel.core.plausibility.whole.curves import has_step
from wirbel.core.plausibility.whole.directions import direction_flags
from wirbel.core.plausibility.whole.discs import disc_flags
from wirbel.core.plausibility.whole.names import name_flags
from wirbel.core.plausibility.whole.parts import part_flags
from wirbel.core.plausibility.whole.shapes import is_sliver, shape_flags
from wirbel.core.plausibility.whole.sizes import size_flags

SMALLEST_BODY_ML, LARGEST_BODY_ML = 0.8, 150.0
"""Half of a small C3 (13 x 14 x 10 mm), and a quarter more than the largest L4. A spine has at least
one body within these limits, whole or cut in half.
"""


class ImplausibleResult(ValueError):
    """Nothing of a result can be right; the message says what was expected and what was found."""


def check_whole_result(
    subregion: Volume, vertebra: Volume, vertebrae: Sequence[Mapping] = ()
) -> list[str]:
    """Return the flags of a scan's final label maps, in the order of `SCAN_FLAGS`.

    Parameters
    ----------
    subregion, vertebra : Volume
        Maps on one grid, any orientation.
    vertebrae : sequence of mapping
        The measured rows of `wirbel.core.measures.vertebrae`.

    Raises
    ------
    ImplausibleResult
        If nothing can be right.
    """
    return check_maps(LabelMaps(subregion, vertebra), vertebrae)


def check_maps(maps: LabelMaps, vertebrae: Sequence[Mapping] = ()) -> list[str]:
    """Do the same with maps whose parts are looked up elsewhere as well."""
    chain = WholeChain(maps)
    _refuse_impossible(chain)
    found = {
        *count_flags(chain),
        *name_flags(chain),
        *disc_flags(chain),
        *part_flags(chain),
        *canal_flags(chain),
        *cord_flags(chain),
        *direction_flags(chain),
        *shape_flags(chain),
        *size_flags(chain, vertebrae),
        *(["spine_stepped"] if has_step(chain) else []),
    }
    return [flag for flag in SCAN_FLAGS if flag in found]


def _refuse_impossible(chain: WholeChain) -> None:
    """Raise ImplausibleResult if no body can be one, or if nothing of a spine lies behind them."""
    volumes = [link.volume_mm3 / 1000 for link in chain.links]
    if not volumes:
        return
    found = f"vertebral bodies found: {len(volumes)}, the largest of {max(volumes):.1f} ml"
    if max(volumes) < SMALLEST_BODY_ML or min(volumes) > LARGEST_BODY_ML:
        raise ImplausibleResult(
            f"{found}; expected at least one of {SMALLEST_BODY_ML:g} to {LARGEST_BODY_ML:g} ml"
        )
    if all(map(is_sliver, chain.links)):
        raise ImplausibleResult(
            f"{found}, each less than a fifth as thick as long; expected bodies at least a quarter as high as wide"
        )
    if not len(chain.canal_mm) and not any(map(has_arch, chain.links)):
        raise ImplausibleResult(
            f"{found}, but neither a canal nor an arch; expected these behind the bodies"
        )
