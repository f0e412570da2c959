"""What the tests of evaluation share."""

from collections.abc import Callable

import pytest
from batch_server import TERMS, Batched, Server

from fake_dataset import row_of, write_dataset
from offbeat.dataset.folder import Dataset
from offbeat.dataset.schema import VariantRow
from offbeat.dataset.variant import Variant
from offbeat.evaluation.runner import run_models


@pytest.fixture
def make_variant(tmp_path) -> Callable[..., Variant]:
    def make(**changes) -> Variant:
        return Variant(row=VariantRow(**{**row_of(0), **changes}), folder=tmp_path)

    return make


@pytest.fixture
def dataset(tmp_path) -> Dataset:
    """5 sources x 2 lengths x 5 delays = 50 variants."""
    return write_dataset(tmp_path / "set")


@pytest.fixture
def server() -> Server:
    """Takes batches; the tests of servers that answer at once have others."""
    return Server()


@pytest.fixture
def run(dataset, tmp_path, server):
    """Ask the model before that server about the whole dataset."""
    return lambda **changes: run_models(dataset, [Batched(server)], out=tmp_path / "run", terms=TERMS, **changes)
