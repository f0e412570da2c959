"""Real clips that show what is heard: a shift made in memory is found again."""

from fractions import Fraction

import numpy as np
import pytest

from offbeat.media.read import read_frames, read_sound
from offbeat.media.values import Frames, Sound
from offbeat.signal import TOLERANCE_S, estimate_delay


@pytest.mark.parametrize("name", ["animals_03_dog_beagle.mp4", "events_02_rifle_field.mp4", "objects_09_axe_gt.mp4"])
def test_a_shift_of_a_real_clip_is_found(shared_media, name):
    frames = read_frames(shared_media / name, height=72, grey=True)
    sound = read_sound(shared_media / name)
    assert frames.count / frames.fps > 5
    at_zero = estimate_delay(frames, sound)
    assert at_zero.delay_s == pytest.approx(0, abs=TOLERANCE_S)  # grade A: likely in sync
    first = int(frames.fps * Fraction(3, 4))
    stop = frames.count - first
    picture = Frames(frames.images[first:stop], frames.fps)
    for delay_s in (Fraction(-1, 2), Fraction(1, 2)):
        begin = int((first / frames.fps - delay_s) * sound.rate_hz)
        moved = sound.samples[:, begin : begin + int((stop - first) / frames.fps * sound.rate_hz)]
        found = estimate_delay(picture, Sound(np.ascontiguousarray(moved), sound.rate_hz))
        assert found.delay_s == pytest.approx(float(delay_s), abs=TOLERANCE_S)
