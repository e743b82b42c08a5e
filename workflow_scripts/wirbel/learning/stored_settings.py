"""Settings of a network as the plain values that its model folder holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True)
class StoredSettings:
    """Base of dataclasses of numbers and tuples of numbers."""

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, for the model folder."""
        return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Restore the settings from `as_dict`."""
        fields: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
        }
        return cls(**fields)
