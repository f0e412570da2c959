"""The `signal` model: what it says, what it keeps, and what it does not look at."""

from dataclasses import replace

import numpy as np
import pytest

import offbeat.models.signal as module
from offbeat.dataset.variant import Variant
from offbeat.errors import ModelError, ModelUnavailable
from offbeat.media.values import Sound
from offbeat.models.base import Prompt
from offbeat.models.signal import Signal
from offbeat.timing import LABELS

PROMPT = Prompt(text="sync, ahead or behind?", options=LABELS)


def test_a_delayed_beep_is_found(variants):
    replies = [Signal().reply(variant, PROMPT) for variant in variants]
    assert [reply.text for reply in replies] == ["ahead", "sync", "behind"]
    delays_ms = [reply.details["estimated_delay_ms"] for reply in replies]
    np.testing.assert_allclose(delays_ms, [-400, 0, 400], atol=25)
    for reply in replies:
        assert max(reply.probabilities, key=reply.probabilities.get) == reply.text
        assert (reply.stop == "unsure") == (reply.details["reason"] is not None)


def test_the_row_is_not_read_but_for_the_clip(variants):
    wrong = variants[0].row.model_copy(
        update={"audio_delay_ms": 3000.0, "label": "behind", "overlap_s": 0.0, "genre": "x", "variant_id": "w"}
    )
    assert Signal().reply(replace(variants[0], row=wrong), PROMPT) == Signal().reply(variants[0], PROMPT)


def test_the_picture_is_read_once_for_all_variants_of_a_clip(variants, monkeypatch):
    read = []
    frames = Variant.frames
    monkeypatch.setattr(Variant, "frames", lambda self, **how: read.append(self.row.clip_id) or frames(self, **how))
    model = Signal()
    for variant in variants:
        model.reply(variant, PROMPT)
    assert read == ["c0"]


def test_few_clips_are_kept(variants, monkeypatch):
    monkeypatch.setattr(module, "CLIPS_KEPT", 2)
    model = Signal()
    for number in range(4):
        row = variants[0].row.model_copy(update={"clip_id": f"c{number}"})
        model.reply(replace(variants[0], row=row), PROMPT)
    assert [key[1] for key in model._motions] == ["c2", "c3"]


def test_silence_is_unsure_and_still_says_something(variants, monkeypatch):
    monkeypatch.setattr(Variant, "sound", lambda self: Sound(np.zeros((1, 96_000), np.float32), 48_000))
    reply = Signal().reply(variants[2], PROMPT)
    assert (reply.text, reply.stop, reply.details["reason"]) == ("sync", "unsure", "silent")
    assert reply.details["estimated_delay_ms"] is None


def test_it_answers_in_the_words_of_the_question(variants):
    letters = Prompt(text="?", options=LABELS, words=("C", "A", "B"))
    replies = [Signal().reply(variant, letters) for variant in variants]
    assert [reply.text for reply in replies] == ["A", "C", "B"]
    assert all(set(reply.probabilities) == set(LABELS) for reply in replies)


def test_other_options_are_refused(variants):
    with pytest.raises(ModelError, match="the question offers yes, no"):
        Signal().reply(variants[0], Prompt(text="in sync?", options=("yes", "no")))


def test_a_missing_file_is_a_model_error(variants, tmp_path):
    with pytest.raises(ModelError, match=r"v0\.mp4"):
        Signal().reply(replace(variants[0], folder=tmp_path), PROMPT)


def test_samples_that_are_no_numbers_are_a_model_error(variants, monkeypatch):
    monkeypatch.setattr(Variant, "sound", lambda self: Sound(np.full((1, 96_000), np.nan, np.float32), 48_000))
    with pytest.raises(ModelError, match=r"v1\.mp4: .*not finite"):
        Signal().reply(variants[1], PROMPT)


def test_it_takes_no_argument():
    with pytest.raises(ModelUnavailable, match="takes nothing after its name"):
        Signal(argument="fast")
