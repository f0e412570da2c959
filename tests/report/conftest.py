"""One report of a small run, made once for all tests that only look at it."""

import pytest
from report_samples import guess, sample_answers, sample_dataset, tiny_mp4, write_dataset, write_run


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    return tiny_mp4(tmp_path_factory.mktemp("clip") / "clip.mp4")


@pytest.fixture
def run(tmp_path, clip):
    """A run folder beside its dataset: `always:sync` and a model that is half right."""
    dataset = sample_dataset(tmp_path / "set", lengths=(3.0, 5.0))
    write_dataset(dataset, clip)
    answers = [
        *sample_answers(dataset, "always:sync", lambda row: "sync"),
        *sample_answers(dataset, "half right", guess(0.5)),
    ]
    return write_run(tmp_path / "run", dataset, answers)
