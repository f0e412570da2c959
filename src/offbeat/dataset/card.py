"""The dataset card: what is in the folder, how it was made, what must be known before using it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from offbeat.dataset.schema import DatasetInfo, SourceRow, VariantRow, column_texts


def card_of(info: DatasetInfo, sources: Sequence[SourceRow], rows: Sequence[VariantRow]) -> str:
    """The README of a dataset folder, in Markdown."""
    used = [source for source in sources if source.status == "used"]
    licences = sorted({source.licence or "not stated" for source in used})
    measured = [row for row in rows if row.measured_delay_ms is not None]
    errors = [abs((row.measured_delay_ms or 0.0) - row.audio_delay_ms) for row in measured]
    worst = f"at most {max(errors):.3f} ms" if errors else "none could be measured"
    apart = sum(row.overlap_s == 0 for row in rows)
    return f"""---
pretty_name: Shifted clips
tags: [audio-visual, synchronisation, evaluation]
configs:
- config_name: default
  data_files: [metadata.jsonl{"" if info.layout == "compact" else ', "clips/*.mp4"'}]
---

# Clips with shifted sound

{info.variants} variants of {info.clips} clips from {info.sources_used} sources, made by Offbeat {info.offbeat_version}.
{_COMPACT if info.layout == "compact" else ""}
**Sign:** `audio_delay_ms` > 0: the sound comes *later* than the picture (`behind`); < 0: *earlier* (`ahead`);
0: `sync`. For a picture over [t, t + L) the sound is the source's own over [t - delay, t - delay + L): real sound
throughout, nothing padded. All variants of a clip share the same picture packets and went through the same encoder,
the one at 0 included.

**Proof:** each file was decoded again and its sound looked up in the source's: {len(measured)} of {len(rows)} delays
measured, error {worst} (`measured_delay_ms`).

**Beware:** {apart} variants have `overlap_s` 0: their delay is as long as the clip or longer, so picture and sound
share no moment, and nobody can tell the direction. Labels are not balanced: report balanced accuracy beside accuracy.

| genre | sources | clips | variants | languages |
|---|---|---|---|---|
{_table(rows)}

## Columns of metadata.jsonl

| column | meaning |
|---|---|
{_columns()}

Identities are the first 12 hexadecimal digits of a SHA-256. Rows stand in the order of the sources' names, then
lengths, windows and delays. The same sources, settings and versions give the same bytes: `offbeat verify` compares the
folder with what it says of itself, and measures the delays again.

## How it was made

Settings: `{info.settings}`. Codec library: PyAV {info.av_version}, FFmpeg {info.ffmpeg_version}.
Licences of the sources: {", ".join(licences)}. Refused sources ({info.sources_refused}) stand in `sources.jsonl` with
their reasons.
"""


_COMPACT = """
**Compact layout:** each clip's picture and sound are here once, and the files that `file_name` speaks of are rendered
from them when they are wanted: Offbeat does so by itself, and `offbeat export FOLDER --to files --out OTHER` renders
them all, with the bytes that `sha256` tells.
"""


def _table(rows: Iterable[VariantRow]) -> str:
    lines: list[str] = []
    rows = list(rows)
    for genre in sorted({row.genre for row in rows}):
        mine = [row for row in rows if row.genre == genre]
        sources, clips = len({row.source_id for row in mine}), len({row.clip_id for row in mine})
        languages = ", ".join(sorted({row.language for row in mine if row.language})) or "–"
        lines.append(f"| {_cell(genre)} | {sources} | {clips} | {len(mine)} | {_cell(languages)} |")
    return "\n".join(lines)


def _columns() -> str:
    return "\n".join(f"| `{name}` | {_cell(text)} |" for name, text in column_texts(VariantRow).items())


def _cell(text: str) -> str:
    """Text of others, harmless in a table cell."""
    return "".join(c if c.isprintable() else " " for c in text).replace("|", "\\|").replace("<", "&lt;")
