"""A disk that is full and a folder that cannot be written to: told clearly, and nothing acknowledged is lost."""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from fake_dataset import write_dataset
from offbeat.errors import RunError
from offbeat.evaluation.run_folder import open_run
from offbeat.evaluation.runner import run_models
from offbeat.models.registry import make_model

CHILD = Path(__file__).with_name("child_run.py")
NOBODY = 65534


def _command(dataset: Path, folder: Path) -> list[str]:
    files = [str(folder / name) for name in ("run", "asked", "acknowledged")]
    return [sys.executable, str(CHILD), str(dataset), *files, "0"]


@pytest.mark.parametrize("limit_kb", [10, pytest.param(60, marks=pytest.mark.slow), 300])
def test_a_full_disk_ends_the_run_cleanly(tmp_path, limit_kb):
    """No file may grow beyond the limit: the log at first, the database itself later."""
    dataset = write_dataset(tmp_path / "set", sources=5, lengths=(3.0, 5.0), delays=61)
    command = _command(dataset.folder, tmp_path)
    limit = (limit_kb * 1000, limit_kb * 1000)
    starved = subprocess.run(
        command, capture_output=True, text=True, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    )
    assert starved.returncode == 1
    assert starved.stderr.startswith("RunError: ")
    assert "disk full" in starved.stderr
    assert "Traceback" not in starved.stderr
    told = set((tmp_path / "acknowledged").read_text().split())
    assert len(told) < 610
    assert bool(told) == (limit_kb >= 60)
    if told:
        assert told <= {answer.variant_id for answer in open_run(tmp_path / "run").answers}

    subprocess.run(command, check=True)
    assert len(open_run(tmp_path / "run").answers) == 610
    assert len((tmp_path / "acknowledged").read_text().split()) == 610


@pytest.fixture
def public():
    """A folder that other users may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@contextmanager
def without_rights():
    """The superuser may write anywhere: be somebody else meanwhile."""
    if os.getuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_that_cannot_be_written_to(public):
    dataset = write_dataset(public / "set", sources=1, lengths=(3.0,), delays=3)
    (public / "run").mkdir(mode=0o555)
    model = make_model("random")  # while what is installed may be read
    for out in (public / "run", public / "run" / "deeper"):
        with (
            without_rights(),
            pytest.raises(RunError, match=r"cannot be written to \(Permission denied\); choose another folder"),
        ):
            run_models(dataset, [model], out=out)


def test_a_run_that_cannot_be_written_to_can_be_read(public):
    dataset = write_dataset(public / "set", sources=1, lengths=(3.0,), delays=3)
    run_models(dataset, [make_model("random")], out=public / "run")
    for path in (public / "run").iterdir():
        path.chmod(0o444)
    (public / "run").chmod(0o555)
    with without_rights():
        assert len(open_run(public / "run").answers) == 3
    (public / "run").chmod(0o755)
