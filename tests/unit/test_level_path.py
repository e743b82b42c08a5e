"""Names of a spine's vertebrae from a classifier's probabilities: usual spines and those with one more or less."""

from __future__ import annotations

import numpy as np
import pytest

from wirbel.core.labelling.level_axis import EXPLICIT, GROUPS, REPEATING
from wirbel.core.labelling.level_evidence import weigh
from wirbel.core.labelling.level_path import best_path, name_by_heads
from wirbel.core.labels import LEVEL_LABELS

CERVICAL = [f"C{n}" for n in range(2, 8)]


def spine(thoracic: int = 12, lumbar: int = 5) -> list[str]:
    """Return the levels of a spine from C2 down."""
    thorax = [f"T{n}" for n in range(1, thoracic + 1)]
    return [*CERVICAL, *thorax, *(f"L{n}" for n in range(1, lumbar + 1))]


def certain(names: list[str], classes: tuple[str, ...], sure: float = 0.9) -> np.ndarray:
    """Return probabilities that give `sure` to each vertebra's class, the rest to all others alike."""
    values = np.full((len(names), len(classes)), (1 - sure) / (len(classes) - 1))
    for row, name in enumerate(names):
        values[row, classes.index(name)] = sure
    return values


def folded(names: list[str]) -> list[str]:
    """Return the levels as 24 classes know them: T13 is a second T12, L6 a second L5."""
    return [{"T13": "T12", "L6": "L5"}.get(name, name) for name in names]


def levels(heads) -> list[str]:
    names = {label: name for name, label in LEVEL_LABELS.items()}
    return [names.get(label, "none") for label in name_by_heads(heads)[0]]


@pytest.mark.parametrize("lumbar", [4, 5, 6])
@pytest.mark.parametrize("thoracic", [11, 12, 13])
@pytest.mark.parametrize("head", ["VERT", "VERTEX", "VERTEXACT"])
def test_usual_spines_and_every_variant_are_named(head, thoracic, lumbar):
    true = spine(thoracic, lumbar)
    if head == "VERT":
        heads = {head: certain(folded(true), REPEATING.names)}
    else:
        heads = {head: certain(true, EXPLICIT.names)}
    assert levels(heads) == true


@pytest.mark.parametrize("first", range(0, 20, 3))
def test_a_part_of_a_spine_is_named_wherever_it_begins(first):
    seen = spine()[first : first + 4]
    assert levels({"VERT": certain(seen, REPEATING.names)}) == seen


def test_one_vertebra_that_the_classifier_mistakes_is_outvoted():
    true = spine()
    told = certain(true, REPEATING.names)
    told[10] = certain(["L3"], REPEATING.names, 0.99)
    assert levels({"VERT": told}) == true


def test_c1_is_never_named():
    assert levels({"VERT": certain(["C1", "C2", "C3"], REPEATING.names, 0.6)}) == ["C2", "C3", "C4"]


def test_groups_and_regions_suffice_where_the_exact_head_is_missing():
    true = spine()
    groups = [next(g for g in GROUPS if name in g) for name in true]
    heads = {
        "VERTGRP": certain(groups, GROUPS),
        "REGION": certain([n[0] for n in true], tuple("CTL")),
    }
    assert levels(heads) == true


def test_the_regions_decide_where_the_levels_are_ambiguous():
    """Nothing but regions: three cervical vertebrae above two thoracic ones end at C7."""
    unsure = np.full((5, 24), 1 / 24)
    heads = {"VERT": unsure, "REGION": certain(list("CCCTT"), tuple("CTL"))}
    assert levels(heads) == ["C5", "C6", "C7", "T1", "T2"]


def test_the_first_of_a_region_is_found_by_the_head_of_relations():
    relation = np.full((6, 6), 0.01)
    relation[4, 2] = 0.95  # the fifth vertebra is the first thoracic one
    heads = {"VERT": np.full((6, 24), 1 / 24), "VERTREL": relation}
    assert levels(heads) == ["C4", "C5", "C6", "C7", "T1", "T2"]


def test_a_certain_relation_counts_in_full_in_the_precision_of_networks():
    """Its probabilities add up to 1 in single precision, to less in double, and less would count by half."""
    relation = np.zeros((2, 6), np.float32)
    relation[:, 2] = 1 - 3e-8, 3e-8
    heads = {"VERT": np.full((2, 24), 1 / 24, np.float32), "VERTREL": relation}
    assert weigh(heads).relation[:, 2].sum() == pytest.approx(0.6, abs=1e-6)
    assert relation[:, 2].sum() == 1, "what the network said is left alone"


def test_the_head_for_t13_decides_between_a_second_t12_and_a_second_l5():
    """Whether the extra vertebra is thoracic or lumbar cannot be seen from the levels alone here."""
    names = ["T11", "T12", "L1", "L2", "L3", "L4", "L5"]
    told = certain(["T11", "T12", *["T12"], "L1", "L2", "L3", "L4"], REPEATING.names, 0.5)
    told += certain(names, REPEATING.names, 0.5)
    heads = {"VERT": told / 2, "VERTT13": np.tile([0.99, 0.01], (7, 1))}
    heads["VERTT13"][2] = [0.01, 0.99]
    assert levels(heads) == ["T11", "T12", "T13", "L1", "L2", "L3", "L4"]


def test_a_vertebra_at_the_border_counts_less_than_one_that_is_seen_whole():
    told = np.vstack([certain(["T5"], REPEATING.names, 0.9), certain(["T4"], REPEATING.names, 0.8)])
    visible = np.array([[0.95, 0.05], [0.05, 0.95]])
    assert levels({"VERT": told}) == ["T5", "T6"]
    assert levels({"VERT": told, "FULLYVISIBLE": visible}) == ["T3", "T4"]


def test_both_level_heads_together_are_weighed():
    true = spine(13)
    heads = {
        "VERT": certain(folded(true), REPEATING.names),
        "VERTEX": certain(true, EXPLICIT.names),
    }
    assert levels(heads) == true
    assert weigh(heads).axis is REPEATING


def test_a_single_vertebra_gets_its_own_level():
    assert levels({"VERT": certain(["L2"], REPEATING.names)}) == ["L2"]


def test_more_vertebrae_than_levels_have_no_names():
    labels, sure = name_by_heads({"VERT": np.full((26, 24), 1 / 24)})
    assert labels == (0,) * 26 and sure == 0
    assert best_path(weigh({"VERT": np.full((26, 24), 1 / 24)})) is None


def test_how_sure_the_classifier_is_follows_from_the_levels_chosen():
    assert name_by_heads({"VERT": certain(spine(), REPEATING.names, 0.8)})[1] == 0.8
    told = certain(spine(), EXPLICIT.names, 0.8)
    told[0] = certain(["T1"], EXPLICIT.names, 1.0)
    assert name_by_heads({"VERTEX": told})[1] == pytest.approx(0.8 * 22 / 23, abs=1e-3)


def test_a_model_without_levels_is_refused():
    with pytest.raises(ValueError, match="no head of the model names levels, found REGION"):
        name_by_heads({"REGION": np.full((2, 3), 1 / 3)})


def test_the_sum_by_hand():
    """Two vertebrae at a region's border, seen at both ends of the image: smoothing stays within the region."""
    told = np.zeros((2, 24))
    told[0, REPEATING.names.index("C7")] = told[1, REPEATING.names.index("T1")] = 1.0
    evidence = weigh({"VERT": told})
    assert evidence.level[0, REPEATING.names.index("T1")] == 0, "nothing spills over to the thorax"
    kernel = np.exp(-0.5 * (np.arange(3) / 0.8) ** 2)
    kernel /= kernel[0] + 2 * kernel[1:].sum()
    visible = round(float(kernel[:2].sum()), 3)
    # C7 is the last of its region, and repeats beyond it: C7, C6 and C5 get these parts.
    own = kernel.sum() / (kernel.sum() + kernel[1:].sum() + kernel[2])
    weight = 1 - (1 - visible) / 2
    assert evidence.level[0, REPEATING.names.index("C7")] == pytest.approx(own * weight, abs=1e-6)
