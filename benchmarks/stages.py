"""Where the CPU of a build goes, stage by stage: one process, one thread, four 5-s clips with 21 delays each.

The material is that of `build.py`; all windows are done one after the other, so that no two stages overlap.

    python benchmarks/stages.py [--audio aac|flac] [--picture encode|copy]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from material import joined_720p

os.environ["OPENBLAS_NUM_THREADS"] = "1"

from offbeat import files
from offbeat.dataset import flags
from offbeat.dataset.folder import CLIPS
from offbeat.dataset.offer import scan_sources
from offbeat.dataset.plan import plan_source
from offbeat.dataset.render import render_clip
from offbeat.dataset.settings import BuildSettings
from offbeat.dataset.sources import read_sources
from offbeat.media import copy, cut, picture, span, verify, write
from offbeat.media.scan import scan

IMPORTED_S = time.process_time()
STAGES = (
    ("scan the source", scan),
    ("picture: decode, encode", picture.encode_picture),
    ("picture: copy, decode once, prove", copy.copy_picture),
    ("sound: decode and resample the span", cut.cut_sound),
    ("sound: encode", write._aac_packets),  # pyright: ignore[reportPrivateUsage]
    ("sound: encode", span.flac_packets),
    ("write files, with the encoding of sound", write.VariantWriter.write),
    ("read files back, decode their sound", verify.read_back),
    ("find the sound in the source's", verify.measured_delay_ms),
    ("find the sound in the source's", verify.lossless_delay_ms),
    ("hash the files", files.sha256_of),
    ("flags of the sound", flags.listen),
    ("flags of the picture", flags.picture_flags),
)
spent: dict[str, list[float]] = {}


def timed(text: str, function: Callable[..., object]) -> Callable[..., object]:
    """The function, with its CPU time put down."""

    def wrapped(*arguments: object, **named: object) -> object:
        began = time.thread_time()
        try:
            return function(*arguments, **named)
        finally:
            spent.setdefault(text, []).append(time.thread_time() - began)

    return wrapped


def watch() -> None:
    """Put each stage's function, wherever it was imported to, behind a clock; a profiler would slow Python down."""
    for text, function in STAGES:
        for name, module in list(sys.modules.items()):
            for holder in (module, getattr(module, "VariantWriter", None)) if name.startswith("offbeat") else ():
                if getattr(holder, function.__name__, None) is function:
                    setattr(holder, function.__name__, timed(text, function))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audio", choices=["aac", "flac"], default="aac")
    parser.add_argument("--picture", choices=["encode", "copy"], default="encode")
    chosen = vars(parser.parse_args())
    settings = BuildSettings.model_validate({"lengths_s": (5,), "clips_per_source": 4, **chosen})
    with tempfile.TemporaryDirectory() as folder:
        joined_720p(Path(folder) / "source")
        (Path(folder) / CLIPS).mkdir()
        listed = read_sources(Path(folder) / "source")
        (offered,) = scan_sources(listed, jobs=1, advance=lambda: None)
        watch()
        began = time.process_time()
        scanned = timed("scan the source", scan)(listed[0].path)
        for clip in plan_source(offered.source_id, scanned, settings).clips:
            render_clip(clip, listed[0], scanned, settings, Path(folder))
        total_s = time.process_time() - began
    print(f"{chosen}, load {os.getloadavg()[0]:.1f}")
    print(f"{IMPORTED_S:7.2f} CPU s  start Python and import, once a process")
    print(f"{total_s:7.2f} CPU s  scan, plan, render; of these:")
    for text, times_s in spent.items():
        print(f"{sum(times_s):7.2f} CPU s  {text}: {len(times_s)} x {1000 * sum(times_s) / len(times_s):.1f} ms")


if __name__ == "__main__":
    main()
