"""The networks of a plan: identified in the main process without reading weights, verified in jobs
before use.
"""

from __future__ import annotations

import os
from pathlib import Path

from wirbel.errors import InfrastructureError
from wirbel.io.atomic import sha256_of_file
from wirbel.models.digests import combined_sha256, compare_digests
from wirbel.models.entries import REGISTRY_FILE, Published, network, read_registry, toy_digests
from wirbel.models.errors import ModelError
from wirbel.models.folders.check import read_kind
from wirbel.models.folders.inference_config import FILE_NAME
from wirbel.models.registry import Model, find_model, folder_of, listed_folder
from wirbel.plan.stage_plan import PlannedModel, StagePlan


def identified(name: str, kind: str, registry_file: Path = REGISTRY_FILE) -> Model:
    """Return the model that `name` stands for, like `find_model`, but trust listed digests.

    Of a listed network only the settings file is read and checked; the job that uses the weights
    checks them. A folder that is not listed is hashed. Raises ModelError.
    """
    entries = read_registry(registry_file)
    if name not in entries:
        return find_model(name, kind, registry_file)
    found = network(entries, name, kind)
    folder, digests = listed_folder(found, registry_file)
    own = {FILE_NAME: sha256_of_file(folder / FILE_NAME)} if (folder / FILE_NAME).is_file() else {}
    source = Path(
        "the record of what was fetched" if isinstance(found, Published) else registry_file.name
    )
    compare_digests(name, folder, own, {FILE_NAME: digests.get(FILE_NAME, "")}, source)
    config = read_kind(folder, kind)
    sha256 = combined_sha256(digests)
    return Model(kind, folder, sha256, config, sha256 in toy_digests(entries))


def planned_source(name: str, kind: str, registry_file: Path = REGISTRY_FILE) -> str:
    """Return how a plan names a network: by its listed name, or by its folder, wherever a job starts."""
    entries = read_registry(registry_file)
    return (
        name if name in entries else os.path.abspath(folder_of(Path(name), kind, sorted(entries)))
    )


def planned_model(plan: StagePlan, kind: str) -> Model:
    """Return the network that a stage's plan names, with every byte checked.

    Raises
    ------
    InfrastructureError
        If it is not the network that the plan was made with.
    """
    planned: PlannedModel = plan.models[kind]
    try:
        model = find_model(planned.source, kind)
    except ModelError as error:
        raise InfrastructureError(str(error)) from None
    if model.sha256 != planned.sha256:
        raise InfrastructureError(
            f"the {kind} network {planned.source} was changed while the workflow was running; "
            "run the same command again"
        )
    return model
