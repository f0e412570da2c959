"""Runs with one to eight workers: every clip goes to one of them, and how many there are changes nothing."""

import shlex
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from fake_dataset import write_dataset
from offbeat.evaluation.run_folder import open_run
from offbeat.evaluation.runner import run_models
from offbeat.evaluation.terms import Terms
from offbeat.models.registry import make_model

TINY = Path(__file__).with_name("tiny_worker.py")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("set"), sources=13, lengths=(3.0,), delays=3)  # shared out unevenly


class Ran:
    """A run, and what the workers wrote down of it."""

    def __init__(self, dataset, folder, *words, **options):
        folder.mkdir()
        self.log = folder / "log"
        command = [sys.executable, str(TINY), "blind", f"log={self.log}", *filter(None, words)]
        model = make_model(f"worker:{shlex.join(command)}", options=options)
        terms = Terms(first_wait_s=1e-6)
        (self.summary,) = run_models(dataset, [model], out=folder / "run", terms=terms).models
        self.kept = open_run(folder / "run").answers
        self.answers = {answer.variant_id: answer.text for answer in self.kept}
        lines = [shlex.split(line) for line in self.log.read_text().splitlines()]
        self.hellos = {line[0]: dict(word.split("=", 1) for word in line[2:]) for line in lines if line[1] == "hello"}
        self.asks = [(line[0], line[2], line[3]) for line in lines if line[1] == "ask"]
        self.closed = [line[0] for line in lines if line[1] == "close"]


@pytest.fixture(scope="module")
def alone(dataset, tmp_path_factory):
    return Ran(dataset, tmp_path_factory.mktemp("one") / "ran")


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
@pytest.mark.parametrize("together", ["", "together"])
def test_how_many_workers_changes_no_answer(dataset, alone, tmp_path, workers, together):
    ran = Ran(dataset, tmp_path / "ran", together, workers=workers)
    assert ran.summary.outcomes["ok"] == 39
    assert ran.answers == alone.answers
    assert len(set(alone.answers.values())) == 3, "or the answers would not tell clips apart"
    assert Counter(variant for _, _, variant in ran.asks) == Counter(dict.fromkeys(alone.answers, 1))
    of_clip = defaultdict(set)
    for pid, clip, _ in ran.asks:
        of_clip[clip].add(pid)
    assert all(len(pids) == 1 for pids in of_clip.values()), "a clip is one worker's"
    assert len(ran.hellos) <= workers
    assert sorted(ran.closed) == sorted(ran.hellos), "each was told to close"


def test_several_workers_share_the_clips_out(dataset, tmp_path):
    slow = Ran(dataset, tmp_path / "ran", "slow", workers=3)
    assert len({pid for pid, _, _ in slow.asks}) == 3


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
@pytest.mark.parametrize("together", ["", "together"])
def test_a_worker_that_is_killed_in_a_run_is_replaced(dataset, alone, tmp_path, workers, together):
    ran = Ran(dataset, tmp_path / "ran", together, "do=kill@2", f"once={tmp_path / 'once'}", workers=workers)
    assert ran.summary.outcomes["ok"] == 39
    assert ran.answers == alone.answers
    again = {variant: count for variant, count in Counter(v for _, _, v in ran.asks).items() if count > 1}
    assert list(again.values()) == [2], "the one that it was asked about"
    assert len(ran.hellos) <= workers + 1


@pytest.mark.parametrize("together", ["", "together"])
def test_what_a_worker_says_may_pass_is_asked_again(dataset, alone, tmp_path, together):
    ran = Ran(dataset, tmp_path / "ran", together, "do=error-transient@2")
    assert ran.answers == alone.answers
    (told,) = [a.details["failed_attempts"] for a in ran.kept if "failed_attempts" in a.details]
    assert "no luck" in told[0]
    assert len(ran.asks) == 40


def test_a_variant_that_kills_is_an_error_and_asked_again_by_the_next_run(dataset, alone, tmp_path):
    ran = Ran(dataset, tmp_path / "ran", "do=die-on", "variant=v000007", workers=2)
    assert (ran.summary.outcomes["ok"], ran.summary.outcomes["error"]) == (38, 1)
    (error,) = [a for a in ran.kept if a.outcome == "error"]
    assert error.variant_id == "v000007"
    assert "exit code 4" in error.error


def test_workers_that_cannot_be_used_stop_the_run(dataset, tmp_path):
    ran = Ran(dataset, tmp_path / "ran", "do=error-unavailable", workers=2)
    assert "no luck" in ran.summary.stopped
    assert len(ran.asks) <= 4


def test_each_worker_has_its_own_device(dataset, tmp_path):
    ran = Ran(dataset, tmp_path / "ran", "slow", devices="4,GPU-abc")
    assert sorted(hello["CUDA_VISIBLE_DEVICES"] for hello in ran.hellos.values()) == ["4", "GPU-abc"]
    more = Ran(dataset, tmp_path / "more", "slow", devices=[0, 1], workers=4, device_env="TINY")
    assert sorted(hello["TINY"] for hello in more.hellos.values()) == ["0", "0", "1", "1"]
