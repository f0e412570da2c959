from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from builds import settings
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from offbeat.dataset.plan import MARGIN_AFTER_S, MARGIN_BEFORE_S, plan_source
from offbeat.media.coverage import Span
from offbeat.media.geometry import Geometry
from offbeat.media.scan import Scan

FPS = Fraction(25)


def scanned(
    *,
    length_s: int = 30,
    sound: tuple[tuple[float, float], ...] = ((0, 30),),
    picture: tuple[tuple[float, float], ...] | None = None,
    silent: tuple[float, float] = (0, 0),
) -> Scan:
    levels = np.full(length_s * 10, -20.0)
    levels[int(silent[0] * 10) : int(silent[1] * 10)] = -80
    return Scan(
        path=Path("x.mp4"),
        fps=FPS,
        geometry=Geometry(width=64, height=48, coded=(64, 48), filters=()),
        audio_hz=48_000,
        channels=2,
        audio_track=0,
        audio_tracks=1,
        frame_times_s=np.arange(length_s * 25) / 25,
        frame_units=np.arange(length_s * 25),
        unit_s=Fraction(1, 25),
        frame_pts=np.arange(length_s * 25),
        time_base=1 / FPS,
        codec="h264",
        packet_pts=np.arange(length_s * 25),
        packet_begins_anew=np.arange(length_s * 25) % 25 == 0,
        picture=tuple(Span(Fraction(a), Fraction(b)) for a, b in picture or ((0, length_s),)),
        sound=tuple(Span(Fraction(a), Fraction(b)) for a, b in sound),
        levels_dbfs=levels,
    )


@given(
    seed=st.integers(min_value=0, max_value=10_000),
    hole=st.integers(min_value=0, max_value=29),
    source=st.integers(min_value=0, max_value=2**40),
)
@hypothesis_settings(max_examples=80)
def test_every_window_lies_where_picture_and_sound_are(seed: int, hole: int, source: int) -> None:
    chosen = settings(seed=seed, lengths_s=(2, 3), delays_s=(-2, 0, 1), clips_per_source=3)
    scan = scanned(sound=((0, hole), (hole + 0.5, 30)))
    plan = plan_source(f"{source:012x}", scan, chosen)
    assert len(plan.clips) == 6
    for clip in plan.clips:
        low = clip.start_s - 1 - MARGIN_BEFORE_S
        high = clip.start_s + clip.length_s + 2 + MARGIN_AFTER_S
        assert any(span.start_s <= low and high <= span.stop_s for span in scan.sound)
        assert 0 <= clip.start_s <= 30 - clip.length_s
        assert clip.frames == clip.length_s * 25


def test_the_draw_depends_on_seed_source_and_length_only() -> None:
    first = plan_source("ab", scanned(), settings(seed=1))
    assert plan_source("ab", scanned(), settings(seed=1)) == first
    assert plan_source("ab", scanned(), settings(seed=2)) != first
    other = plan_source("cd", scanned(), settings(seed=1))
    assert other.clips[0].start_s != first.clips[0].start_s
    longer = plan_source("ab", scanned(), settings(seed=1, lengths_s=(2, 3)))
    assert longer.clips[0] == first.clips[0], "another length must not move this one"


def test_all_starts_are_drawn_with_equal_chances() -> None:
    """200 seeds over 26 s: a chi-square test in ten bins would reject at 1e-4 beyond 33."""
    starts = [float(plan_source("ab", scanned(), settings(seed=seed)).clips[0].start_s) for seed in range(400)]
    counts, _ = np.histogram(starts, bins=10, range=(2.04, 25.94))
    assert ((counts - 40) ** 2 / 40).sum() < 33


def test_what_does_not_fit_says_what_is_needed() -> None:
    plan = plan_source("ab", scanned(length_s=5, sound=((0, 5),)), settings(lengths_s=(1, 2)))
    assert len(plan.clips) == 0
    code, text = plan.refused[Fraction(2)]
    assert code == "too_short"
    assert text.startswith(
        "a 2-s clip with these delays needs 6.08 s of unbroken sound, 5.00 s is the longest there is"
    )


def test_a_window_is_drawn_only_where_no_variant_is_silent() -> None:
    scan = scanned(silent=(6, 30))
    chosen = settings(lengths_s=(2,), delays_s=(-2, 0, 2))
    for seed in range(20):
        (clip,) = plan_source("ab", scan, chosen.model_copy(update={"seed": seed})).clips
        assert clip.start_s + 2 < 6, "the variant that is 2 s ahead needs sound from start + 2 on"
    assert plan_source("ab", scanned(silent=(0, 30)), chosen).refused[Fraction(2)][0] == "silent"


def test_only_the_part_that_was_named_is_used() -> None:
    part = (Fraction(10), Fraction(20))
    for seed in range(20):
        (clip,) = plan_source("ab", scanned(), settings(seed=seed), part=part).clips
        assert 12 <= clip.start_s <= 16
    assert plan_source("ab", scanned(), settings(), part=(Fraction(27), None)).refused[Fraction(2)][0] == "too_short"


def test_more_clips_than_starts() -> None:
    scan = scanned(length_s=7, sound=((0, 7),))
    plan = plan_source("ab", scan, settings(clips_per_source=1000))
    starts = [clip.start_s for clip in plan.clips]
    assert len(starts) == len(set(starts)) > 5
    assert len({clip.clip_id for clip in plan.clips}) == len(starts)
