"""What a specification says, what is refused, and what is looked for on the disk."""

import json

import pytest

from offbeat.errors import ModelUnavailable
from offbeat.models.qwen.checkpoint import find_checkpoint
from offbeat.models.qwen.settings import name_of, read_argument
from offbeat.models.registry import make_model


def test_brackets_are_settings_and_part_of_the_name():
    source, settings = read_argument("some/folder[video-only, fps=8]", {"fps": 2, "batch": 3})
    assert (source, settings.control, settings.fps, settings.batch) == ("some/folder", "video-only", 8, 3)
    assert name_of("some/folder[video-only, fps=8]", settings) == "qwen-omni:some/folder[video-only, fps=8]"
    _, by_option = read_argument("some/folder[fps=8]", {"control": "text-only"})
    assert name_of("some/folder[fps=8]", by_option) == "qwen-omni:some/folder[fps=8,text-only]"
    _, alone = read_argument("some/folder", {"control": "text-only"})
    assert name_of("some/folder", alone) == "qwen-omni:some/folder[text-only]"


@pytest.mark.parametrize(
    ("argument", "options", "said"),
    [
        ("x[deaf]", {}, "'deaf' in brackets; expected NAME=VALUE, or one of none, separate-sound"),
        ("x[fps=8,fps=2]", {}, "fps is given twice"),
        ("x[fpss=8]", {}, "fpss: Extra inputs"),
        ("x", {"fps": 0}, "fps: Input should be greater than 0, got 0"),
        ("x", {"fps": "fast"}, "fps: Input should be a valid number"),
        ("x", {"sampler": "random"}, "sampler: Input should be 'grid' or 'official'"),
        ("x", {"device": "cuda:1; rm"}, "device: String should match"),
    ],
)
def test_what_is_not_right_is_told(argument, options, said):
    with pytest.raises(ModelUnavailable) as told:
        read_argument(argument, options)
    assert said in str(told.value)


def test_everything_that_may_change_an_answer_is_in_the_revision():
    _, plain = read_argument("x", {})
    for option in (
        {"control": "text-only"},
        {"fps": 4},
        {"sampler": "official"},
        {"max_pixels": 200704},
        {"height": 360},
        {"answer": "text"},
        {"max_new_tokens": 3},
        {"dtype": "float16"},
        {"attention": "eager"},
    ):
        assert read_argument("x", option)[1].revision != plain.revision, option
    assert read_argument("x", {"batch": 3, "device": "cuda:1"})[1].revision == plain.revision


def _folder(path, *, without: str = "", config: dict | None = None):
    path.mkdir()
    files = {
        "config.json": json.dumps(config or {"model_type": "qwen2_5_omni"}),
        "preprocessor_config.json": "{}",
        "tokenizer.json": "{}",
        "model-00001-of-00002.safetensors": "1",
        "model-00002-of-00002.safetensors": "2",
        "model.safetensors.index.json": json.dumps(
            {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
        ),
    }
    for name, content in files.items():
        if name != without:
            (path / name).write_text(content)
    return path


@pytest.mark.parametrize(
    "missing", ["config.json", "preprocessor_config.json", "tokenizer.json", "model-00002-of-00002.safetensors"]
)
def test_what_a_folder_lacks_is_named(tmp_path, missing):
    folder = _folder(tmp_path / "half", without=missing)
    with pytest.raises(ModelUnavailable, match=f"no whole checkpoint: {missing} missing"):
        find_checkpoint(str(folder))


def test_a_checkpoint_of_another_kind_is_refused(tmp_path):
    folder = _folder(tmp_path / "other", config={"model_type": "llama"})
    with pytest.raises(ModelUnavailable, match="type 'llama', expected one of qwen2_5_omni, qwen3_omni_moe"):
        find_checkpoint(str(folder))
    (folder / "config.json").write_text("{")
    with pytest.raises(ModelUnavailable, match=r"config\.json: cannot be read"):
        find_checkpoint(str(folder))


def test_what_is_no_folder_and_no_repository(tmp_path):
    for source in (str(tmp_path / "none"), "./none", "none"):
        with pytest.raises(ModelUnavailable, match="no such folder; expected a checkpoint's, or a repository"):
            find_checkpoint(source)
    with pytest.raises(ModelUnavailable, match="needs a checkpoint"):
        find_checkpoint("")


def test_other_weights_are_another_revision(tmp_path):
    folder = _folder(tmp_path / "set")
    before = find_checkpoint(str(folder)).revision
    assert find_checkpoint(str(folder)).revision == before
    weights = folder / "model-00001-of-00002.safetensors"
    weights.write_text("9")
    after = find_checkpoint(str(folder)).revision
    assert after != before
    (folder / "generation_config.json").write_text("{}")
    assert find_checkpoint(str(folder)).revision != after


def test_without_torch_the_line_to_type_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelUnavailable) as told:
        make_model(f"qwen-omni:{_folder(tmp_path / 'set')}")
    assert "needs the package 'torch', which is not installed" in str(told.value)
    assert 'pip install "offbeat[qwen]"' in str(told.value)
