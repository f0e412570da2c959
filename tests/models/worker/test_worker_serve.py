"""Any model of Offbeat's, served by a process of its own, says what it says in process."""

import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from offbeat.errors import ModelError, ModelUnavailable, RequestRejected
from offbeat.models.base import Prompt
from offbeat.models.registry import make_model

OWN = Path(__file__).with_name("own_models.py")
PROMPT = Prompt("Which?", ("sync", "ahead", "behind"), ("A", "B", "C"), system="Be brief.")


def served(spec, **options):
    return make_model(f"worker:{sys.executable} -m offbeat.models.worker.serve {spec}", options=options)


def test_the_detector_says_the_same(variants):
    there, here = served("signal"), make_model("signal")
    said = there.replies(variants, [PROMPT] * 3)
    assert [asdict(one) for one in said] == [asdict(here.reply(variant, PROMPT)) for variant in variants]
    assert len({one.text for one in said}) > 1
    assert there.revision == f"signal {here.revision} protocol=1 media=file"
    assert there.looks


def test_seed_and_name_of_a_reference_model_go_through(variants):
    there, here = served("random --seed 5"), make_model("random", seed=5)
    assert [reply.text for reply in there.replies(variants, [PROMPT] * 3)] == [
        here.reply(variant, PROMPT).text for variant in variants
    ]
    assert (there.looks, here.revision in there.revision) == (False, True)


def test_the_truth_does_not_go_through(variants):
    assert [reply.text for reply in served("oracle").replies(variants, [PROMPT] * 3)] == ["A", "A", "A"]


def test_one_that_takes_a_clip_together(variants):
    said = served(f"{OWN}:Together --option add=10").replies(variants, [PROMPT] * 3)
    assert isinstance(said[1], RequestRejected)
    assert [(said[k].text, said[k].details["id"]) for k in (0, 2)] == [("13", "v0"), ("13", "v2")]


def test_an_asynchronous_one_and_its_faults(variants):
    first, second, third = served(f"{OWN}:Awaited").replies(variants, [PROMPT] * 3)
    assert (first.text, first.stop, first.probabilities) == ("Be brief.", "unsure", {"sync": 1.0})
    assert (type(second), type(third)) == (ModelError, ModelError)
    assert "nothing to say" in str(second)
    assert "ZeroDivisionError: by zero" in str(third)


def test_a_fault_costs_an_answer_and_not_the_worker(variants):
    """Which has its weights loaded."""
    model = served(f"{OWN}:Faulty")
    said = [model.replies(variants, [PROMPT] * 3) for _ in range(4)]
    shown = [[str(one) if isinstance(one, ModelError) else one.text for one in each] for each in said]
    assert "TypeError: Object of type float32 is not JSON serializable" in shown[0][0]
    assert "TypeError: expected a Reply, got 'ahead'" in shown[0][1]
    assert shown[0][2] == "1"
    assert all("ValueError: 2 replies to 3 variants" in one for one in shown[1])
    assert all("SystemExit: enough" in one for one in shown[2])
    assert shown[3] == ["4", "4", "4"]


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("sgnal", "did you mean 'signal'"),
        ("signal --option fps=8", "no model takes the option 'fps'"),
        ("always:blue", "blue"),
    ],
)
def test_one_that_cannot_be_made(spec, told):
    with pytest.raises(ModelUnavailable, match=told):
        served(spec)
