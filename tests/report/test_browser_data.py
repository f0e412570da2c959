"""What the browser of variants is told: flags, curves, estimates, usage, the whole prompt."""

import dataclasses
import math

import numpy as np
import pytest
from pydantic import ValidationError
from report_samples import answer, sample_dataset

from offbeat.dataset.curves import packed
from offbeat.dataset.schema import CurvesRow, VariantRow
from offbeat.dataset.variant import Variant
from offbeat.report.browser import FLAGS, browser_data

HOSTILE = "<img>\u202e"


def told(answers, dataset=None, **more):
    dataset = dataset or sample_dataset(genres={"speech": 1})
    return browser_data(dataset, answers, order=[], missing=set(), **more)


def of_first(dataset, **changes):
    return dataclasses.replace(answer(dataset.variants[0].row, "m", "sync"), **changes)


def test_every_flag_has_its_value_its_unit_and_its_meaning():
    dataset = sample_dataset(genres={"speech": 1})
    row = dataset.variants[0].row.model_copy(
        update={"silence_share": 0.25, "periodic": True, "scene_cut": False, "motion": 0.5, "draws": 3}
    )
    data = told([], dataclasses.replace(dataset, variants=(Variant(row=row, folder=dataset.folder),)))
    names = [name for name, *_ in data["flags"]]
    assert names == list(FLAGS)
    assert set(names) <= set(VariantRow.model_fields)
    assert all(title and meaning.endswith(".") for _, title, _, meaning in data["flags"])
    values = dict(zip(names, data["variants"][0][-1], strict=True))
    assert values | {"overlap_s": 2.0, "silence_share": 0.25, "periodic": True, "draws": 3} == values
    assert values["periodicity"] is None


def test_the_files_of_the_sources_are_named_and_a_refused_copy_takes_no_name_away():
    dataset = sample_dataset(genres={"speech": 1})
    (used,) = dataset.sources
    hostile = used.model_copy(update={"path": f"a/{HOSTILE}.mp4"})
    copy = used.model_copy(update={"path": "b/copy.mp4", "status": "refused", "reason": "duplicate"})
    named = told([], dataclasses.replace(dataset, sources=(hostile, copy)))["sources"]
    assert named == {used.source_id: "a/<img>\ufffd.mp4"}


@pytest.mark.parametrize(
    ("detail", "estimate_ms"),
    [(-412.5, -412.5), (0, 0.0), (None, None), (True, None), ("120", None), (math.nan, None), (10**400, None)],
)
def test_an_estimate_is_a_number_that_can_be_a_delay(detail, estimate_ms):
    dataset = sample_dataset(genres={"speech": 1})
    data = told([of_first(dataset, details={"estimated_delay_ms": detail})], dataset)
    assert data["answers"][0][0][9] == estimate_ms


def test_usage_and_the_words_before_the_conversation_are_kept_and_harmless():
    dataset = sample_dataset(genres={"speech": 1})
    one = of_first(dataset, usage={"input_tokens": 1200, HOSTILE: [HOSTILE]}, system=HOSTILE, seconds=1.23456)
    other = dataclasses.replace(one, variant_id=dataset.variants[1].row.variant_id, system=None)
    data = told([one, other], dataset)
    shown = HOSTILE.replace("\u202e", "\ufffd")
    assert data["answers"][0][0][10:] == [{"input_tokens": "1200", shown: f'["{shown}"]'}, 1.235]
    assert data["prompts"] == [[one.prompt, shown], [one.prompt, None]]
    assert [row[7] for row in data["answers"][0]] == [0, 1]


def test_curves_go_by_the_clip_and_are_bytes_in_base64():
    dataset = sample_dataset(genres={"speech": 1})
    clip = dataset.variants[0].row.clip_id
    fields = {"clip_id": clip, "motion": packed(np.arange(6.0)), "onsets": "", "onsets_hz": 50, "onsets_start_s": -1}
    data = told([], dataset, curves=[CurvesRow.model_validate(fields)])
    assert data["clips"] == {clip: [fields["motion"], "", 50, -1.0]}
    assert told([], dataset)["clips"] == {}
    for broken in ("<b>", "AAA", "AA=A"):
        with pytest.raises(ValidationError, match="motion"):
            CurvesRow.model_validate(fields | {"motion": broken})
