"""Delays that are wrong are found in the sound alone; quiet, repeating and real sound is not accused."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from builds import build, settings
from verifying import change_row, change_rows, check, measure

from offbeat.dataset.folder import open_dataset
from offbeat.dataset.schema import VariantRow
from offbeat.files import sha256_of
from offbeat.media.cut_sound import cut_sound
from offbeat.media.picture import Picture
from offbeat.media.synth.testcard import make_testcard, write_testcard
from offbeat.media.write import VariantWriter


def rewrite(dataset: Path, row: VariantRow, source: Path, *, moved_samples: int) -> None:
    """Write a variant anew, with a delay other than its row says, and put its new hash into the row."""
    path = dataset / row.file_name
    delay = round(row.audio_delay_ms * 48) + moved_samples
    first = round(row.clip_start_s * 48_000) - delay
    span = cut_sound(source, start_samples=first - 4096, stop_samples=first + 2 * 48_000 + 4096, rate_hz=48_000)
    picture = Picture(
        mp4=path.read_bytes(),
        fps=Fraction(row.fps),
        count=round(row.clip_length_s * row.fps),
        width=row.width,
        height=row.height,
    )
    writer = VariantWriter(picture)
    writer.write(path, span, start_samples=first, codec="aac")
    writer.close()
    index = [variant.row for variant in open_dataset(dataset).variants].index(row)
    change_row(dataset, index, sha256=sha256_of(path))


@pytest.mark.parametrize("moved_ms", [-40, 0, 1])
def test_a_delay_that_is_wrong_by_a_millisecond_is_found(moved_ms: int, dataset: Path, cards: Path) -> None:
    """The forged file has the right hash and a plausible row; only its sound tells."""
    row = next(v.row for v in open_dataset(dataset).variants if (v.row.clip_length_s, v.row.audio_delay_ms) == (2, 500))
    rewrite(dataset, row, cards / "cooking/two.mkv", moved_samples=48 * moved_ms)
    assert check(dataset).differences == ()
    against = {(one.file, one.found) for one in measure(dataset, sources=cards).differences}
    between = {(one.file, one.found) for one in measure(dataset).differences}
    if moved_ms == 0:
        assert against == between == set()
        return
    zero = next(v.row for v in open_dataset(dataset).variants if v.row.clip_id == row.clip_id and v.row.label == "sync")
    assert against == {(row.file_name, f"{500 + moved_ms:.3f} against {(cards / 'cooking/two.mkv').resolve()}")}
    assert (row.file_name, f"{500 + moved_ms:.3f} against {zero.file_name}") in between
    assert all(row.file_name in " ".join(one) for one in between), "whoever was compared with it says so"


def test_two_variants_that_changed_places_are_found(dataset: Path, cards: Path) -> None:
    rows = [variant.row for variant in open_dataset(dataset).variants]
    early, late = [row for row in rows if row.clip_length_s == 2 and abs(row.audio_delay_ms) == 500][:2]
    first, second = dataset / early.file_name, dataset / late.file_name
    first.replace(dataset / "x")
    second.replace(first)
    (dataset / "x").replace(second)
    for row in (early, late):
        change_row(dataset, rows.index(row), sha256=sha256_of(dataset / row.file_name))
    assert check(dataset).differences == ()
    for sources in (None, cards):
        found = {one.file for one in measure(dataset, sources=sources).differences}
        assert {early.file_name, late.file_name} <= found
        assert sources is None or len(found) == 2


def test_a_wrong_variant_at_zero_accuses_those_that_are_compared_with_it(dataset: Path, cards: Path) -> None:
    row = next(v.row for v in open_dataset(dataset).variants if (v.row.clip_length_s, v.row.audio_delay_ms) == (2, 0))
    rewrite(dataset, row, cards / "cooking/two.mkv", moved_samples=480)
    assert row.file_name in {one.file for one in measure(dataset).differences}
    assert {one.file for one in measure(dataset, sources=cards).differences} == {row.file_name}


def test_sound_of_another_video_is_found(dataset: Path, cards: Path) -> None:
    rows = [v.row for v in open_dataset(dataset).variants if v.row.clip_length_s == 2]
    mine = next(row for row in rows if row.genre == "cooking" and row.audio_delay_ms == -500)
    other = next(row for row in rows if row.genre == "speech" and row.audio_delay_ms == -500)
    index = [variant.row for variant in open_dataset(dataset).variants].index(mine)
    shutil.copy(dataset / other.file_name, dataset / mine.file_name)
    change_row(dataset, index, sha256=other.sha256)
    assert check(dataset).differences == ()
    for sources in (None, cards):
        found = {one.file: one.found for one in measure(dataset, sources=sources).differences}
        assert found[mine.file_name].startswith("other sound than in ")
        assert all(mine.file_name in file + text for file, text in found.items())


def test_sources_that_are_not_there_or_others(made: Path, cards: Path, tmp_path: Path) -> None:
    (tmp_path / "speech").mkdir()
    shutil.copy(cards / "cooking/two.mkv", tmp_path / "speech/one.mp4")
    told = measure(made, sources=tmp_path)
    assert {(one.file, one.field) for one in told.differences} == {
        ("cooking/two.mkv", "source"),
        ("speech/one.mp4", "source_id"),
    }
    assert (told.measured, told.untold) == (0, 20)


def test_a_source_path_that_climbs_out_is_not_followed(dataset: Path, cards: Path) -> None:
    change_rows(dataset, lambda rows: rows[1].update(path="../cooking/two.mkv"), name="sources.jsonl")
    told = measure(dataset, sources=cards / "speech")
    assert ("../cooking/two.mkv", "path") in {(one.file, one.field) for one in told.differences}


def test_a_file_that_does_not_decode_is_named_and_the_others_are_measured(dataset: Path) -> None:
    row = open_dataset(dataset).variants[5].row
    (dataset / row.file_name).write_bytes(b"not a video at all")
    told = measure(dataset)
    assert row.file_name in {one.file for one in told.differences if one.field == "sound"}
    assert told.measured >= 10


def test_quiet_and_repeating_sound_is_not_accused(tmp_path: Path) -> None:
    """A hum of 100 Hz is the same every 10 ms: no place can be told, and none is claimed."""
    card = make_testcard(length_s=Fraction(8), width=160, height=90)
    times = np.arange(card.sound.count) / card.sound.rate_hz
    card.sound.samples[:] = 0.2 * np.sin(2 * np.pi * 100 * times, dtype=np.float64).astype(np.float32)
    (tmp_path / "in").mkdir()
    write_testcard(tmp_path / "in/hum.mkv", card, codec="lossless")
    build(tmp_path / "in", tmp_path / "set", settings())
    for sources in (None, tmp_path / "in"):
        told = measure(tmp_path / "set", sources=sources)
        assert (told.differences, told.measured + told.untold) == ([], 5)
        assert told.untold >= 4


@pytest.mark.slow
def test_real_clips_are_not_accused(shared_media: Path, tmp_path: Path) -> None:
    build(shared_media, tmp_path / "set", settings(delays_s=(-1.5, -1, -0.5, 0, 0.5, 1, 1.5)))
    assert check(tmp_path / "set").differences == ()
    between, against = measure(tmp_path / "set"), measure(tmp_path / "set", sources=shared_media)
    assert between.differences == against.differences == []
    assert between.measured > 250
    assert against.measured > 280
