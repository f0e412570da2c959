"""The probe before a run: who fails it is not asked, unless the user insists; who has passed it is not probed again."""

import asyncio
import time
from dataclasses import replace
from datetime import date

import pytest
from builds import build, card_file, settings
from probe_models import Deaf, Dice, Failing, Watching

from offbeat.errors import ModelError, ModelUnavailable, TransientError
from offbeat.evaluation.admission import admit
from offbeat.evaluation.calls.calling import Caller
from offbeat.evaluation.calls.limiter import Limiter
from offbeat.evaluation.money.estimate import estimate_run
from offbeat.evaluation.money.prices import Price
from offbeat.evaluation.plan import Selection, plan_models, plan_run
from offbeat.evaluation.question import STUDY, find_question
from offbeat.evaluation.run_folder import noted_probes, open_run
from offbeat.evaluation.runner import run_models
from offbeat.evaluation.status import run_status
from offbeat.evaluation.terms import Terms
from offbeat.models.base import Reply
from offbeat.timing import LABELS


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("admission") / "videos"
    for seed in range(4):
        card_file(folder / f"{seed}.mkv", seed=seed, length_s=4, size=128)
    return build(folder, folder.parent / "set", settings(lengths_s=(1,), delays_s=(0, 0.5)))[1]


class Counting:
    """A model, and how often it was asked."""

    def __init__(self, model, revision="1"):
        self.model, self.calls, self.name, self.revision = model, 0, "counting", revision

    def reply(self, variant, prompt):
        self.calls += 1
        return self.model.reply(variant, prompt)


def noted(out):
    return open_run(out).settings["models"]["counting"]["probe"]


def test_a_deaf_model_is_not_asked_and_told_why(dataset, tmp_path):
    model = Counting(Deaf())
    summary = run_models(dataset, [model], out=tmp_path / "run")
    assert summary.models[0].missing == len(dataset.variants)
    assert open_run(tmp_path / "run").answers == ()
    assert "--even-if-deaf" in summary.models[0].stopped
    assert "sound" in summary.models[0].stopped
    assert (noted(tmp_path / "run")["passed"], noted(tmp_path / "run")["overridden"]) == (False, False)
    assert run_status(tmp_path / "run").models[0].probe["passed"] is False


def test_the_user_insists_and_the_mark_stays(dataset, tmp_path):
    summary = run_models(dataset, [Counting(Deaf())], out=tmp_path / "run", terms=Terms(even_if_deaf=True))
    assert summary.complete
    assert (noted(tmp_path / "run")["passed"], noted(tmp_path / "run")["overridden"]) == (False, True)


def test_who_has_passed_is_not_probed_again(dataset, tmp_path):
    first, second = Counting(Watching()), Counting(Watching())
    run_models(dataset, [first], out=tmp_path / "run")
    probes = first.calls - len(dataset.variants)
    assert probes > 10
    assert noted(tmp_path / "run")["passed"] is True
    run_models(dataset, [second], out=tmp_path / "run", repeats=2)
    assert second.calls == len(dataset.variants)
    newer = Counting(Watching(), revision="2")
    run_models(dataset, [newer], out=tmp_path / "run")
    assert newer.calls == probes + len(dataset.variants)


def test_a_probe_stays_known_when_another_revision_is_asked_another_question(dataset, tmp_path):
    out, letters = tmp_path / "run", [find_question("letters")]
    run_models(dataset, [Counting(Watching())], out=out)
    run_models(dataset, [Counting(Deaf(), revision="2")], out=out, questions=letters, terms=Terms(even_if_deaf=True))
    assert {revision: probe["passed"] for (_, revision), probe in noted_probes(out).items()} == {"1": True, "2": False}
    again = Counting(Watching())
    assert run_models(dataset, [again], out=out, repeats=2).complete
    assert again.calls == len(dataset.variants)


def probe_calls_of(dataset, model, out, *, even_if_deaf=False):
    """As a dry run counts them, with two questions and everything asked twice."""
    plans = plan_run(dataset, [model], [STUDY, find_question("letters")], Selection(), 2, out)
    told = estimate_run(plans, {}, batch=False, probes=noted_probes(out), even_if_deaf=even_if_deaf)
    return [estimate.probe_calls for estimate in told]


def test_a_dry_run_counts_the_probe_only_where_there_will_be_one(dataset, tmp_path):
    out = tmp_path / "run"
    assert probe_calls_of(dataset, Counting(Watching()), out) == [56, 0]
    run_models(dataset, [Counting(Watching())], out=out, repeats=2)
    assert probe_calls_of(dataset, Counting(Watching()), out) == [0, 0]
    assert probe_calls_of(dataset, Counting(Watching(), revision="2"), out) == [56, 0]


def test_a_dry_run_counts_the_probe_that_a_refused_model_will_see_again(dataset, tmp_path):
    out = tmp_path / "run"
    run_models(dataset, [Counting(Deaf())], out=out, terms=Terms(even_if_deaf=True))
    assert probe_calls_of(dataset, Counting(Deaf()), out) == [56, 0]
    assert probe_calls_of(dataset, Counting(Deaf()), out, even_if_deaf=True) == [0, 0]


def test_who_was_refused_is_not_probed_again_when_the_user_insists(dataset, tmp_path):
    notes, insist = [], Terms(even_if_deaf=True)
    run_models(dataset, [Counting(Deaf())], out=tmp_path / "run")
    assert probe_calls_of(dataset, Counting(Deaf()), tmp_path / "run", even_if_deaf=True) == [0, 0]
    again = Counting(Deaf())
    assert run_models(dataset, [again], out=tmp_path / "run", terms=insist, on_note=notes.append).complete
    assert again.calls == len(dataset.variants)
    assert (noted(tmp_path / "run")["passed"], noted(tmp_path / "run")["overridden"]) == (False, True)
    assert len(notes) == 1
    assert "do not depend on the sound" in notes[0]
    assert notes[0].endswith("It is asked all the same.")


def test_what_a_probe_found_is_told_before_the_first_question(dataset, tmp_path):
    notes = []
    run_models(dataset, [Counting(Watching())], out=tmp_path / "run", on_note=notes.append)
    assert notes == [
        "counting: does it hear and see? A probe, 56 calls at most (more where clips fail)",
        "counting: the probe: Its answers depend on the sound and on the picture.",
    ]


def test_more_clips_are_offered_where_it_cannot_be_told_and_shown_if_wanted(dataset, tmp_path):
    model = Counting(Dice(seed=1))
    stopped = run_models(dataset, [model], out=tmp_path / "run").models[0].stopped
    assert "cannot be told from 4 clips" in stopped
    assert "--probe-clips 8 shows it more clips" in stopped
    wanted = Counting(Watching())
    assert run_models(dataset, [wanted], out=tmp_path / "run", terms=Terms(probe_clips=5)).complete
    assert wanted.calls == 5 * 14 + len(dataset.variants)


def test_insisting_once_does_not_admit_for_ever(dataset, tmp_path):
    run_models(dataset, [Counting(Deaf())], out=tmp_path / "run", terms=Terms(even_if_deaf=True))
    again = run_models(dataset, [Counting(Deaf())], out=tmp_path / "run", repeats=2)
    assert "--even-if-deaf" in again.models[0].stopped


def test_nothing_left_to_ask_needs_no_probe(dataset, tmp_path):
    run_models(dataset, [Counting(Watching())], out=tmp_path / "run")
    done = Counting(Deaf())
    assert run_models(dataset, [done], out=tmp_path / "run").complete
    assert done.calls == 0


def test_a_probe_that_fails_is_no_verdict(dataset, tmp_path):
    model = Counting(Failing(TransientError("connection refused"), after=3))
    summary = run_models(dataset, [model], out=tmp_path / "run", terms=Terms(first_wait_s=1e-4))
    assert "connection refused" in summary.models[0].stopped
    assert "--even-if-deaf" not in summary.models[0].stopped


def test_the_probe_is_noted_before_the_first_question(dataset, tmp_path):
    """Killed in the midst of asking, a run still bears the mark, and is not probed again."""
    seen = []

    class Noting(Counting):
        def reply(self, variant, prompt):
            seen.append(noted(tmp_path / "run"))
            return super().reply(variant, prompt)

    run_models(dataset, [Noting(Deaf())], out=tmp_path / "run", terms=Terms(even_if_deaf=True))
    asked = seen[-len(dataset.variants) :]
    assert seen[0] is None
    assert [(probe["passed"], probe["overridden"]) for probe in asked] == [(False, True)] * len(asked)


def test_a_probe_that_was_cut_short_is_gone_on_with_although_the_user_insists(dataset, tmp_path):
    insist = Terms(even_if_deaf=True, first_wait_s=1e-4)
    broken = Failing(TransientError("connection refused"), after=3 * 14 + 3)
    run_models(dataset, [Counting(broken)], out=tmp_path / "run", terms=insist)
    assert "connection refused" in noted(tmp_path / "run")["error"]
    again = Counting(Watching())
    assert run_models(dataset, [again], out=tmp_path / "run", terms=insist).complete
    assert again.calls == 14 + len(dataset.variants)
    assert noted(tmp_path / "run")["passed"] is True


def test_a_killed_probe_is_gone_on_with(dataset, tmp_path):
    """Nothing of the process is left but the run folder: each clip is kept when it was shown to its end."""

    class Killed(Counting):
        def reply(self, variant, prompt):
            if self.calls == 20:
                raise KeyboardInterrupt  # no failure of a model: it goes through everything
            return super().reply(variant, prompt)

    with pytest.raises(KeyboardInterrupt):
        run_models(dataset, [Killed(Watching())], out=tmp_path / "run")
    assert (noted(tmp_path / "run")["clips"], noted(tmp_path / "run")["error"]) == (1, "it was cut short")
    again = Counting(Watching())
    assert run_models(dataset, [again], out=tmp_path / "run").complete
    assert again.calls == 3 * 14 + len(dataset.variants)


class Paid(Counting):
    price_name = "paid"

    def expected_usage(self, variant, prompt):
        return {"input_tokens": 1_000_000, "output_tokens": 0}


def test_half_a_probe_for_which_the_money_was_enough_is_not_paid_twice(dataset, tmp_path):
    price = Price(name="paid", input_usd=1, output_usd=1, since=date(2026, 1, 1), source="a test")

    def terms(most_usd):
        return Terms(prices={"paid": price}, most_usd=most_usd)

    first, second = Paid(Watching()), Paid(Watching())
    stopped = run_models(dataset, [first], out=tmp_path / "run", terms=terms(30)).models[0].stopped
    assert first.calls == 30
    assert "more than the $30 of --max-cost; raise it to go on" in stopped
    summary = run_models(dataset, [second], out=tmp_path / "run", terms=terms(100))
    assert summary.complete
    assert second.calls == 2 * 14 + len(dataset.variants)
    assert summary.spent_usd == 30 + second.calls


@pytest.mark.parametrize("insist", [False, True])
@pytest.mark.parametrize("calls", [3, 50])
def test_an_interrupted_probe_is_no_verdict(dataset, calls, insist):
    """Not even where it was the question that a model may refuse: call 50 is one of those, of the last clip."""
    last = dataset.variants[-1].row.clip_id
    lengths = [
        replace(one, row=one.row.model_copy(update={"clip_length_s": 0.5})) if one.row.clip_id == last else one
        for one in dataset.variants
    ]
    mixed = replace(dataset, variants=tuple(lengths))  # no length of a clip is at fault
    plans = plan_models(mixed, [Counting(Watching())], [STUDY], Selection(), 1, None)

    async def go():
        halted = asyncio.Event()

        class Halting(Counting):
            def reply(self, variant, prompt):
                if self.calls == calls:
                    loop.call_soon_threadsafe(halted.set)
                return super().reply(variant, prompt)

        loop = asyncio.get_running_loop()
        model = Halting(Watching())
        caller = Caller(model, limiter=Limiter(most=1, halted=halted, clock=time.monotonic), halted=halted)
        return await admit(model, plans, caller, former=None, even_if_deaf=insist, on_note=notes.append)

    notes = []
    admission = asyncio.run(go())
    assert admission.record["error"] == "the run was interrupted"
    assert admission.record["sound"] is None
    assert not any("asked all the same" in note for note in notes)
    assert admission.record["overridden"] is False


def test_who_takes_no_batches_is_not_even_probed(dataset, tmp_path):
    model = Counting(Watching())
    summary = run_models(dataset, [model], out=tmp_path / "run", terms=Terms(batch=True))
    assert "takes no batches" in summary.models[0].stopped
    assert model.calls == 0


@pytest.mark.parametrize("failure", [ModelUnavailable("no such model"), None], ids=["gone", "no money"])
def test_nobody_is_asked_all_the_same_who_cannot_be_asked(failure, dataset, tmp_path):
    price, notes = Price(name="paid", input_usd=1, output_usd=1, since=date(2026, 1, 1), source="a test"), []
    model = Paid(Watching() if failure is None else Failing(failure, after=5))
    terms = Terms(prices={"paid": price}, most_usd=5 if failure is None else None, even_if_deaf=True)
    (summary,) = run_models(dataset, [model], out=tmp_path / "run", terms=terms, on_note=notes.append).models
    assert model.calls == (5 if failure is None else 6)
    assert ("--max-cost; raise it to go on" if failure is None else "no such model") in summary.stopped
    assert len(notes) == 1
    record = open_run(tmp_path / "run").settings["models"]["counting"]["probe"]
    assert (record["passed"], record["overridden"]) == (False, False)
    assert open_run(tmp_path / "run").answers == ()


@pytest.mark.parametrize("always", [True, False])
def test_the_line_at_fault_of_a_model_of_ones_own_is_told(always, dataset, tmp_path, caplog):
    class Tripping:
        name, revision = "tripping", "1"

        def reply(self, variant, prompt):
            if always or prompt.options != LABELS:
                raise ZeroDivisionError("here")
            return Reply("sync")

    run_models(dataset, [Tripping()], out=tmp_path / "run")
    logged = [record for record in caplog.records if "tripping failed on a clip of the probe" in record.message]
    assert len(logged) == (3 if always else 0)
    assert all("test_admission.py" in record.message and "here" in record.message for record in logged)


def test_what_hindered_a_probe_and_that_it_is_asked_all_the_same_are_two_sentences(dataset, tmp_path):
    class Broken:
        name, revision = "broken", "1"

        def reply(self, variant, prompt):
            raise ModelError("no luck")

    notes = []
    run_models(dataset, [Broken()], out=tmp_path / "run", terms=Terms(even_if_deaf=True), on_note=notes.append)
    assert notes[-1].endswith("could not be carried out: no luck. It is asked all the same.")
