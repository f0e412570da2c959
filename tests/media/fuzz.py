"""Damage small valid files of four containers in many ways, and count what comes of it. Run by `make fuzz`.

Nothing may hang or end the parent; what is taken from a damaged file must be what the intact one holds at that time, or
be refused. What no codec's own data gives away (a changed byte that decodes to another picture) is counted as marred.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path
from time import monotonic

import numpy as np
from builds import card_file
from fuzz_job import Damage, Kind, look
from messy import AAC, X264, ffmpeg
from messy_page import FUZZ, PAGE

from offbeat.dataset.workers import Children, Lost

FILMS = {
    "mp4": (*X264, "-g", "30", *AAC),
    "mkv": (*X264, "-g", "30", "-c:a", "flac"),
    # "realtime" would look at the clock, and give other bytes each time
    "webm": (*("-c:v", "libvpx", "-g", "30", "-crf", "10", "-deadline", "good", "-cpu-used", "5"), "-c:a", "libopus"),
    "ts": (*X264, "-g", "30", *AAC),
}
KINDS: dict[Kind, int] = {"cut": 100, "flip": 300, "zeros": 50, "gap": 50}
"""How many of each, for each container."""
WRONG = ("other frames", "late sound", "other times", "other size")
TIMEOUT_S = 60
HEAD = """
## Damaged at random

Written by `make fuzz`: {count:,} damaged copies of small files of four containers, from a fixed seed; each was scanned
and cut in a child process with a limit of {timeout} s. **Crashes of the parent: 0; hangs: {hung}; children lost:
{lost}.** *Marred*: frames at the right times, and the sound where it belongs, but with damage in them that the codec's
own data do not give away (VP8, Opus and AAC carry no checksums, H.264 only gives itself away mostly), or with a frame
lost, so that the one before it is shown for as long, as by any player. *Wrong*: frames of other times, or the sound
elsewhere.

| container | damage | files | refused | whole | marred picture | marred sound | wrong |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""
WORDS = {
    "cut": "cut off",
    "flip": "one byte changed",
    "zeros": "16 to 2,000 bytes zeroed",
    "gap": "16 to 2,000 bytes lost",
}


def damages(path: Path, share: float, rng: np.random.Generator) -> list[Damage]:
    """A file's share of all damages."""
    size = path.stat().st_size
    return [
        Damage(path, kind, int(rng.integers(1, size)), 1 << int(rng.integers(8)), int(rng.integers(16, 2000)))
        for kind, count in KINDS.items()
        for _ in range(max(1, round(count * share)))
    ]


def run(folder: Path, *, share: float = 1.0, jobs: int = 2, seed: int = 1) -> list[tuple[Damage, str]]:
    """Every damage, and what came of it."""
    card_file(folder / "card.mkv", length_s=3)
    rng = np.random.default_rng(seed)
    jobs_to_do: list[Damage] = []
    for suffix, options in FILMS.items():
        path = folder / f"film.{suffix}"
        ffmpeg("-i", folder / "card.mkv", *options, "-fflags", "+bitexact", path)
        jobs_to_do += damages(path, share, rng)
    with Children(jobs, timeout_s=TIMEOUT_S) as workers:
        results = workers.map(look, jobs_to_do, advance=lambda: None)
    return [
        (damage, f"lost: {result.reason}" if isinstance(result, Lost) else result)
        for damage, result in zip(jobs_to_do, results, strict=True)
    ]


def table(results: list[tuple[Damage, str]]) -> str:
    """The page's section."""
    counts = Counter((damage.path.suffix[1:], damage.kind, _column(what)) for damage, what in results)
    lost = Counter(what for _, what in results if what.startswith("lost"))
    text = HEAD.format(
        count=len(results), timeout=TIMEOUT_S, hung=lost.pop("lost: timed_out", 0), lost=sum(lost.values())
    )
    for suffix in FILMS:
        for kind in KINDS:
            found = {column: counts[suffix, kind, column] for column in ("refused", "whole", *_MARRED, "wrong")}
            cells = [suffix, WORDS[kind], str(sum(found.values())), *map(str, found.values())]
            text += f"| {' | '.join(cells)} |\n"
    return text


_MARRED = ("marred picture", "marred sound")


def _column(what: str) -> str:
    if what.startswith(("refused", "lost")):
        return "refused"
    return "wrong" if what in WRONG else what


def main() -> None:
    """Run all, print, and write the section into docs/messy.md."""
    began = monotonic()
    with tempfile.TemporaryDirectory() as folder:
        results = run(Path(folder))
    text = table(results)
    print(text)
    for damage, what in results:
        if what in WRONG or what.startswith("lost"):
            print(damage.path.name, damage.kind, damage.at, damage.mask, damage.length, what)
    print(Counter(what for _, what in results).most_common(), f"{monotonic() - began:.0f} s")
    before = PAGE.read_text(encoding="utf-8").partition(FUZZ)[0].rstrip("\n")
    PAGE.write_text(f"{before}\n\n{FUZZ}\n{text}", encoding="utf-8")
    sys.exit(1 if any(what in WRONG or what == "lost: timed_out" for _, what in results) else 0)


if __name__ == "__main__":
    main()
