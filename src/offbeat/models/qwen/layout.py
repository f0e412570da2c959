"""Where the tokens of picture and sound stand, and at which places in time the model takes them to be.

Picture and sound have one axis of time if, and only if, they stand in one item::

    Qwen2.5-Omni   vision_bos audio_bos [video 0-2 s][sound 0-2 s] [video 2-4 s][sound 2-4 s] … audio_eos vision_eos
    Qwen3-Omni     vision_bos audio_bos  v0 v0 v0 s0 s1 s2 s3 v1 v1 v1 s4 …                    audio_eos vision_eos

Both are one place in time a token for the sound, and for the picture the time of the first of two frames. Where they
stand is worked out here, as the model's processor would; the places come from the model's own function, and both are
compared, since a sound that stands elsewhere than where the model takes it to be would be a delay of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offbeat.errors import ModelError, ModelUnavailable
from offbeat.models.qwen.family import Family


@dataclass(frozen=True, slots=True)
class Marks:
    """The tokens that stand for picture and sound, and those around them."""

    video: int
    sound: int
    vision_begins: int
    vision_ends: int
    sound_begins: int
    sound_ends: int


@dataclass(frozen=True, slots=True)
class Shape:
    """How much picture and sound there is.

    Attributes:
        pairs: of frames.
        tokens_per_pair: of the picture.
        pair_s: seconds from one pair to the next.
        sound_tokens: of the sound; 0 where there is none.
    """

    pairs: int
    tokens_per_pair: int
    pair_s: float
    sound_tokens: int


def video_places(shape: Shape, family: Family) -> NDArray[np.float32]:
    """Each pair's place in time, from 0; in the model's own single precision, so that nothing rounds otherwise."""
    places = np.arange(shape.pairs, dtype=np.float32) * np.float32(shape.pair_s) * np.float32(family.places_per_s)
    return np.trunc(places) if family.whole_places else places


def interleaved(shape: Shape, family: Family) -> NDArray[np.bool_]:
    """The order of tokens inside one item: True for sound, False for picture."""
    picture = np.repeat(video_places(shape, family), shape.tokens_per_pair)
    sound = np.arange(shape.sound_tokens, dtype=np.float32)
    if family.chunk_places is not None:
        picture, sound = picture // family.chunk_places, sound // family.chunk_places
    kinds = np.repeat([False, True], [picture.size, sound.size])
    # of equal times the picture comes first, and within each kind the order stays
    return kinds[np.argsort(np.concatenate([picture, sound]), kind="stable")]


def spread_out(ids: Sequence[int], marks: Marks, shape: Shape, family: Family, *, one_item: bool) -> list[int]:
    """Put the tokens of picture and sound in place of the marks that stand for them.

    Args:
        ids: of the conversation, with one mark for the picture, and one for the sound where it is an item of its own.
        marks: which they are.
        shape: how many there are.
        family: which generation.
        one_item: whether the sound goes inside the video.

    Raises:
        ModelUnavailable: the checkpoint's template does not write what it should.
    """
    filled: list[int] = []
    for place, token in enumerate(ids):
        if token == marks.video and one_item:
            if list(ids[place - 1 : place + 2]) != [marks.vision_begins, marks.video, marks.vision_ends]:
                raise ModelUnavailable(
                    "the checkpoint's chat template puts no marks around a video; is it Qwen-Omni's?"
                )
            order = interleaved(shape, family)
            filled += [marks.sound_begins, *np.where(order, marks.sound, marks.video).tolist(), marks.sound_ends]
        elif token == marks.video:
            filled += [marks.video] * (shape.pairs * shape.tokens_per_pair)
        elif token == marks.sound:
            filled += [marks.sound] * shape.sound_tokens
        else:
            filled.append(token)
    _check_counts(filled, marks, shape)
    return filled


def _check_counts(ids: Sequence[int], marks: Marks, shape: Shape) -> None:
    found = (ids.count(marks.video), ids.count(marks.sound))
    wanted = (shape.pairs * shape.tokens_per_pair, shape.sound_tokens)
    if found != wanted:
        raise ModelError(
            f"{found[0]} tokens of picture and {found[1]} of sound, expected {wanted[0]} and {wanted[1]}: "
            "the question, or the checkpoint's chat template, has marks of its own in it"
        )


def check_places(
    ids: NDArray[np.int64], places: NDArray[np.float64], marks: Marks, shape: Shape, family: Family, *, one_item: bool
) -> None:
    """Compare where the model takes picture and sound to be with where they should be.

    Args:
        ids: of the whole conversation.
        places: in time, of each, from the model's own function.
        marks: which tokens are whose.
        shape: what was put in.
        family: which generation.
        one_item: whether picture and sound begin at one time.

    Raises:
        AssertionError: they differ: a mistake of ours, or a version of transformers that works otherwise.
    """
    picture, sound = places[ids == marks.video], places[ids == marks.sound]
    expected = np.repeat(video_places(shape, family), shape.tokens_per_pair)
    if picture.size and not np.allclose(picture - picture[0], expected, atol=1e-3):
        raise AssertionError("the frames do not stand at their times")
    if sound.size and not np.array_equal(sound - sound[0], np.arange(sound.size)):
        raise AssertionError("the sound does not stand at its times")
    if one_item and not (picture.size and sound.size and picture[0] == sound[0]):
        raise AssertionError("picture and sound do not begin at one time")
