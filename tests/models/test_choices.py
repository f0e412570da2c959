"""Probabilities of options from tokens, against sums over every way a made-up model could go."""

import itertools
import math

import numpy as np
import pytest

from offbeat.models.base import Prompt
from offbeat.models.choices import AMBIGUOUS_MASS, chances_of, place_of

PROMPT = Prompt(text="?", options=("sync", "ahead", "behind"))


def at(said, **chances):
    """A place from probabilities; `__` in a name is a space before the token."""
    return place_of(said, [(name.replace("__", " "), math.log(chance)) for name, chance in chances.items()])


def test_spellings_are_added_and_the_mass_is_kept():
    told = chances_of(PROMPT, [at("Ahead", Ahead=0.4, ahead=0.1, __ahead=0.05, Sync=0.25, The=0.1)])
    assert told.mass == pytest.approx(0.8)
    assert told.probabilities == pytest.approx({"ahead": 0.55 / 0.8, "sync": 0.25 / 0.8, "behind": 0.0})
    assert told.details() == {"option_mass": 0.8}


@pytest.mark.parametrize(
    "token",
    ["ahead", " ahead", "Ahead", "AHEAD", "▁ahead", "Ġahead", '"ahead', "**Ahead", "ahead.", "\nahead", "“Ahead”"],
)
def test_case_spaces_quotes_and_marks_do_not_matter(token):
    told = chances_of(PROMPT, [place_of(token, [(token, math.log(0.9))])])
    assert told.probabilities == {"ahead": 1.0, "sync": 0.0, "behind": 0.0}
    assert told.mass == pytest.approx(0.9)


def test_a_word_of_several_tokens_is_followed():
    told = chances_of(PROMPT, [at("beh", beh=0.6, sync=0.4), at("ind", ind=0.5, ave=0.5)])
    assert told.mass == pytest.approx(0.7)
    assert told.probabilities == pytest.approx({"behind": 0.3 / 0.7, "sync": 0.4 / 0.7, "ahead": 0.0})


def test_a_beginning_that_was_not_followed_counts_in_full():
    told = chances_of(PROMPT, [at("sync", sync=0.7, beh=0.3)])
    assert told.probabilities == pytest.approx({"sync": 0.7, "behind": 0.3, "ahead": 0.0})


def test_a_letter_is_no_beginning():
    """`A` (token 32 of Qwen) begins AHEAD and half of all sentences."""
    told = chances_of(PROMPT, [at("sync", sync=0.5, A=0.3, BE=0.2)])
    assert told.probabilities == {"sync": 1.0, "ahead": 0.0, "behind": 0.0}
    assert told.mass == pytest.approx(0.5)


def test_two_letters_are_a_beginning_where_they_are_written_as_asked():
    """Qwen's `together` is `to`, `gether`: a model that says `early` may have been about to say that."""
    plain = Prompt(text="?", options=("sync", "ahead", "behind"), words=("together", "early", "late"))
    told = chances_of(plain, [at("early", early=0.4, to=0.3, TO=0.1, __ea=0.1, t=0.1)])
    assert told.probabilities == pytest.approx({"ahead": 5 / 8, "sync": 3 / 8, "behind": 0.0})
    capital = Prompt(text="?", options=("sync", "ahead", "behind"), words=("Together", "Early", "Late"))
    told = chances_of(capital, [at("Early", Early=0.4, to=0.3, To=0.1)])
    assert told.probabilities == pytest.approx({"ahead": 0.8, "sync": 0.2, "behind": 0.0})


def test_a_short_beginning_counts_where_it_was_followed():
    told = chances_of(PROMPT, [at("A", A=0.6, sync=0.4), at("HEAD", HEAD=0.9)])
    assert told.probabilities == pytest.approx({"ahead": 0.54 / 0.94, "sync": 0.4 / 0.94, "behind": 0.0})


def test_letters_as_words():
    lettered = Prompt(text="?", options=("sync", "ahead", "behind"), words=("A", "B", "C"))
    told = chances_of(lettered, [at("B", B=0.5, A=0.3, C=0.1, Behind=0.05)])
    assert told.probabilities == pytest.approx({"ahead": 5 / 9, "sync": 3 / 9, "behind": 1 / 9})


def test_the_reply_may_begin_with_a_mark():
    told = chances_of(PROMPT, [at('"', **{'"': 0.9, "sync": 0.1}), at("ahead", ahead=0.8, sync=0.2)])
    assert told.probabilities == pytest.approx({"ahead": 0.72, "sync": 0.28, "behind": 0.0})
    assert told.mass == pytest.approx(1.0)


def test_a_longer_word_is_not_the_option():
    told = chances_of(PROMPT, [at("sync", sync=0.9, ahead=0.1), at("hron", hron=1.0)])
    assert told.probabilities == {"sync": 0.0, "ahead": 1.0, "behind": 0.0}
    for after in (".", "<|im_end|>", "", "\n"):
        told = chances_of(PROMPT, [at("sync", sync=0.9, ahead=0.1), place_of(after, [(after, 0.0)])])
        assert told.probabilities == pytest.approx({"sync": 0.9, "ahead": 0.1, "behind": 0.0})


def test_beginnings_that_fit_several_options_forbid_probabilities():
    close = Prompt(text="?", options=("early", "earlier", "sync"))
    told = chances_of(close, [at("sync", sync=0.9, ear=0.1)])
    assert told.probabilities is None
    assert "0.100" in (told.reason or "")
    assert told.details()["option_mass"] == pytest.approx(0.9)
    followed = chances_of(close, [at("ear", ear=0.9, sync=0.1), at("lier", lier=0.75, ly=0.25)])
    assert followed.probabilities == pytest.approx({"earlier": 0.675, "early": 0.225, "sync": 0.1})
    whole = Prompt(text="?", options=("in", "inside"))
    assert chances_of(whole, [at("inside", inside=0.5, **{"in": 0.5})]).probabilities is None  # it may have gone on
    assert chances_of(whole, [at("in", inside=0.5, **{"in": 0.5}), at(".", **{".": 1.0})]).probabilities == {
        "in": 0.5,
        "inside": 0.5,
    }
    rare = chances_of(close, [at("sync", sync=0.9, ear=AMBIGUOUS_MASS / 2)])
    assert rare.probabilities == {"sync": 1.0, "early": 0.0, "earlier": 0.0}


def test_no_option_among_the_candidates():
    told = chances_of(PROMPT, [at("The", The=0.9, I=0.1), at("sync", sync=1.0)])
    assert (told.probabilities, told.mass) == (None, 0.0)
    assert told.details()["no_probabilities"] == "no option is among the candidates for the first token"
    assert chances_of(PROMPT, []).details() == {"no_probabilities": "the server sent no log-probabilities"}


def test_what_is_no_probability_is_left_out():
    odd = [("sync", math.log(0.5)), ("ahead", float("nan")), ("behind", float("-inf")), ("x", 7.0), ("ahead", 1e-6)]
    place = place_of("sync", odd[:4])
    assert place.logprobs == {"sync": math.log(0.5)}
    assert chances_of(PROMPT, [place_of("sync", odd)]).mass == 1.0  # never above 1
    assert place_of("sync", [("sync", -9999.0)]).logprobs == {}  # how vLLM writes minus infinity


def test_what_was_said_may_be_missing_among_the_candidates():
    told = chances_of(PROMPT, [at("Hm", sync=0.6, ahead=0.2)])
    assert told.probabilities == pytest.approx({"sync": 0.75, "ahead": 0.25, "behind": 0.0})
    told = chances_of(PROMPT, [at("beh", beh=0.5, sync=0.5), at("???", ind=0.8, ave=0.1)])
    assert told.probabilities == pytest.approx({"behind": 0.4 / 0.9, "sync": 0.5 / 0.9, "ahead": 0.0})


def test_words_that_cannot_be_told_apart():
    alike = Prompt(text="?", options=("a", "b"), words=("Yes", "yes"))
    assert "differ only" in (chances_of(alike, [at("yes", yes=1.0)]).reason or "")


def test_other_scripts():
    chinese = Prompt(text="?", options=("sync", "ahead", "behind"), words=("同步", "超前", "滞后"))
    told = chances_of(chinese, [at("同", 同=0.5, 超=0.3, 滞后=0.2), at("步", 步=1.0)])
    assert told.probabilities == pytest.approx({"sync": 0.5, "ahead": 0.3, "behind": 0.2})


@pytest.mark.parametrize("seed", range(20))
def test_equals_the_sum_over_all_ways_of_a_known_model(seed):
    """A model of two tokens with a random chance for each way; every way is summed up by hand."""
    draw = np.random.default_rng(seed)
    firsts = ["sync", " Ahead", "beh", "Be", "The", "A"]
    seconds = ["ind", "hind", "ave", " end"]
    first = dict(zip(firsts, draw.dirichlet(np.ones(len(firsts))), strict=True))
    second = {one: dict(zip(seconds, draw.dirichlet(np.ones(len(seconds))), strict=True)) for one in firsts}
    exact = dict.fromkeys(PROMPT.options, 0.0)
    for one, two in itertools.product(firsts, seconds):
        text = one if one.strip().lower() in PROMPT.options else one + two
        for option in PROMPT.options:
            if text.strip().lower() == option:
                exact[option] += first[one] * second[one][two]
    said = "beh"
    told = chances_of(
        PROMPT,
        [
            place_of(said, [(one, math.log(p)) for one, p in first.items()]),
            place_of("ind", [(two, math.log(p)) for two, p in second[said].items()]),
        ],
    )
    exact["behind"] -= first["Be"] * second["Be"]["hind"]  # not followed, and too short to count
    total = sum(exact.values())
    assert told.mass == pytest.approx(total)
    assert told.probabilities == pytest.approx({option: p / total for option, p in exact.items()})
