"""Variants altered on purpose: without sound, with another clip's, with a picture that stands still.

By them a probe learns whether a model hears and sees. An altered variant is shown like any other: a `Variant` with a
file of its own, the same picture packets where only the sound is altered, the same sound packets where only the picture
is. Its name and its ids tell nothing. It works alike for both layouts.

There is none without a sound track. To many servers that is another kind of request, which they refuse, so it could not
be asked; and whether sound is made into tokens at all is told by the usage of the plain variant.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from offbeat.conditions import freeze, mute, swap
from offbeat.dataset.folder import CLIPS
from offbeat.dataset.variant import Variant
from offbeat.errors import MediaError
from offbeat.files import scratch_file, sha256_of
from offbeat.media.combine import combine, still_picture, write_with_sound
from offbeat.media.read import read_grid
from offbeat.media.tag import tagged
from offbeat.media.write import to_count

Alteration = Literal["muted", "swapped", "frozen early", "frozen late"]
"""Silence; another clip's sound; the frame at a third, or at two thirds of the clip, from beginning to end."""


def alter(variant: Variant, alteration: Alteration, folder: Path, *, other: Variant | None = None) -> Variant:
    """Write an altered variant.

    Args:
        variant: which is left as it is.
        alteration: what is done to it.
        folder: a scratch folder; the file is written below it.
        other: whose sound is heard, where `swapped`.

    Returns:
        The altered one; its condition is the alteration, and its label that of the variant, which no longer says
        anything. Where its picture is altered, it belongs to another clip.

    Raises:
        MediaError: a variant cannot be read.
        ValueError: `swapped` without another variant.
    """
    frozen = alteration in _FROZEN_AT
    row = variant.row
    variant_id = _neutral(row.variant_id, alteration, other.row.variant_id if other else "")
    file_name = f"{CLIPS}/{variant_id}.mp4"
    target = folder / file_name
    target.parent.mkdir(parents=True, exist_ok=True)
    with variant.file() as path:
        if frozen:
            _freeze(target, path, alteration)
        elif alteration == "muted":
            write_with_sound(target, path, mute.silence)
        elif other is None:
            raise ValueError("swapped: expected another variant, whose sound is taken")
        else:
            _swap(target, path, other)
    changes = {
        "file_name": file_name,
        "variant_id": variant_id,
        "clip_id": _neutral(row.clip_id, alteration) if frozen else row.clip_id,
        "condition": alteration,
        "measured_delay_ms": None,
        "sha256": sha256_of(target),
    }
    return Variant(row=row.model_copy(update=changes), folder=folder)


def copied(variant: Variant, folder: Path, *, nonce: str) -> Variant:
    """The same to see and to hear, to the last bit, in a file of other bytes and under another name.

    Nothing that knows a file by its bytes or its name can tell that it has met this one before.

    Args:
        variant: which is left as it is.
        folder: a scratch folder; the file is written below it.
        nonce: what makes it another.

    Returns:
        The copy: the same row, but for its name, its id and its hash.

    Raises:
        MediaError: the variant cannot be read.
    """
    variant_id = _neutral(variant.row.variant_id, nonce)
    file_name = f"{CLIPS}/{variant_id}.mp4"
    target = folder / file_name
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        mp4 = tagged(variant.mp4_bytes(), variant_id)
    except OSError as error:
        raise MediaError(
            f"{variant.path}: cannot be read ({error.strerror}); build it again", reason="damaged"
        ) from error
    target.write_bytes(mp4)
    changes = {"file_name": file_name, "variant_id": variant_id, "sha256": hashlib.sha256(mp4).hexdigest()}
    return Variant(row=variant.row.model_copy(update=changes), folder=folder)


_FROZEN_AT = {"frozen early": freeze.EARLY, "frozen late": freeze.LATE}


def _freeze(target: Path, path: Path, alteration: Alteration) -> None:
    frame = freeze.frozen_frame(read_grid(path).count, at=_FROZEN_AT[alteration])
    with scratch_file() as still:
        still.write_bytes(still_picture(path, frame=frame).mp4)
        combine(target, picture=still, sound=path)


def _swap(target: Path, path: Path, other: Variant) -> None:
    count = to_count(read_grid(path).length_s)

    def cut(pieces_samples: Sequence[int]) -> list[int]:
        return swap.borrowed(pieces_samples, count=count)

    with other.file() as sound:
        combine(target, picture=path, sound=sound, cut=cut)


def _neutral(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
