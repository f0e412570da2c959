"""The probe of the detector `signal` on real clips, in both layouts, and its altered files by OpenCV."""

import shutil
from fractions import Fraction

import cv2
import numpy as np
import pytest
from builds import build, settings
from probe_models import probe

from offbeat.dataset.altered import alter
from offbeat.models.registry import make_model

NAMES = ("cooking_01_chopping", "instrument_03_drummer_kit", "objects_09_axe_gt", "instrument_27_drums_long")


@pytest.fixture(scope="module")
def real(shared_media, tmp_path_factory):
    root = tmp_path_factory.mktemp("real")
    (root / "videos").mkdir()
    for name in NAMES:
        shutil.copy(shared_media / f"{name}.mp4", root / "videos")
    half = Fraction(1, 2)
    chosen = settings(layout="compact", lengths_s=(2,), delays_s=(-half, 0, half))
    return build(root / "videos", root / "set", chosen)[1]


@pytest.mark.slow
def test_the_detector_passes_by_its_probabilities(real):
    result = probe(make_model("signal"), real.variants)
    assert result.passed, result.says
    assert result.repeated == result.repeats == 4
    assert result.sound.truth is None  # it takes no other question


@pytest.mark.slow
def test_a_frozen_real_clip_shows_one_frame(real, tmp_path):
    for variant in [one for one in real.variants if one.row.audio_delay_ms == 0]:
        frozen = alter(variant, "frozen early", tmp_path)
        capture = cv2.VideoCapture(str(frozen.path))
        frames = [frame.astype(np.float32) for there, frame in iter(capture.read, (False, None)) if there]
        capture.release()
        assert len(frames) == variant.frames(height=9, grey=True).count
        assert max(np.abs(frame - frames[0]).mean() for frame in frames) < 2
