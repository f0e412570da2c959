"""What every model promises. To add one, add its specification to SPECS."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from offbeat.models.base import Prompt, Reply
from offbeat.models.registry import known_models, make_model
from offbeat.timing import LABELS

SPECS = ["random", "always:sync", "always:ahead", "always:behind", "oracle", "replay:{recorded}", "signal"]
KNOWS_THE_TRUTH = {"oracle"}

PROMPT = Prompt(text="sync, ahead or behind?", options=LABELS)


@pytest.fixture(scope="module", params=SPECS)
def spec(request, recorded) -> str:
    return request.param.format(recorded=recorded)


def test_every_registered_model_is_here():
    assert {spec.partition(":")[0] for spec in SPECS} == set(known_models())


def test_name_and_revision_are_stable(spec):
    first, second = make_model(spec, seed=3), make_model(spec, seed=3)
    assert first.name == second.name == spec
    assert first.revision == second.revision
    assert first.revision.strip()


def test_replies_are_well_formed(spec, variants):
    model = make_model(spec)
    for variant in variants:
        reply = model.reply(variant, PROMPT)
        assert isinstance(reply, Reply)
        assert isinstance(reply.text, str)
        chances = reply.probabilities or {}
        assert set(chances) <= set(PROMPT.options)
        assert all(math.isfinite(chance) and chance >= 0 for chance in chances.values())
        assert sum(chances.values()) <= 1 + 1e-9


def test_threads_and_order_do_not_matter(spec, variants):
    serial = [make_model(spec).reply(variant, PROMPT) for variant in variants]
    shared = make_model(spec)
    with ThreadPoolExecutor(4) as pool:
        parallel = list(pool.map(lambda variant: shared.reply(variant, PROMPT), [*reversed(variants), *variants]))
    assert parallel == [*reversed(serial), *serial]


def test_the_truth_is_not_looked_at(spec, variants):
    if spec in KNOWS_THE_TRUTH:
        pytest.skip("it is the truth")
    model = make_model(spec)
    wrong = {"sync": "ahead", "ahead": "behind", "behind": "sync"}
    for variant in variants:
        row = variant.row.model_copy(
            update={"label": wrong[variant.row.label], "audio_delay_ms": 4321.0, "overlap_s": 0.1}
        )
        assert model.reply(replace(variant, row=row), PROMPT) == model.reply(variant, PROMPT)
