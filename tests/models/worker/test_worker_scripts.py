"""The worker scripts for models whose packages clash with ours: all of them but the model, which is a stand-in.

No weights were at hand: what is tested is what they say to Offbeat, and what they hand to the model's library.
"""

import ast
import importlib.util
import json
import shlex
import sys
import textwrap
import tomllib
from pathlib import Path

import numpy as np
import pytest

import offbeat.models.worker
from offbeat.errors import ModelError, ModelUnavailable
from offbeat.models.base import Prompt
from offbeat.models.registry import make_model

SCRIPTS = Path(offbeat.models.worker.__file__).parent / "scripts"
MINICPM, VIDEOLLAMA = SCRIPTS / "minicpm_o.py", SCRIPTS / "videollama2_av.py"
PROMPT = Prompt("Sync, ahead or behind?", ("sync", "ahead", "behind"))


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.name)
def test_it_stands_alone_and_names_its_packages(script):
    """Only the standard library at import, so that hello comes at once; the pins are read by uv (PEP 723)."""
    text = script.read_text(encoding="utf-8")
    header = text.split("# ///\n")[0].removeprefix("# /// script\n")
    pins = tomllib.loads("".join(line.removeprefix("#").removeprefix(" ") for line in header.splitlines(keepends=True)))
    assert any(pin.startswith("transformers==") for pin in pins["dependencies"])
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(text, feature_version=(3, 10)))
        for name in ([a.name for a in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", None)])
        if name
    }
    assert imported <= set(sys.stdlib_module_names)


@pytest.fixture
def stubs(tmp_path):
    """A folder with stand-ins for torch, transformers, Pillow and videollama2; they write down what they are given."""
    stubs = tmp_path / "stubs"
    (stubs / "PIL").mkdir(parents=True)
    (stubs / "videollama2").mkdir()
    (stubs / "PIL" / "__init__.py").touch()
    (stubs / "PIL" / "Image.py").write_text("def fromarray(array):\n    return ('image', array)\n")
    (stubs / "torch.py").write_text("bfloat16 = 'bfloat16'\n")
    (stubs / "transformers.py").write_text(
        textwrap.dedent("""
        import json, os
        class Chat:
            def eval(self): return self
            def cuda(self): return self
            def chat(self, *, msgs, **options):
                print("a library prints this")
                def shown(part):
                    if isinstance(part, str): return part
                    if isinstance(part, tuple): return ["image", list(part[1].shape), str(part[1].dtype)]
                    return ["sound", list(part.shape), str(part.dtype)]
                told = [{"role": m["role"], "content": [shown(part) for part in m["content"]]} for m in msgs]
                with open(os.environ["STUB_LOG"], "a") as log:
                    log.write(json.dumps({"msgs": told, "options": options}) + "\\n")
                return " Ahead"
        class AutoModel:
            @staticmethod
            def from_pretrained(name, **options):
                with open(os.environ["STUB_LOG"], "a") as log:
                    log.write(json.dumps({"name": name, "options": options}) + "\\n")
                if "missing" in name: raise OSError(f"{name} is no folder and no repository")
                return Chat()
        """)
    )
    (stubs / "videollama2" / "__init__.py").write_text(
        textwrap.dedent("""
        import json, os
        def note(**what):
            with open(os.environ["STUB_LOG"], "a") as log:
                log.write(json.dumps(what) + "\\n")
        def read(path, va=False):
            note(path_ends=path[-4:], there=os.path.isfile(path), va=va)
            return {"video": [0] * 8, "audio": [0]} if va else [0] * 8
        def model_init(name):
            return "model", {"image": None, "video": read, "audio": None}, "tokenizer"
        def mm_infer(clip, instruct, model, tokenizer, modal="video", **options):
            note(clip=sorted(clip), instruct=instruct, modal=modal, **options)
            return "behind"
        """)
    )
    return stubs


@pytest.fixture
def log(stubs, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(stubs))
    monkeypatch.setenv("STUB_LOG", str(tmp_path / "log"))
    return lambda: [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]


def worker(script, *words):
    return make_model(f"worker:{shlex.join(map(str, [sys.executable, script, *words]))}", options={"env": "STUB_LOG"})


def test_minicpm_is_given_units_of_a_second(variants, log):
    model = worker(MINICPM, "openbmb/MiniCPM-o-4_5", "--weights", "abc123", "--height", 24)
    reply = model.reply(variants[0], PROMPT)
    assert (reply.text, reply.details) == (" Ahead", {"units": 2})
    loaded, asked = log()
    assert loaded["name"] == "openbmb/MiniCPM-o-4_5"
    assert (loaded["options"]["revision"], loaded["options"]["init_tts"]) == ("abc123", False)
    unit = [["image", [24, 32, 3], "uint8"], ["sound", [16000], "float32"], ["image", [54, 70, 3], "uint8"]]
    last = [unit[0], ["sound", asked["msgs"][0]["content"][4][1], "float32"], unit[2]]
    assert asked["msgs"] == [{"role": "user", "content": [*unit, *last, PROMPT.text]}]
    assert 15_500 <= last[1][1][0] <= 16_500, "two seconds and what the encoder adds"
    assert asked["options"]["omni_mode"] is True
    assert asked["options"]["do_sample"] is False
    assert asked["options"]["generate_audio"] is False


def test_minicpm_with_a_frame_a_second_and_a_system_prompt(variants, log):
    prompt = Prompt("Which?", ("sync", "ahead"), system="Be brief.")
    model = worker(MINICPM, "weights", "--stack", 1)
    assert "stack=1" in model.revision
    model.replies(variants, [prompt] * 3)
    loaded, *asked = log()
    assert len(asked) == 3, "loaded once, asked three times"
    system, user = asked[0]["msgs"]
    assert system == {"role": "system", "content": ["Be brief."]}
    assert [part[0] for part in user["content"][:-1]] == ["image", "sound"] * 2
    assert loaded["options"]["revision"] == "main"


def test_minicpm_weights_that_are_not_there(variants, log):
    with pytest.raises(ModelUnavailable, match="missing-weights is no folder"):
        worker(MINICPM, "missing-weights").reply(variants[0], PROMPT)


def load(script):
    spec = importlib.util.spec_from_file_location(script.stem, script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("stack", "length"), [(1, 3.0), (5, 3.0), (5, 2.5), (5, 2.01)])
def test_units_hold_the_frames_and_the_sound_of_their_second(stack, length):
    """Frames carry their number, samples their time, so that what stands where can be read off."""
    numbers = np.arange(int(np.ceil(length * stack)), dtype=np.uint8)
    frames = np.broadcast_to(numbers[:, None, None, None], (len(numbers), 4, 6, 3))
    times = (np.arange(int(length * 16_000)) / 16_000).astype(np.float32)
    parts = load(MINICPM).units(frames, np.stack([times, times]), stack, np)
    size = 2 if stack == 1 else 3
    for second in range(3):
        first, heard, *further = parts[size * second : size * second + size]
        assert first.flat[0] == second * stack
        kept = heard[: max(0, len(times) - second * 16_000)]
        assert (np.floor(kept + 1e-5) == second).all()
        assert len(heard) >= 1_600
        if further:
            centres = [(2, 3), (2, 3 + 6 + 6), (2 + 4 + 6, 3), (2 + 4 + 6, 3 + 6 + 6)]
            shown = [int(further[0][place][0]) for place in centres]
            left = [second * 5 + k for k in range(1, 5) if second * 5 + k < len(frames)]
            assert shown == left + [0] * (4 - len(left))
            assert further[0].shape == (2 * 4 + 6, 2 * 6 + 6, 3)
    assert len(parts) <= 3 * size


def test_videollama_goes_through_its_makers_reader_with_its_sound(variants, stubs, log):
    model = worker(VIDEOLLAMA, "weights", "--code", stubs, "--label", "c0ffee")
    assert "label=c0ffee" in model.revision
    reply = model.reply(variants[1], PROMPT)
    assert reply.text == "behind"
    assert reply.details["common_time_axis"] is False
    assert reply.details["sound_windows_s"] == [[0, 2]] * 8
    read, asked = log()
    assert read == {"path_ends": ".mp4", "there": True, "va": True}
    assert asked["clip"] == ["audio", "video"]
    assert (asked["instruct"], asked["modal"], asked["do_sample"]) == (PROMPT.text, "video", False)


def test_videollama_refuses_what_it_cannot_do(variants, stubs, log, tmp_path):
    with pytest.raises(ModelUnavailable, match="no folder videollama2"):
        worker(VIDEOLLAMA, "weights", "--code", tmp_path).reply(variants[0], PROMPT)
    with pytest.raises(ModelError, match="no system prompt"):
        worker(VIDEOLLAMA, "weights", "--code", stubs).reply(variants[0], Prompt("?", ("a", "b"), system="Be brief."))


@pytest.mark.parametrize(
    ("length_s", "starts"),
    [
        (10, [0, 1, 2, 3, 4, 5, 6, 7]),
        (7, [0, 0.625, 1.25, 1.875, 2.5, 3.125, 3.75, 4.375]),
        (3, [0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875]),
        (1, [0] * 8),
    ],
)
def test_windows_are_those_of_pytorchvideo(length_s, starts):
    """As `ConstantClipsPerVideoSampler(clip_duration=2, clips_per_video=8)` of pytorchvideo 0.1.5 gives them."""
    windows = load(VIDEOLLAMA).windows_s(length_s)
    assert [start for start, _ in windows] == starts
    assert [stop for _, stop in windows] == [min(start + 2, length_s) for start in starts]
