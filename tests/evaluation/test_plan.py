"""Which variants are asked: filters, a limit that is spread evenly, and what has an answer already."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction

import pytest

from offbeat.errors import DatasetError, SettingsError
from offbeat.evaluation.plan import Selection, answer_key, plan_models, select_variants
from offbeat.evaluation.question import STUDY, Question, prompt_for
from offbeat.models.registry import make_model


def _ids(variants):
    return [variant.row.variant_id for variant in variants]


def test_everything_in_the_order_of_the_dataset(dataset):
    assert _ids(select_variants(dataset, Selection())) == _ids(dataset.variants)


def test_filters(dataset):
    chosen = select_variants(dataset, Selection(genres=("speech", "asmr"), lengths=(Fraction(3),)))
    assert {(v.row.genre, v.row.clip_length_s) for v in chosen} == {("speech", 3.0), ("asmr", 3.0)}
    assert len(chosen) == 10


@pytest.mark.parametrize("limit", [1, 5, 7, 12, 49, 50, 1000])
def test_a_limit_is_spread_over_the_sources(dataset, limit):
    chosen = select_variants(dataset, Selection(limit=limit))
    per_source = Counter(variant.row.source_id for variant in chosen)
    assert len(chosen) == min(limit, 50)
    assert max(per_source.values()) - min(per_source.values() if limit >= 5 else [0]) <= 1
    assert _ids(chosen) == sorted(_ids(chosen))


def test_a_larger_limit_adds_and_another_seed_differs(dataset):
    ten, twenty = (set(_ids(select_variants(dataset, Selection(limit=n)))) for n in (10, 20))
    assert ten < twenty
    assert ten != set(_ids(select_variants(dataset, Selection(limit=10, seed=1))))


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (
            Selection(genres=("opera",)),
            "no clip of genre opera; the dataset has asmr, cooking, instrument, speech, sports",
        ),
        (Selection(lengths=(Fraction(4),)), "no clip of length 4 s; the dataset has 10 s, 3 s"),
        (Selection(conditions=("swap",)), "no clip of condition swap; the dataset has delay"),
        (Selection(limit=0), "limit must be 1 or more, got 0"),
    ],
)
def test_filters_that_name_nothing(dataset, selection, message):
    with pytest.raises(SettingsError, match=message):
        select_variants(dataset, selection)


def test_an_id_twice(dataset):
    with pytest.raises(DatasetError, match="two rows"):
        select_variants(replace(dataset, variants=dataset.variants + dataset.variants[:1]), Selection())


def test_models_are_named_once(dataset):
    for models in ([], [make_model("random"), make_model("random", seed=1)]):
        with pytest.raises(SettingsError, match="each named once"):
            plan_models(dataset, models, [STUDY], Selection(), 1, None)


def test_a_clips_variants_stay_together(dataset):
    (plan,) = plan_models(dataset, [make_model("random")], [STUDY], Selection(), 1, None)
    assert [len(group) for group in plan.to_ask] == [5] * 10
    assert all(len({item.variant.row.clip_id for item in group}) == 1 for group in plan.to_ask)


def test_the_key_depends_on_all_that_an_answer_depends_on(make_variant):
    def key(model="random", seed=0, question=STUDY, repeat=0, **row):
        variant = make_variant(**row)
        return answer_key(make_model(model, seed=seed), variant, question, prompt_for(question, variant), repeat)

    other_words = replace(STUDY, template="{length} s: sync, ahead or behind?")
    other_options = Question("study", STUDY.template, ("sync", "behind", "ahead"))
    keys = [
        key(),
        key(model="always:sync"),
        key(seed=1),
        key(question=other_words),
        key(question=other_options),
        key(question=replace(STUDY, name="other")),
        key(repeat=1),
        key(sha256="0" * 64),
        key(clip_length_s=5.0),
    ]
    assert len(set(keys)) == len(keys)
    assert key() == key(measured_delay_ms=0.1)
