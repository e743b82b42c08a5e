"""Whatever JSON the files of a model hold, they are read or refused in one sentence: nothing else ever happens."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.models import published_folders, tiny_models

from wirbel.core.inference_config import PUBLISHED_CHANNELS
from wirbel.learning.exported.export import instance_config
from wirbel.learning.instance.instance_network import InstanceNetwork, UNet
from wirbel.learning.semantic.nnunet_plans import build_network, read_plans
from wirbel.learning.semantic.semantic_plans import CONFIGURATION, dataset_json, plans_json
from wirbel.models.errors import ModelError
from wirbel.models.folders.inference_config import parse_inference_config
from wirbel.models.folders.instance import check_settings
from wirbel.models.folders.json_files import decode_json

NUMBERS = st.sampled_from([0, -1, 1, 2, 3, 255, 256, 10**9, 10**30, 0.5, 1.0, -0.0, 1e-300, 1e300])
LEAVES = st.one_of(
    st.none(), st.booleans(), NUMBERS, st.integers(), st.floats(), st.text(max_size=8)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
PLANS = [plans_json(tiny_models.SEMANTIC, [32, 32, 4])]
PLANS += [published_folders.nnunet_plans(spelling) for spelling in published_folders.SPELLINGS]
CONFIG = instance_config(tiny_models.INSTANCE, {**PUBLISHED_CHANNELS, 26: 12})
EXAMPLES = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def places(content: Any) -> list[tuple]:
    """Return the path of everything inside a decoded file."""
    if not isinstance(content, dict | list):
        return [()]
    steps = content if isinstance(content, dict) else range(len(content))
    return [()] + [(step, *rest) for step in steps for rest in places(content[step])]


@st.composite
def mutated(draw, originals: list) -> Any:
    """Return one of the files with up to three things in it replaced, taken away or doubled."""
    content = copy.deepcopy(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(content)))
        if not path:
            continue
        inside = content
        for step in path[:-1]:
            inside = inside[step]
        act = draw(st.sampled_from(["replace", "replace", "replace", "remove", "double"]))
        if act == "remove":
            del inside[path[-1]]
        elif act == "double" and isinstance(inside, list):
            inside.append(copy.deepcopy(inside[path[-1]]))
        else:
            inside[path[-1]] = draw(VALUES)
    return content


def one_sentence(error: ModelError) -> None:
    sentence = str(error)
    assert sentence.isprintable() and len(sentence) < 1200, sentence
    assert "correct it" in sentence or "copy or fetch" in sentence or "give the folder" in sentence


@EXAMPLES
@given(plans=mutated(PLANS))
def test_any_plans_are_built_without_memory_or_refused(plans):
    check_plans(plans, dataset_json(1))


@EXAMPLES
@given(dataset=mutated([dataset_json(1)]))
def test_any_dataset_is_read_or_refused(dataset):
    check_plans(PLANS[0], dataset)


def check_plans(plans: Any, dataset: Any) -> None:
    """What is accepted must also compute: on torch's device `meta`, where numbers are not looked at."""
    try:
        found = read_plans(plans, dataset, CONFIGURATION, "folder")
    except ModelError as error:
        one_sentence(error)
        return
    with torch.device("meta"):
        network = build_network(found).eval()
        scores = network(torch.empty(1, 1, *found.patch_size))
    assert scores.shape == (1, found.heads, *found.patch_size)


@EXAMPLES
@given(
    config=mutated([CONFIG, published_folders.SEMANTIC_CONFIG, published_folders.INSTANCE_CONFIG])
)
def test_any_settings_are_read_or_refused(config, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp()
    try:
        found = parse_inference_config(config, str(folder))
        if found.modeltype == "unet":
            check_settings(found, folder)
    except ModelError as error:
        one_sentence(error)
        return
    assert all(0 < mm <= 20 for mm in found.spacing_mm)
    if found.modeltype == "unet" and found.network is not None:
        with torch.device("meta"):
            network = UNet(InstanceNetwork.from_dict(found.network)).eval()
            block = torch.empty(1, found.network["channels"], *found.cutout_size)
            assert network(block).shape == (1, 4, *found.cutout_size)


@EXAMPLES
@given(text=st.text(max_size=200) | VALUES.map(json.dumps) | st.text('[]{}":,01eNaI-', max_size=60))
def test_any_text_is_decoded_or_refused(text):
    try:
        content = decode_json(text, "file")
    except ModelError as error:
        one_sentence(error)
        return
    json.dumps(content, allow_nan=False)


def test_the_files_are_in_order_before_they_are_changed():
    for plans in PLANS:
        assert read_plans(plans, dataset_json(1), CONFIGURATION)
    assert parse_inference_config(CONFIG, "file").network
    with pytest.raises(ModelError, match="folder/plans.json: expected an object"):
        read_plans([], dataset_json(1), CONFIGURATION, "folder")
