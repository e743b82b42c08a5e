"""Deliveries of stations: every good one becomes one scan, of every bad one the right reason is told, none is lost."""

import random

import pytest
from support.deliveries.ingesting import Study
from support.deliveries.station_cohort import BAD, GOOD, RULES, delivered, seam_errors
from support.deliveries.stations import tall

from wirbel.io.sidecars import read_json

ELSEWHERE = ("folders", "tars", "multi_frame")
"""Ways of packing that tests/unit/test_ingest_delivery.py looks at."""
WAYS = {way: what for way, what in {**GOOD, **BAD}.items() if way.__name__ not in ELSEWHERE}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """One delivery in each way, in random order; returns the study, its records and the stations."""
    study, ways, stations = Study(tmp_path_factory.mktemp("cohort")), list(WAYS), {}
    image, random_ = tall(rows=204, seed=4), random.Random(5)
    for way in random_.sample(ways, len(ways)):
        name = way.__name__.replace("_", "")
        paths, stations[way] = delivered(way, study.folder / name, image, 20 + ways.index(way))
        for path in random_.sample(paths, len(paths)):
            study.deliver(name, path)
    return study, study.run(stations=RULES), stations


def _record(cohort, way):
    return cohort[1][f"sub-{way.__name__.replace('_', '')}"]


def test_nobody_is_lost(cohort):
    assert len(cohort[1]) == len(WAYS)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_delivery_becomes_a_scan_or_is_named_with_its_reason(cohort, way):
    record = _record(cohort, way)
    assert (record.status, record.reason) == (
        "failed" if WAYS[way].reason else "ok",
        WAYS[way].reason,
    )
    if record.status == "ok":
        told = read_json(cohort[0].out / record.outputs[1])
        assert told.get("MissingStations", {}) == WAYS[way].missing
        assert len(told["Stations"]) == 3 - len(WAYS[way].missing)


@pytest.mark.parametrize(
    "way", [way for way in WAYS if not WAYS[way].reason], ids=lambda way: way.__name__
)
def test_seams_are_found_to_half_a_millimetre(cohort, way):
    errors = seam_errors(read_json(cohort[0].out / _record(cohort, way).outputs[1]), cohort[2][way])
    assert len(errors) == 2 - len(WAYS[way].missing)
    assert max(error.shift_mm for error in errors) < 0.5
    assert max(error.rotation_deg for error in errors) < 0.5
