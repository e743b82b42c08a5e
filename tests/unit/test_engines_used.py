"""Sidecars name the engine that computed a scan's networks, whatever was planned."""

import pytest

from wirbel.manifests.engines import EnginesUsed
from wirbel.manifests.records import OK, Record, RecordBook, records_file
from wirbel.models.engine import with_engines

PLANNED = {"Models": {}, "ProcessorEngine": "openvino"}


def used(folder, **devices):
    """What is told of a scan whose networks ran on these devices."""
    for stage, device in devices.items():
        book = RecordBook(records_file(folder, "b00001"), stage)
        book.put(Record("sub-01", OK, key="key", device=device))
    return EnginesUsed("b00001").of("sub-01", folder)


@pytest.mark.parametrize(
    ("semantic", "instance", "told"),
    [
        ("cpu openvino", "cpu openvino", {"ProcessorEngine": "openvino"}),
        ("cpu torch", "cpu openvino", {"ProcessorEngine": "torch, openvino"}),
        ("cpu torch", "cpu torch", {}),  # layers that OpenVINO lacks
        ("cuda", "cuda", {}),
    ],
)
def test_a_sidecar_names_what_computed(semantic, instance, told, tmp_path):
    found = used(tmp_path, semantic=semantic, instance=instance)
    assert with_engines(PLANNED, found) == {"Models": {}, **told}


def test_without_records_of_both_networks_the_plan_is_all_that_is_known(tmp_path):
    found = used(tmp_path, semantic="cpu torch")
    assert found is None
    assert with_engines(PLANNED, found) == PLANNED
