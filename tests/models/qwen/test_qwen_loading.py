"""Checkpoints that cannot be loaded, or devices: what is wrong is told, and before long work where it can be."""

import json
import shutil

import pytest

torch = pytest.importorskip("torch", reason="needs torch: make test-qwen")

import transformers  # noqa: E402

from offbeat.errors import ModelUnavailable  # noqa: E402
from offbeat.models.qwen import QwenOmni, loading  # noqa: E402

KIND = transformers.Qwen2_5OmniThinkerForConditionalGeneration


@pytest.fixture(autouse=True)
def nothing_held(monkeypatch):
    monkeypatch.setattr(loading, "_held", {})


@pytest.fixture
def copied(qwen25, tmp_path):
    return shutil.copytree(qwen25, tmp_path / "copied")


def told(folder, clip, prompt, **options) -> str:
    with pytest.raises(ModelUnavailable) as failure:
        QwenOmni(argument=str(folder), **options).reply(clip()[0], prompt)
    assert str(folder) in str(failure.value)
    return str(failure.value)


def test_weights_that_do_not_fit_into_the_memory(qwen25, clip, prompt, monkeypatch):
    def too_much(self, where):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(KIND, "to", too_much)
    said = told(qwen25, clip, prompt, dtype="float32")
    assert "does not fit into the memory of cpu in torch.float32" in said
    assert "--option dtype=bfloat16" in said
    assert "--option device=auto" in said


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there_is_told_before_anything_is_read(qwen25, clip, prompt, monkeypatch):
    monkeypatch.setattr(KIND, "from_pretrained", lambda *args, **options: pytest.fail("read"))
    assert "cannot be loaded to cuda:7" in told(qwen25, clip, prompt, device="cuda:7")
    assert "cannot be loaded to tpu: Expected one of cpu, cuda" in told(qwen25, clip, prompt, device="tpu")


def test_packages_that_an_option_needs(qwen25, clip, prompt):
    assert "FlashAttention2" in told(qwen25, clip, prompt, attention="flash_attention_2")
    assert "nonsense" in told(qwen25, clip, prompt, attention="nonsense")


def test_weights_that_break_off(copied, clip, prompt):
    weights = copied / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    said = told(copied, clip, prompt)
    assert "the weights cannot be read (" in said
    assert "fetch the checkpoint again" in said


def test_a_tensor_that_is_not_there_is_not_made_up(copied, clip, prompt):
    from safetensors.torch import load_file, save_file

    tensors = load_file(copied / "model.safetensors")
    name = next(name for name in tensors if name.endswith("lm_head.weight"))
    del tensors[name]
    save_file(tensors, copied / "model.safetensors", metadata={"format": "pt"})
    assert "1 tensors of the thinker are missing, such as lm_head.weight; fetch the checkpoint again" in told(
        copied, clip, prompt
    )


def test_a_tokenizer_of_another_model(copied, clip, prompt):
    config = json.loads((copied / "tokenizer_config.json").read_text())
    names = {name: token for name, token in config.items() if not str(token).startswith("<|audio")}
    names["extra_special_tokens"] = {}
    (copied / "tokenizer_config.json").write_text(json.dumps(names))
    assert "the tokenizer has no " in told(copied, clip, prompt)


def test_a_chat_template_that_is_nowhere(copied, clip, prompt):
    (copied / "chat_template.json").unlink()
    assert "no chat template" in told(copied, clip, prompt)
