"""Where picture and sound stand, without the model."""

import numpy as np
import pytest

from offbeat.errors import ModelError, ModelUnavailable
from offbeat.models.qwen.family import QWEN3, QWEN25
from offbeat.models.qwen.layout import Marks, Shape, check_places, interleaved, spread_out

V, S, BEGIN, END, SB, SE = 1, 2, 3, 4, 5, 6
MARKS = Marks(video=V, sound=S, vision_begins=BEGIN, vision_ends=END, sound_begins=SB, sound_ends=SE)


def test_tokens_of_sound_a_second_are_the_published_ones():
    assert [QWEN25.sound_tokens(100 * s) for s in (1, 3, 5, 7, 10)] == [25, 75, 125, 175, 250]
    assert [QWEN3.sound_tokens(100 * s) for s in (1, 3, 5, 7, 10)] == [13, 39, 65, 91, 130]


def test_qwen25_alternates_by_chunks_of_two_seconds():
    order = interleaved(Shape(pairs=3, tokens_per_pair=4, pair_s=1.0, sound_tokens=75), QWEN25)
    assert order.tolist() == [False] * 8 + [True] * 50 + [False] * 4 + [True] * 25


def test_qwen3_alternates_by_time_and_shows_before_it_sounds():
    order = interleaved(Shape(pairs=2, tokens_per_pair=3, pair_s=1.0, sound_tokens=26), QWEN3)
    assert order.tolist() == [False] * 3 + [True] * 13 + [False] * 3 + [True] * 13


def test_marks_are_spread_out():
    shape = Shape(pairs=1, tokens_per_pair=2, pair_s=1.0, sound_tokens=3)
    one = spread_out([9, BEGIN, V, END, 9], MARKS, shape, QWEN25, one_item=True)
    assert one == [9, BEGIN, SB, V, V, S, S, S, SE, END, 9]
    two = spread_out([9, BEGIN, V, END, SB, S, SE, 9], MARKS, shape, QWEN25, one_item=False)
    assert two == [9, BEGIN, V, V, END, SB, S, S, S, SE, 9]


def test_a_question_with_marks_of_its_own_is_refused():
    shape = Shape(pairs=1, tokens_per_pair=2, pair_s=1.0, sound_tokens=3)
    with pytest.raises(ModelError, match="has marks of its own in it"):
        spread_out([BEGIN, V, END, S], MARKS, shape, QWEN25, one_item=True)
    with pytest.raises(ModelUnavailable, match="no marks around a video"):
        spread_out([9, V, 9], MARKS, shape, QWEN25, one_item=True)


def test_sound_at_other_places_than_the_picture_is_our_own_mistake():
    shape = Shape(pairs=2, tokens_per_pair=1, pair_s=1.0, sound_tokens=2)
    ids = np.array([9, V, V, S, S])
    good = np.array([0.0, 1, 26, 1, 2])
    check_places(ids, good, MARKS, shape, QWEN25, one_item=True)
    for places, said in (
        ([0.0, 1, 25, 1, 2], "frames do not stand"),
        ([0.0, 1, 26, 1, 3], "sound does not stand"),
        ([0.0, 1, 26, 2, 3], "do not begin at one time"),
    ):
        with pytest.raises(AssertionError, match=said):
            check_places(ids, np.array(places), MARKS, shape, QWEN25, one_item=True)
    check_places(ids, np.array([0.0, 1, 26, 5, 6]), MARKS, shape, QWEN25, one_item=False)
