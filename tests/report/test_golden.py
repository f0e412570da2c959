"""No figure changes unnoticed: what is computed today is what was kept."""

import json

import pytest
from golden import KEPT, figures


def leaves(value, path=""):
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{path}/{key}")
    elif isinstance(value, list):
        for key, item in enumerate(value):
            yield from leaves(item, f"{path}/{key}")
    else:
        yield path, value


def test_figures_are_those_that_were_kept():
    kept, now = dict(leaves(json.loads(KEPT.read_text(encoding="utf-8")))), dict(leaves(figures()))
    assert kept.keys() <= now.keys()  # keys may be added, and none renamed
    for path, value in kept.items():
        expected = pytest.approx(value, rel=1e-9, abs=1e-12) if isinstance(value, float) else value
        assert now[path] == expected, path
