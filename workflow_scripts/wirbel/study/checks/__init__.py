"""Cheap checks before costly work, each with one sentence that says what to do."""
