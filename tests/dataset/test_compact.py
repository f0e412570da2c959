"""The compact layout: nothing but the room it takes tells it from files."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from builds import build, card_file, settings
from readers import ffmpeg_sound, lag_samples

from offbeat.dataset import compact
from offbeat.dataset.folder import Dataset, open_dataset
from offbeat.errors import DatasetError, MediaError
from offbeat.files import sha256_of

DELAYS = (-2, "-1/3", 0, "48001/96000", 2)
"""The last but one is 24000.5 samples; rounded to the microseconds of its row it would be less."""


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cards")
    card_file(folder / "speech" / "one.mp4", length_s=8, rate_hz=44_100, fps=Fraction(30000, 1001))
    card_file(folder / "two.mkv", length_s=8, seed=2)
    return folder


@pytest.fixture(scope="module", params=["aac", "flac"])
def both(request: pytest.FixtureRequest, cards: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Dataset]:
    folder = tmp_path_factory.mktemp(request.param)
    return [
        build(cards, folder / layout, settings(layout=layout, audio=request.param, delays_s=DELAYS))[1]
        for layout in ("files", "compact")
    ]


@pytest.fixture
def small(cards: Path, both: list[Dataset], tmp_path: Path) -> Path:
    """A compact dataset to spoil."""
    return Path(shutil.copytree(both[1].folder, tmp_path / "set"))


def test_both_layouts_show_the_same(both: list[Dataset]) -> None:
    files, small = both
    assert [variant.row for variant in files.variants] == [variant.row for variant in small.variants]
    assert files.fingerprint == small.fingerprint, "a run is of either"
    for one, other in zip(files.variants, small.variants, strict=True):
        assert other.mp4_bytes() == one.path.read_bytes()
        assert not other.path.exists()
        np.testing.assert_array_equal(other.sound().samples, one.sound().samples)
        for size in ({}, {"height": 32, "grey": True}):
            frames, others = one.frames(**size), other.frames(**size)
            assert others.fps == frames.fps
            np.testing.assert_array_equal(others.images, frames.images)


def test_a_clip_is_kept_once_and_its_sound_is_the_sources_own(cards: Path, both: list[Dataset]) -> None:
    """The lossless source's samples over all that its variants need, as the ffmpeg command reads them."""
    small = both[1]
    names = {path.relative_to(small.folder).as_posix() for path in small.folder.rglob("*.mp4")}
    assert names == {name for clip in small.clips for name in clip.files()}
    assert len(names) == 4
    assert [clip.clip_id for clip in small.clips] == list(dict.fromkeys(v.row.clip_id for v in small.variants))
    clip = next(clip for clip in small.clips if clip.picture.fps == 30)
    kept = ffmpeg_sound(small.folder / "sound" / f"{clip.clip_id}.mp4")
    assert len(kept) == clip.sound.count_samples > (2 + 4) * 48_000
    truth = ffmpeg_sound(cards / "two.mkv")[clip.sound.start_samples :][: len(kept)]
    np.testing.assert_array_equal(kept, truth)


def test_delays_that_no_decimal_holds_are_exact_to_the_sample(both: list[Dataset], tmp_path: Path) -> None:
    clip = both[1].clips[0]
    by_delay = {variant.row.audio_delay_ms: variant for variant in both[1].variants if variant.clip is clip}
    first = {delay_ms: clip.heard_from_samples[one.row.variant_id] for delay_ms, one in by_delay.items()}
    assert {delay_ms: first[0.0] - at for delay_ms, at in first.items()} == {
        -2000.0: -96_000,
        -333.333: -16_000,
        0.0: 0,
        500.01: 24_001,
        2000.0: 96_000,
    }
    for name, delay_ms in (("odd", 500.01), ("zero", 0.0)):
        (tmp_path / name).write_bytes(by_delay[delay_ms].mp4_bytes())
    apart = lag_samples(ffmpeg_sound(tmp_path / "odd"), ffmpeg_sound(tmp_path / "zero"))
    assert apart == pytest.approx(24_001, abs=0.4)


def test_many_threads_get_the_same_bytes(both: list[Dataset]) -> None:
    files, small = both
    compact.material_of.cache_clear()
    with _switching_often(), ThreadPoolExecutor(max_workers=8) as pool:
        rendered = list(pool.map(lambda variant: variant.mp4_bytes(), [*small.variants, *reversed(small.variants)]))
    assert rendered == [v.path.read_bytes() for v in [*files.variants, *reversed(files.variants)]]
    told = compact.material_of.cache_info()
    assert told.currsize == 2
    assert told.hits >= 2 * len(small.variants) - 2 * 8, "at most each thread has read each clip once"


@contextmanager
def _switching_often() -> Generator[None]:
    """Threads take turns every few microseconds, so that what must not be shared shows."""
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(usual_s)


def test_writing_to_a_place_renders_or_links_and_keeps_what_is_right(both: list[Dataset], tmp_path: Path) -> None:
    for dataset in both:
        variant, target = dataset.variants[1], tmp_path / dataset.info.layout / "x" / "one.mp4"
        variant.write_to(target)
        assert sha256_of(target) == variant.row.sha256
        stamp = target.stat().st_mtime_ns
        variant.write_to(target)
        assert target.stat().st_mtime_ns == stamp
        assert [path.name for path in target.parent.iterdir()] == ["one.mp4"]
    assert (tmp_path / "files" / "x" / "one.mp4").samefile(both[0].variants[1].path)
    target.write_bytes(b"half")
    both[1].variants[1].write_to(target)
    assert sha256_of(target) == both[1].variants[1].row.sha256


@pytest.mark.parametrize("folder", ["pictures", "sound"])
def test_a_damaged_clip_is_named_and_never_shown(folder: str, small: Path) -> None:
    dataset = open_dataset(small)
    variant = dataset.variants[0]
    victim = small / folder / f"{variant.row.clip_id}.mp4"
    content = victim.read_bytes()
    victim.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(MediaError, match=rf"{victim}: sha256 .*, expected .*; build the dataset again"):
        variant.mp4_bytes()
    victim.unlink()
    with pytest.raises(MediaError, match=rf"{victim}: no such file"):
        variant.sound()
    assert dataset.variants[-1].mp4_bytes(), "the other clip is as it was"


def test_a_folder_built_anew_in_one_process_is_read_anew(cards: Path, tmp_path: Path) -> None:
    """The same clip in another size, by the same name at the same place."""
    names: set[str] = set()
    for height in (90, 60):
        _, dataset = build(cards, tmp_path / "set", settings(layout="compact", height=height, delays_s=(0, 1)))
        for variant in dataset.variants:
            assert hashlib.sha256(variant.mp4_bytes()).hexdigest() == variant.row.sha256
            assert variant.row.height == height
            names.add(variant.row.file_name)
        shutil.rmtree(tmp_path / "set")
    assert len(names) == len(dataset.variants)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"clip_id": "../../etc/passwd"}, r"clips\.jsonl, line 1: clip_id"),
        ({"clip_id": "other"}, r"metadata\.jsonl, line 1: nothing in clips\.jsonl says how to render variant"),
        ({"heard_from_samples": {}}, r"metadata\.jsonl, line 1: nothing in clips\.jsonl"),
        ({"heard_from_samples": {"x": "now"}}, r"clips\.jsonl, line 1: heard_from_samples\.x"),
        ({"start_s": "1/0"}, r"line 1: start_s: .* not a time in seconds: '1/0'"),
        ({"audio": "mp3"}, r"line 1: audio"),
        ({"surprise": 1}, r"line 1: surprise"),
    ],
)
def test_a_bad_row_is_named(changes: dict[str, object], said: str, small: Path) -> None:
    lines = (small / "clips.jsonl").read_text().split("\n")
    lines[0] = json.dumps(json.loads(lines[0]) | changes)
    (small / "clips.jsonl").write_text("\n".join(lines))
    with pytest.raises(DatasetError, match=said):
        open_dataset(small)


def test_rows_that_are_missing_or_double(small: Path) -> None:
    first = (small / "clips.jsonl").read_text().split("\n")[0]
    (small / "clips.jsonl").write_text(f"{first}\n{first}\n")
    with pytest.raises(DatasetError, match=r"clips\.jsonl, line 2: clip \w+ stands there twice"):
        open_dataset(small)
    (small / "clips.jsonl").unlink()
    with pytest.raises(DatasetError, match=r"the layout is compact, but no clips\.jsonl is there"):
        open_dataset(small)


def test_a_row_that_asks_for_sound_that_is_not_there(small: Path) -> None:
    lines = (small / "clips.jsonl").read_text().split("\n")
    row = json.loads(lines[0])
    row["heard_from_samples"] = dict.fromkeys(row["heard_from_samples"], 10**12)
    (small / "clips.jsonl").write_text("\n".join([json.dumps(row), *lines[1:]]))
    with pytest.raises(MediaError, match=r"clips\.jsonl, clip \w+: samples .* asked for; the span holds"):
        open_dataset(small).variants[0].mp4_bytes()
