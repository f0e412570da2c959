"""Small datasets and made-up answers for the tests of the report."""

import hashlib
import json
import os
from html.parser import HTMLParser
from pathlib import Path

import av
import numpy as np

from offbeat.dataset.folder import Dataset, open_dataset
from offbeat.dataset.schema import DatasetInfo, SourceRow, VariantRow
from offbeat.dataset.variant import Variant
from offbeat.evaluation.answer import Answer
from offbeat.evaluation.database import Database
from offbeat.evaluation.run_folder import RunInfo
from offbeat.evaluation.store import put_answer
from offbeat.timing import LABELS, label_of

STUDY_GENRES = {"cooking": 11, "instrument": 10, "sports": 10, "ASMR": 10, "speech": 10}
ATTACK = "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
STUDY_DELAYS_MS = tuple(500.0 * k for k in range(-10, 11))


def sample_dataset(folder=Path("nowhere"), *, genres=None, lengths=(3.0,), delays_ms=(-1000.0, 0.0, 1000.0)):
    """A dataset in memory: so many sources of each genre, one clip of each length of each, all delays."""
    genres = {"cooking": 2, "speech": 2} if genres is None else genres
    sources, variants = [], []
    for genre, number in genres.items():
        for k in range(number):
            source_id = digest(f"{genre} {k}")
            language = ("en", "fr", "ja")[k % 3] if genre == "speech" else None
            sources.append(
                SourceRow(
                    source_id=source_id,
                    path=f"{genre}/{k}.mp4",
                    genre=genre,
                    language=language,
                    status="used",
                    length_s=60.0 + k,
                    clips=len(lengths),
                )
            )
            for length_s in lengths:
                clip_id = digest(f"{source_id} {length_s}")
                variants += [
                    variant_row(source_id, clip_id, genre, language, length_s, delay_ms) for delay_ms in delays_ms
                ]
    info = DatasetInfo(
        format_version=1,
        offbeat_version="0.1",
        av_version="18.1.0",
        ffmpeg_version="8.1.2",
        settings={"seed": 0, "lengths_s": list(lengths), "layout": "files"},
        sources_used=len(sources),
        sources_refused=0,
        clips=len(sources) * len(lengths),
        variants=len(variants),
        complete=True,
    )
    return Dataset(
        folder=folder,
        info=info,
        sources=tuple(sources),
        variants=tuple(Variant(row=row, folder=folder) for row in variants),
        fingerprint="f" * 64,
    )


def variant_row(source_id, clip_id, genre, language, length_s, delay_ms):
    variant_id = digest(f"{clip_id} {delay_ms}")
    return VariantRow(
        file_name=f"clips/{variant_id}.mp4",
        variant_id=variant_id,
        clip_id=clip_id,
        source_id=source_id,
        genre=genre,
        language=language,
        condition="delay",
        audio_delay_ms=delay_ms,
        label=label_of(delay_ms),
        clip_start_s=10.0,
        clip_length_s=length_s,
        overlap_s=max(0.0, length_s - abs(delay_ms) / 1000),
        fps=25.0,
        width=64,
        height=48,
        audio_hz=48000,
        measured_delay_ms=delay_ms + 0.02,
        sha256="0" * 64,
    )


def write_dataset(dataset, clip: bytes):
    """Put a dataset on disk; every variant is the same file."""
    (dataset.folder / "clips").mkdir(parents=True)
    (dataset.folder / "dataset.json").write_text(dataset.info.model_dump_json(), encoding="utf-8")
    for name, rows in (("sources.jsonl", dataset.sources), ("metadata.jsonl", [v.row for v in dataset.variants])):
        text = "".join(row.model_dump_json() + "\n" for row in rows)
        (dataset.folder / name).write_text(text, encoding="utf-8")
    for variant in dataset.variants:
        variant.path.parent.mkdir(parents=True, exist_ok=True)
        variant.path.write_bytes(clip)


def sample_answers(dataset, model, choose, *, question="study", revision="1", repeat=0):
    """An answer to every variant; `choose` maps a row to a choice, to an outcome other than ok, or to None: no row."""
    replies = [(variant.row, choose(variant.row)) for variant in dataset.variants]
    return [answer(row, model, reply, question, revision, repeat) for row, reply in replies if reply is not None]


def answer(row, model, reply, question="study", revision="1", repeat=0):
    is_choice = reply in LABELS or reply in ("yes", "no")
    return Answer(
        model=model,
        revision=revision,
        variant_id=row.variant_id,
        question=question,
        repeat=repeat,
        key=digest(f"{model} {revision} {row.variant_id} {question} {repeat}"),
        prompt=f"You will watch a {row.clip_length_s:g}-second video with audio.",
        system=None,
        options={label: label for label in LABELS},
        outcome="ok" if is_choice else reply,
        choice=reply if is_choice else None,
        text=None if reply == "error" else str(reply),
        probabilities=None,
        usage={},
        details={},
        error="the server hung up" if reply == "error" else None,
        asked_at="2026-11-20T10:00:00+00:00",
        seconds=0.5,
    )


def guess(p_right, seed=0):
    """A model that is right with that chance, and guesses else."""
    rng = np.random.default_rng(seed)
    return lambda row: row.label if rng.random() < p_right else LABELS[rng.integers(3)]


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def tiny_mp4(path: Path) -> bytes:
    """Half a second of grey and silence, H.264 and AAC."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = container.add_stream("aac", rate=48000)
        for k in range(12):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 20 * k, np.uint8), format="rgb24")
            container.mux(video.encode(frame))
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 24000), np.float32), format="fltp", layout="mono")
        sound.sample_rate = 48000
        container.mux(audio.encode(sound))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return path.read_bytes()


class Parsed(HTMLParser):
    """All elements with their attributes, and the text of scripts."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.elements, self.scripts, self.words = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag == "script":
            self.scripts.append((dict(attributes), ""))

    def handle_data(self, data):
        if self.cdata_elem == "script":
            kind, text = self.scripts[-1]
            self.scripts[-1] = (kind, text + data)
        else:
            self.words.append(data)

    def named(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def data_block(page: str, block_id: str):
    """The JSON of a data block of a page."""
    start = page.index(">", page.index(f'id="{block_id}"')) + 1
    return json.loads(page[start : page.index("</script>", start)])


def write_run(folder: Path, dataset, answers):
    """A run folder as `offbeat run` leaves it."""
    folder.mkdir(parents=True)
    info = RunInfo(
        dataset_folder=os.path.relpath(dataset.folder, folder),
        dataset_fingerprint=open_dataset(dataset.folder).fingerprint,
        created_at="2026-11-20T10:00:00+00:00",
        updated_at="2026-11-20T11:00:00+00:00",
    )
    (folder / "run.json").write_text(info.model_dump_json(), encoding="utf-8")
    with Database(folder / "answers.sqlite") as database:
        for one in answers:
            put_answer(database, one)
    return folder
