"""Chance is chance, a constant is constant, the oracle is right."""

import numpy as np
import pytest
from scipy.stats import chisquare

from offbeat.errors import ModelError
from offbeat.models.base import Prompt
from offbeat.models.registry import make_model
from offbeat.timing import LABELS

PROMPT = Prompt(text="?", options=LABELS)


def _named(variant, name):
    return type(variant)(row=variant.row.model_copy(update={"variant_id": name}), folder=variant.folder)


def test_random_is_uniform_over_the_options(variants):
    model = make_model("random", seed=1)
    words = [model.reply(_named(variants[0], f"v{k}"), PROMPT).text for k in range(3000)]
    assert chisquare([words.count(label) for label in LABELS]).pvalue > 0.001


def test_random_depends_on_the_seed_and_little_else(variants):
    many = [_named(variants[0], f"v{k}") for k in range(300)]
    one, same, other = (make_model("random", seed=seed) for seed in (1, 1, 2))
    words = [one.reply(variant, PROMPT).text for variant in many]
    assert [same.reply(variant, PROMPT).text for variant in reversed(many)] == words[::-1]
    agreement = np.mean([other.reply(v, PROMPT).text == w for v, w in zip(many, words, strict=True)])
    assert 0.2 < agreement < 0.47
    assert one.revision != other.revision


def test_always_and_oracle(variants):
    for label in LABELS:
        assert {make_model(f"always:{label}").reply(v, PROMPT).text for v in variants} == {label}
    assert [make_model("oracle").reply(v, PROMPT).text for v in variants] == ["ahead", "sync", "behind"]


def test_always_refuses_a_question_without_its_word(variants):
    with pytest.raises(ModelError, match="yes, no only"):
        make_model("always:sync").reply(variants[0], Prompt(text="?", options=("yes", "no")))


def test_all_answer_in_the_words_of_the_question(variants):
    letters = Prompt(text="?", options=LABELS, words=("C", "A", "B"))
    assert [make_model("oracle").reply(v, letters).text for v in variants] == ["A", "C", "B"]
    assert {make_model("always:behind").reply(v, letters).text for v in variants} == {"B"}
    many = [_named(variants[0], f"v{k}") for k in range(60)]
    plain = [make_model("random").reply(v, PROMPT).text for v in many]
    assert [make_model("random").reply(v, letters).text for v in many] == [letters.word_for(word) for word in plain]
