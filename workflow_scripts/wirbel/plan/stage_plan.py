"""Everything that decides one stage's results: its settings, its networks, its code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

FINGERPRINT_DIGITS = 16
KEY_DIGITS = 32


@dataclass(frozen=True)
class PlannedModel:
    """A network: `source` is its name in config/models.yaml or its folder, `sha256` identifies all its
    files.
    """

    source: str
    sha256: str


@dataclass(frozen=True)
class StagePlan:
    """One stage; it is constructed from `settings` (JSON types) and `models` alone.

    `drops` names earlier stages whose results are removed once this one is done with a scan. It
    decides no result, and neither does the place of a network: they are not part of the
    fingerprint.
    """

    stage: str
    code: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    models: Mapping[str, PlannedModel] = field(default_factory=dict)
    drops: tuple[str, ...] = ()

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits over everything that decides this stage's results, except the
        scan.
        """
        content = {
            "stage": self.stage,
            "code": self.code,
            "settings": self.settings,
            "models": {kind: model.sha256 for kind, model in self.models.items()},
        }
        return digest_of(content)[:FINGERPRINT_DIGITS]

    def key(self, source: str) -> str:
        """Return the provenance key of a scan's result; `source` is the key before it, or the content's hash."""
        return digest_of([self.fingerprint, source])[:KEY_DIGITS]

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {**asdict(self), "drops": list(self.drops), "fingerprint": self.fingerprint}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> StagePlan:
        """Reverse `as_json`; the fingerprint is computed again."""
        models = {kind: PlannedModel(**model) for kind, model in content["models"].items()}
        return cls(
            content["stage"],
            content["code"],
            content["settings"],
            models,
            tuple(content["drops"]),
        )


def digest_of(content: Any) -> str:
    """Return the SHA-256 of JSON types, independent of the order of keys."""
    text = json.dumps(content, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
