"""The settings `scans`, `suffix`, `filter`, `where` and `one_per_session` as people write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wirbel.io.dataset.entities import INDICES, LABEL
from wirbel.study.settings.setting_values import SettingsError
from wirbel.study.sources.source import WITHOUT, OneOf, Range, Source, as_number


def source_of(config: Mapping[str, Any]) -> Source:
    """Return what checked settings say about the source; raises SettingsError."""
    if config["dicom"] and not config["scans"]:
        raise SettingsError(
            "setting 'dicom': name the deliveries in 'scans': a table participant_id, session_id, path, or a folder "
            "with sub-*/[ses-*/]"
        )
    return Source(
        table=config["scans"],
        suffix=config["suffix"],
        filter={entity: _values(entity, value) for entity, value in config["filter"].items()},
        where={column: _wanted(column, value) for column, value in config["where"].items()},
        one_per_session=config["one_per_session"],
        dicom=config["dicom"],
        joined=bool(config.get("stations")) and not config["dicom"],
        apart=() if config.get("stitch", True) else tuple(config.get("stations", ())),
    )


def _listed(value: Any) -> list[Any]:
    """Return the values of a list, of a comma-separated text, or of a single value."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return list(value) if isinstance(value, list | tuple) else [value]


def _values(entity: str, value: Any) -> tuple[str, ...]:
    """Return the accepted values of an entity, without its name (`ses-a` and `a` are the same)."""
    found = []
    for one in _listed(value):
        if not isinstance(one, str) and entity not in INDICES:
            raise SettingsError(
                f"setting 'filter.{entity}': {one} is a number, in which leading zeros are lost; write it in quotes, "
                f"as '{one}'"
            )
        label = str(one).removeprefix(f"{entity}-")
        if label != WITHOUT and not LABEL.fullmatch(label):
            raise SettingsError(
                f"setting 'filter.{entity}': {one!r} is not a label of BIDS (letters and digits); "
                f"{WITHOUT} takes scans without {entity}-"
            )
        found.append(label)
    if not found:
        raise SettingsError(f"setting 'filter.{entity}': expected values, such as [a, b]")
    return tuple(found)


def _wanted(column: str, value: Any) -> OneOf | Range:
    if isinstance(value, Mapping):
        low, high = (_limit(column, value.get(key)) for key in ("from", "to"))
        return Range(low, high)
    values = _listed(value)
    if not values:
        raise SettingsError(f"setting 'where.{column}': expected values, such as [a, b]")
    if any(isinstance(one, bool) for one in values):
        raise SettingsError(
            f"setting 'where.{column}': YAML reads yes, no, true and false without quotes as true or false; write the "
            "text of the table in quotes"
        )
    numbers = [float(one) for one in values if isinstance(one, int | float)]
    return OneOf(tuple(map(str, values)), tuple(numbers))


def _limit(column: str, value: Any) -> float | None:
    if value is None:
        return None
    number = as_number(str(value))
    if number is None:
        raise SettingsError(
            f"setting 'where.{column}': expected a number as a limit, found {value!r}"
        )
    return number
