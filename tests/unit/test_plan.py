"""The plan: what is in it decides keys, and it reads back as it was written."""

import dataclasses
import json
from pathlib import Path

import pytest
import yaml
from support.models import tiny_models

from wirbel.core.inference_config import InferenceConfig
from wirbel.errors import InfrastructureError
from wirbel.models.folders.inference_config import read_inference_config
from wirbel.plan import stage_settings as kinds
from wirbel.plan.plan import (
    Plan,
    Wishes,
    known_stages,
    plan_file,
    read_plan,
    write_plan,
)
from wirbel.plan.stage_plan import PlannedModel, StagePlan
from wirbel.plan.stage_settings import as_json, settings_of
from wirbel.study.settings.differences import differences
from wirbel.study.settings.planning import Planner
from wirbel.study.settings.run_settings import checked_settings

CONFIG = Path(__file__).parents[2] / "config"
KINDS = sorted(set(kinds.OF_STAGES.values()), key=lambda kind: kind.__name__)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    tiny_models.write_semantic(folder / "semantic")
    tiny_models.write_instance(folder / "instance")
    return folder


def planned(models, **settings) -> Plan:
    config = yaml.safe_load((CONFIG / "config.yaml").read_text())
    config |= {"bids_dir": "in", "output_dir": "out", "models": str(models)} | settings
    chosen = checked_settings(config, CONFIG / "schemas" / "config.schema.json")
    return Planner(chosen).plan(Wishes())


def another(value):
    """Return another value of the same form."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 2
    if isinstance(value, str):
        return f"{value}x"
    if isinstance(value, dict):
        return {**value, "more": 7}
    if isinstance(value, tuple):
        return (*value[:-1], another(value[-1])) if value else (1,)
    return "published"  # of a setting that was not set


def of_model_folder() -> InferenceConfig:
    labels = {1: 50}
    return InferenceConfig(
        "log", ("T2w",), "sag", "nnunet", ("P", "I", "R"), 1, True, (1.0, 1.0, 3.0), 0.5, labels
    )


def example(kind):
    """Return settings with a value in every field."""
    values = {
        "series": {"contrast": "T2w"},
        "stations": {"join": True},
        "one_per_session": True,
        "suffix": "T2w",
        "levels": {"not_t2w": "failure"},
        "axes": ("P", "I", "R"),
        "resolution": (1.0, 1.0, 3.0),
        "bias_field": True,
        "fixed_range": True,
        "method": "none",
        "engine": "torch",
        "accepted": ("too_small",),
        "refused": ("unit_not_mm",),
        "semantic": of_model_folder(),
        "instance": of_model_folder(),
        "naming_follows": False,
        "provenance": {"BiasFieldCorrection": True},
        "apart": ("neck", "lumbar"),
    }
    return kind(**{field.name: values[field.name] for field in dataclasses.fields(kind)})


def key(settings) -> str:
    return StagePlan("stage", "code", as_json(settings)).key("content")


@pytest.mark.parametrize("kind", KINDS)
def test_another_value_in_any_field_of_a_stages_settings_is_another_key(kind):
    settings = example(kind)
    for field in dataclasses.fields(kind):
        value = getattr(settings, field.name)
        if not isinstance(value, InferenceConfig):
            changed = dataclasses.replace(settings, **{field.name: another(value)})
            assert key(changed) != key(settings), field.name


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(InferenceConfig)])
@pytest.mark.parametrize(
    ("kind", "network"),
    [
        (kinds.MergeSettings, "semantic"),
        (kinds.MergeSettings, "instance"),
        (kinds.LabelSettings, "semantic"),
    ],
)
def test_so_is_another_value_in_any_field_of_a_model_folders_settings(kind, network, field):
    settings = example(kind)
    config = getattr(settings, network)
    other = dataclasses.replace(config, **{field: another(getattr(config, field))})
    assert key(dataclasses.replace(settings, **{network: other})) != key(settings)


@pytest.mark.parametrize("kind", KINDS)
def test_settings_read_back_as_they_were_written(kind):
    text = json.dumps(as_json(example(kind)))
    assert settings_of(kind, json.loads(text)) == example(kind)


def test_settings_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match="do not fit ResampleSettings: colour"):
        settings_of(
            kinds.ResampleSettings, {**as_json(example(kinds.ResampleSettings)), "colour": 1}
        )


CODE = StagePlan("a", "code", {"x": 1}, {"semantic": PlannedModel("mine", "12")}, ("b",))


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ({"stage": "c"}, True),
        ({"code": "other"}, True),
        ({"settings": {"x": 2}}, True),
        ({"models": {"semantic": PlannedModel("mine", "34")}}, True),
        ({"models": {"semantic": PlannedModel("elsewhere", "12")}}, False),
        ({"drops": ()}, False),
    ],
)
def test_what_counts_for_a_stages_fingerprint(change, counts):
    assert (dataclasses.replace(CODE, **change).fingerprint != CODE.fingerprint) is counts


def test_a_plan_reads_back_and_older_ones_can_be_looked_up(tmp_path):
    last = StagePlan("last", "code")
    older = Plan((CODE, last), {"cohort": StagePlan("cohort", "c")}, Wishes(recompute=("sub-01",)))
    newer = dataclasses.replace(older, stages=(dataclasses.replace(CODE, code="new"), last))
    for plan in older, newer:
        write_plan(tmp_path, plan)
        assert read_plan(plan_file(tmp_path)) == plan
    known = known_stages(tmp_path)
    assert known[CODE.fingerprint] == CODE
    assert known[newer.stages[0].fingerprint].code == "new"


def test_a_missing_and_a_damaged_plan_are_explained(tmp_path):
    with pytest.raises(InfrastructureError, match="is missing: start the workflow"):
        read_plan(tmp_path / "plan.json")
    (tmp_path / "plan.json").write_text("{}")
    with pytest.raises(InfrastructureError, match="is not a plan of this version"):
        read_plan(tmp_path / "plan.json")


def test_two_model_folders_that_differ_in_modality_alone_prepare_images_differently(
    models, tmp_path
):
    """SPINEPS' preparation leaves the intensities of tomography as they are."""
    folder = tmp_path / "ct"
    tiny_models.write_semantic(folder / "semantic")
    tiny_models.write_instance(folder / "instance")
    path = folder / "semantic" / "inference_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "modality": ["CT"]}))
    pair = [
        planned(m, compatibility="published").stage("resample").fingerprint
        for m in (models, folder)
    ]
    assert pair[0] != pair[1]


@pytest.mark.parametrize(
    ("settings", "first"),
    [
        ({"n4": False}, "resample"),
        ({"compatibility": "published"}, "resample"),
        ({"keep_intermediates": True}, None),
        ({"batch_size": 7}, None),
    ],
)
def test_which_stage_a_setting_changes_first(models, settings, first):
    pairs = zip(planned(models).stages, planned(models, **settings).stages, strict=True)
    changed = [old.stage for old, new in pairs if old.fingerprint != new.fingerprint]
    assert (changed or [None])[0] == first


def test_every_field_of_a_model_folders_settings_reaches_the_stage_that_opens_it(models):
    """The network's own stage is keyed by the digest of its folder, settings file included."""
    plan = planned(models)
    for kind in ("semantic", "instance"):
        assert plan.stage(kind).models[kind].sha256
        assert read_inference_config(models / kind)


@pytest.mark.parametrize(
    ("wish", "reasons", "again"),
    [
        ("false", ["unreadable"], False),
        ("true", ["unreadable"], True),
        ("true", [], False),
        ("unreadable,unexpected", ["not_sagittal", "unexpected"], True),
        ("unreadable", ["not_sagittal"], False),
    ],
)
def test_which_failures_are_tried_again(wish, reasons, again):
    assert Wishes(retry_failed=wish).try_again(*reasons) == again


@pytest.mark.parametrize("name", ["sub-01", "01", "sub-01_ses-2_T2w", "01_ses-2_T2w"])
def test_recompute_names_scans_and_participants_with_or_without_prefix(name):
    assert Wishes(recompute=(name,)).compute_again("sub-01_ses-2_T2w")
    assert not Wishes(recompute=(name,)).compute_again("sub-011_ses-2_T2w")


def test_results_of_other_settings_count_only_where_mixed_settings_are_allowed():
    stage = StagePlan("merge", "code")
    plan = Plan((stage,))
    assert plan.accepts(stage.fingerprint, "merge") and not plan.accepts("other", "merge")
    assert Plan((stage,), wishes=Wishes(mixed_settings=True)).accepts("other", "merge")


@pytest.mark.parametrize("stage", ["semantic", "instance", "merge"])
def test_another_engine_is_named_as_what_changed(models, stage):
    before, now = (planned(models, engine=engine).stage(stage) for engine in ("torch", "openvino"))
    assert differences(before, now) == ["setting engine changed"]
