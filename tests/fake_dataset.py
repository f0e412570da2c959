"""Dataset folders with rows as real ones have them, and files that nobody decodes."""

import hashlib
from fractions import Fraction
from pathlib import Path

from offbeat.dataset.folder import CLIPS, INFO, METADATA, SOURCES, Dataset, open_dataset
from offbeat.dataset.schema import FORMAT_VERSION, DatasetInfo, SourceRow, VariantRow
from offbeat.timing import label_of, overlap_of

GENRES = ("cooking", "instrument", "sports", "asmr", "speech")


def row_of(number: int, *, source: int = 0, length_s: float = 3.0, delay_s: float = 0.0, content: bytes = b"") -> dict:
    """The fields of one variant."""
    return {
        "file_name": f"{CLIPS}/{number:06d}.mp4",
        "variant_id": f"v{number:06d}",
        "clip_id": f"c{source}-{length_s:g}",
        "source_id": f"s{source}",
        "genre": GENRES[source % len(GENRES)],
        "language": None,
        "condition": "delay",
        "audio_delay_ms": delay_s * 1000,
        "label": label_of(delay_s),
        "clip_start_s": 1.0,
        "clip_length_s": length_s,
        "overlap_s": float(overlap_of(Fraction(length_s), Fraction(delay_s))),
        "fps": 25.0,
        "width": 64,
        "height": 48,
        "audio_hz": 48000,
        "measured_delay_ms": None,
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def write_dataset(
    folder: Path, *, sources: int = 5, lengths: tuple[float, ...] = (3.0, 10.0), delays: int = 5
) -> Dataset:
    """`sources` x `lengths` clips with `delays` variants each, from -k to +k seconds."""
    (folder / CLIPS).mkdir(parents=True)
    rows = []
    for source in range(sources):
        for length_s in lengths:
            for step in range(delays):
                content = f"{source} {length_s} {step}".encode()
                fields = row_of(
                    len(rows), source=source, length_s=length_s, delay_s=float(step - delays // 2), content=content
                )
                (folder / fields["file_name"]).write_bytes(content)
                rows.append(VariantRow(**fields))
    source_rows = [
        SourceRow(source_id=f"s{n}", path=f"{n}.mp4", genre=GENRES[n % len(GENRES)], status="used")
        for n in range(sources)
    ]
    info = DatasetInfo(
        format_version=FORMAT_VERSION,
        offbeat_version="0",
        av_version="0",
        ffmpeg_version="0",
        settings={},
        sources_used=sources,
        sources_refused=0,
        clips=sources * len(lengths),
        variants=len(rows),
        complete=True,
    )
    (folder / METADATA).write_text("".join(row.model_dump_json() + "\n" for row in rows), encoding="utf-8")
    (folder / SOURCES).write_text("".join(row.model_dump_json() + "\n" for row in source_rows), encoding="utf-8")
    (folder / INFO).write_text(info.model_dump_json(), encoding="utf-8")
    return open_dataset(folder)
