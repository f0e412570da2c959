"""A model that can no longer tell who it is: no answer is lost over that, and no other model goes unasked."""

from datetime import date

import pytest
from builds import build, card_file, settings
from probe_models import Watching

from fake_dataset import write_dataset
from offbeat.errors import ModelUnavailable
from offbeat.evaluation.money.prices import Price
from offbeat.evaluation.run_folder import open_run
from offbeat.evaluation.runner import run_models
from offbeat.evaluation.terms import Terms
from offbeat.models.base import Reply
from offbeat.models.reference import Always

PRICE = Price(name="p", input_usd=1.0, output_usd=1.0, since=date(2026, 1, 1), source="a test")


class Forgetful:
    """Knows its name and its revision until it has replied so many times."""

    looks = False

    def __init__(self, *forgets, after=0):
        self.forgets, self.left = forgets, after

    def _told(self, what):
        if what in self.forgets and self.left <= 0:
            raise OSError(f"the file of its {what} is gone")
        return f"my {what}"

    @property
    def name(self):
        return self._told("name")

    @property
    def revision(self):
        return self._told("revision")

    def reply(self, variant, prompt):
        self.left -= 1
        return Reply("sync", usage={"input_tokens": 1, "output_tokens": 1})


class Awaited(Forgetful):
    async def reply(self, variant, prompt):
        return Forgetful.reply(self, variant, prompt)


class Together(Forgetful):
    at_once = 1

    def replies(self, variants, prompts):
        return [self.reply(*one) for one in zip(variants, prompts, strict=True)]


class Paid(Awaited):
    price_name = "p"

    def expected_usage(self, variant, prompt):
        return {"input_tokens": 1, "output_tokens": 1}


@pytest.mark.parametrize("kind", [Forgetful, Awaited, Together, Paid])
def test_every_answer_is_kept_under_what_was_told_before(kind, tmp_path):
    dataset = write_dataset(tmp_path / "set", sources=3, lengths=(3.0,), delays=4)
    models = [kind("name", "revision", after=5), Always(argument="sync")]
    summary = run_models(dataset, models, out=tmp_path / "run", terms=Terms(prices={"p": PRICE}))
    assert summary.complete
    assert [model.outcomes["ok"] for model in summary.models] == [12, 12]
    kept = [answer for answer in open_run(tmp_path / "run").answers if answer.model == "my name"]
    assert {answer.revision for answer in kept} == {"my revision"}
    (again,) = run_models(dataset, [kind(after=9)], out=tmp_path / "run", terms=Terms(prices={"p": PRICE})).models
    assert again.kept == 12


@pytest.mark.parametrize("forgets", ["name", "revision"])
def test_one_that_can_no_longer_tell_when_its_turn_comes_is_stopped_alone(forgets, tmp_path):
    dataset = write_dataset(tmp_path / "set", sources=1, lengths=(3.0,), delays=2)
    second = Forgetful(forgets, after=1)

    class First(Always):
        def reply(self, variant, prompt):
            second.left = 0
            return super().reply(variant, prompt)

    models = [First(argument="sync"), second, Always(argument="ahead")]
    summary = run_models(dataset, models, out=tmp_path / "run")
    assert [model.outcomes["ok"] for model in summary.models] == [2, 0, 2]
    assert f"its {forgets} cannot be told: OSError: the file" in summary.models[1].stopped


def test_what_a_probe_was_told_is_kept(tmp_path):
    videos = tmp_path / "videos"
    card_file(videos / "1.mkv", seed=1, length_s=4, size=128)
    dataset = build(videos, tmp_path / "set", settings(lengths_s=(1,), delays_s=(0,)))[1]

    class Looking(Forgetful):
        looks = True

        def reply(self, variant, prompt):
            self.left -= 1
            return Watching().reply(variant, prompt)

    run_models(dataset, [Looking("name", "revision", after=7)], out=tmp_path / "run", terms=Terms(probe_clips=2))
    record = open_run(tmp_path / "run").settings["models"]["my name"]["probe"]
    assert (record["model"], record["revision"], record["error"]) == ("my name", "my revision", None)
    assert record["clips"] == 2


@pytest.mark.parametrize("forgets", ["name", "revision"])
def test_one_that_cannot_tell_from_the_first_is_named_with_what_it_cannot_tell(forgets, tmp_path):
    dataset = write_dataset(tmp_path / "set", sources=1, lengths=(3.0,), delays=1)
    with pytest.raises(ModelUnavailable) as raised:
        run_models(dataset, [Forgetful(forgets)], out=tmp_path / "run")
    which = "the model of class Forgetful" if forgets == "name" else "my name"
    told = f"{which}: its {forgets} cannot be told: OSError: the file of its {forgets} is gone"
    assert str(raised.value) == told
    assert not (tmp_path / "run").exists()
