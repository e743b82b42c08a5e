"""Imports of large libraries leave nothing for Python's collector of garbage to look through."""

import gc

import pytest

from wirbel.runner.machine.imports import lasting_imports


@pytest.fixture(autouse=True)
def unfrozen():
    yield
    gc.unfreeze()


def test_the_collector_rests_during_an_import_and_forgets_what_it_made():
    with lasting_imports():
        assert not gc.isenabled()
        made = [[] for _ in range(1000)]
    assert gc.isenabled()
    looked_through = {id(thing) for thing in gc.get_objects()}
    assert not any(id(thing) in looked_through for thing in made)


def test_the_collector_works_again_after_an_import_that_failed():
    with pytest.raises(ImportError), lasting_imports():
        raise ImportError
    assert gc.isenabled()
