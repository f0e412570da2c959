"""A build of real clips, killed fifty times on its way, ends with the bytes of one that was left in peace."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from builds import check_records, contents, killed_at_work, killed_in_the_act

KILLS = 50
CLIPS = (
    *(
        "animals_05_dog_howl.mp4",
        "animals_08_lion_gt.mp4",
        "animation_03_bbb_30s_480p.mp4",
        "cooking_03_mixing_bowl.mp4",
    ),
    *(
        "events_10_crosswalk.mp4",
        "human_sounds_01_baby_cry.mp4",
        "human_sounds_04_cough.mp4",
        "instrument_26_cymbal.mp4",
    ),
    *("objects_03_hammer_spoon.mp4", "speech_en_15_psychopy_testmovie.mp4", "speech_unk_08_mdn_man.mp4"),
    *("sports_01_tennis_vgg.mp4", "sports_12_weightlifting.mp4", "instrument_01_conga_solo.mp4"),
)
COMMAND = ("--lengths", "3", "--max-delay", "1", "--step", "0.5", "--jobs", "2")


def digests(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents(folder).items()}


@pytest.mark.slow
def test_the_bytes_are_those_of_an_uninterrupted_build(shared_media: Path, tmp_path: Path) -> None:
    """Killed with SIGKILL: in turn at any moment, and together with its children in the middle of writing a clip.

    A start that is not killed in time ends the build; it is compared, and another is begun.
    """
    (tmp_path / "in").mkdir()
    for name in CLIPS:
        shutil.copy(shared_media / name, tmp_path / "in")
    command = [sys.executable, "-m", "offbeat", "build", str(tmp_path / "in"), *COMMAND, "--out"]
    subprocess.run([*command, str(tmp_path / "whole")], check=True, capture_output=True)
    expected = digests(tmp_path / "whole")
    assert sum(name.startswith("clips/") for name in expected) == 5 * len(CLIPS)
    killed = tmp_path / "killed"
    rng = np.random.default_rng(50)
    starts = kills = builds = 0
    while kills < KILLS:
        starts += 1
        writes = int(rng.integers(1, 12))
        if starts % 2:
            was = killed_at_work([*command, str(killed)], killed, writes=writes, then_s=float(rng.uniform(0, 0.4)))
        else:
            was = killed_in_the_act([*command, str(killed)], killed / "clips", writes=writes)
        kills += was
        check_records(killed)
        if not was:
            assert digests(killed) == expected
            shutil.rmtree(killed)
            builds += 1
    subprocess.run([*command, str(killed)], check=True, capture_output=True)
    print(f"{kills} kills in {starts} starts; {builds + 1} builds ended with the same bytes")
    assert digests(killed) == expected
