"""The settings of each per-scan stage: everything its results depend on besides the input, its
networks and its code.

A stage is constructed from its class here, and its provenance key is made from the same values, so
it cannot use a value that its key does not include. `as_json` and `settings_of` convert them for
`work/plan.json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar, cast

from wirbel.core.inference_config import InferenceConfig
from wirbel.models.folders.inference_config import parse_inference_config

S = TypeVar("S")


@dataclass(frozen=True)
class IngestSettings:
    """Which DICOM series to take (`wirbel.plan.series_rules`), as the settings `series` and `stations`
    have it. `apart`: the stations, in their order, that are scans of their own; none: they are put together.

    `one_per_session`: take the best where several fit. `suffix`: what the scans are called (T2w).
    `levels`: what `not_t2w`, `derived_image`, `files_left_out` and `several_people` are (`wirbel.plan.checks`).
    """

    series: Mapping[str, Any]
    stations: Mapping[str, Any]
    one_per_session: bool
    suffix: str
    levels: Mapping[str, str]
    apart: tuple[str, ...] = ()


@dataclass(frozen=True)
class ResampleSettings:
    """`axes` and `resolution` (mm) are the model grid's; `method` says whose preparation it is.

    `bias_field`: correct it by N4 (true), by ITK's own filter for N4 ("itk"), or not at all (false).
    `fixed_range`: bring the intensities to a fixed range (not for tomography). `accepted` faults of an
    image, and `refused` doubts about its header: codes of `wirbel.plan.checks`.
    """

    axes: tuple[str, str, str]
    resolution: tuple
    bias_field: bool | str
    fixed_range: bool
    method: str
    accepted: tuple[str, ...]
    refused: tuple[str, ...]


@dataclass(frozen=True)
class NetworkSettings:
    """Settings of `semantic` and `instance`; everything else that decides their results is in the
    network's folder.

    `engine`: what computes them on a processor, "torch" or "openvino" (`wirbel.models.engine`).
    """

    method: str
    engine: str


@dataclass(frozen=True)
class MergeSettings:
    """Settings of both networks' folders, and `provenance`, which goes into the sidecars.

    `naming_follows`: the stage `label` names the vertebrae and writes the final maps.
    """

    semantic: InferenceConfig
    instance: InferenceConfig
    method: str
    naming_follows: bool
    provenance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LabelSettings:
    """Settings of the semantic network's folder, and `provenance`, which goes into the sidecars."""

    semantic: InferenceConfig
    method: str
    provenance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FeaturesSettings:
    """`apart`: the stations, in their order, whose names of levels are decided together; empty: there are none."""

    apart: tuple[str, ...] = ()


@dataclass(frozen=True)
class NoSettings:
    """There is nothing to set."""


OF_STAGES: Mapping[str, type] = {
    "ingest": IngestSettings,
    "resample": ResampleSettings,
    "semantic": NetworkSettings,
    "instance": NetworkSettings,
    "merge": MergeSettings,
    "label": LabelSettings,
    "features": FeaturesSettings,
}
"""Stage -> its settings. A field that is named like a setting of `config/config.yaml` is filled with that."""


def as_json(settings: Any) -> dict[str, Any]:
    """Return settings as JSON types, without fields of a model folder that are not set."""
    return {f.name: _plain(getattr(settings, f.name)) for f in fields(settings)}


def settings_of(kind: type[S], content: Mapping[str, Any]) -> S:
    """Reverse `as_json`; raise ValueError for a missing or unknown field."""
    names = {f.name: str(f.type) for f in fields(cast(Any, kind))}
    if odd := sorted(names.keys() ^ content.keys()):
        raise ValueError(f"the plan's settings do not fit {kind.__name__}: {', '.join(odd)}")
    return kind(**{name: _typed(names[name], value) for name, value in content.items()})


def _plain(value: Any) -> Any:
    if isinstance(value, InferenceConfig):
        known = {k: v for k, v in asdict(value).items() if v is not None}
        return {name: _plain(entry) for name, entry in known.items()}
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, list | tuple) else value


def _typed(kind: str, value: Any) -> Any:
    if kind == "InferenceConfig":
        return parse_inference_config(value, "the plan")
    if kind.startswith("tuple"):
        return tuple(tuple(entry) if isinstance(entry, list) else entry for entry in value)
    return value
