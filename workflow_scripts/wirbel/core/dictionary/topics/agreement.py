"""The columns that say how well the networks agree about a vertebra, a disc, or a scan."""

from __future__ import annotations

from wirbel.core.dictionary.column import BOOLEAN, INTEGER, NUMBER, PRODUCT, RATIO, Column
from wirbel.core.dictionary.families import status
from wirbel.core.measures import status as S
from wirbel.core.plausibility.scan_flags import LOW_INSTANCE, LOW_MARGIN, SURE_MARGIN

SPINEPS = "the votes of Moeller et al., Eur Radiol 2024 (arXiv 2402.16368)"
CALIBRATION = "docs/measures.md says how it relates to true Dice; no probability"
BODIES = (
    "Of the three figures this one tells most: Spearman's correlation with the true Dice of the body was 0.77 (74 "
    "vertebrae of 11 real lumbar scans, which the networks had not seen)"
)
DICE = (
    "Mean Dice between each two predictions of the instance network that show the vertebra: its own cut-out's, and "
    "those of its neighbours' cut-outs. 1: they are the same; empty where only one cut-out shows it. Within what the "
    "semantic network calls vertebra, on the network's grid, before anything is merged. It tells vertebrae that were "
    "parted or joined wrongly, not what the semantic network missed, and does not rank the vertebrae of a scan: "
    "Spearman's correlation with true Dice was 0.36 over 11 real lumbar scans that the networks had not seen, -0.17 "
    f"within a scan. {CALIBRATION}"
)
MARGIN = (
    "Mean over the structure's voxels of the largest class probability less the second largest one (softmax of the "
    "mean scores of tiles, mirror images and folds; network's grid). 1: no other class came into question. Voxels that "
    f"the network gave to background and later steps to the structure do not count. {CALIBRATION}"
)


def _figure(name: str, what: str, definition: str, source: str = PRODUCT) -> Column:
    return Column(
        name,
        NUMBER,
        what,
        definition,
        source,
        RATIO,
        (0.0, 1.0),
        status="agreement_status",
        compared=False,
    )


def _low(rule: str) -> Column:
    return Column(
        "low_agreement",
        BOOLEAN,
        "Whether the networks agree badly about it",
        f"{rule}; never true of what the border cuts above, below, in front or behind, as networks are unsure of that. "
        "Empty where the "
        "maps came without this information",
    )


_MARGIN = _figure("semantic_margin", "Mean margin of the segmentation", MARGIN)
OF_VERTEBRAE = (
    _figure("instance_agreement", "Agreement of the predictions", DICE, SPINEPS),
    Column(
        "instance_votes",
        INTEGER,
        "Number of predictions that show the vertebra",
        "Up to three: of its own cut-out and its neighbours'; one more where a body was cut out twice",
        SPINEPS,
        interval=(0, 24),
        status="agreement_status",
    ),
    _MARGIN,
    _figure(
        "body_margin",
        "Mean margin within the vertebral body",
        f"As semantic_margin, over the voxels of the body alone. {BODIES}",
    ),
    _low(
        f"body_margin below {LOW_MARGIN}, or below {SURE_MARGIN} with instance_agreement below {LOW_INSTANCE}"
    ),
    status("agreement_status", "what is known of agreement", S.OK, S.ONE_VOTE, S.NOT_RECORDED),
)
OF_DISCS = (
    _MARGIN,
    _low(f"semantic_margin below {LOW_MARGIN}"),
    status("agreement_status", "what is known of the margin", S.OK, S.ADDED_LATER, S.NOT_RECORDED),
)
OF_SCANS = (
    _figure(
        "lowest_instance_agreement",
        "Lowest agreement of predictions",
        "Smallest instance_agreement of the scan's vertebrae",
    ),
    _figure(
        "lowest_body_margin",
        "Lowest mean margin within a vertebral body",
        "Smallest body_margin of the scan's vertebrae",
    ),
    _figure(
        "lowest_disc_margin",
        "Lowest mean margin within a disc",
        "Smallest semantic_margin of the scan's discs",
    ),
    Column(
        "low_agreement_rows",
        INTEGER,
        "Number of vertebrae and discs about which the networks agree badly",
        "Rows with low_agreement true",
        interval=(0, 50),
        status="agreement_status",
    ),
    status("agreement_status", "what is known of agreement", S.OK, S.NOT_RECORDED),
)
