"""Tiny checkpoints with random weights, in the form in which the makers publish theirs.

The tokenizer is the real one: its ranks come from the vocabulary file in the package `dashscope`, its special tokens
and the chat templates are written out from the public descriptions. Nothing is fetched.
"""

import base64
import importlib.util
import json
from pathlib import Path

SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
FIRST_SPECIAL = 151643
SPECIAL_25 = (
    "<|endoftext|> <|im_start|> <|im_end|> <|AUDIO|> <|audio_bos|> <|audio_eos|> <|box_end|> <|quad_start|> "
    "<|quad_end|> <|vision_bos|> <|vision_eos|> <|vision_pad|> <|IMAGE|> <|VIDEO|>"
)
SPECIAL_3 = (
    "<|endoftext|> <|im_start|> <|im_end|> <|object_ref_start|> <|object_ref_end|> <|box_start|> <|box_end|> "
    "<|quad_start|> <|quad_end|> <|vision_start|> <|vision_end|> <|vision_pad|> <|image_pad|> <|video_pad|> "
    "<tool_call> </tool_call> <|fim_prefix|> <|fim_middle|> <|fim_suffix|> <|fim_pad|> <|repo_name|> <|file_sep|> "
    "<tool_response> </tool_response> <think> </think> <|audio_start|> <|audio_end|> <tts_pad> <tts_text_bos> "
    "<tts_text_eod> <tts_text_bos_single> <|audio_pad|>"
)
NAMES_25 = {
    "image_token": "<|IMAGE|>",
    "audio_token": "<|AUDIO|>",
    "video_token": "<|VIDEO|>",
    "vision_bos_token": "<|vision_bos|>",
    "vision_eos_token": "<|vision_eos|>",
    "audio_bos_token": "<|audio_bos|>",
    "audio_eos_token": "<|audio_eos|>",
}
NAMES_3 = {
    "image_token": "<|image_pad|>",
    "audio_token": "<|audio_pad|>",
    "video_token": "<|video_pad|>",
    "vision_bos_token": "<|vision_start|>",
    "vision_eos_token": "<|vision_end|>",
    "audio_bos_token": "<|audio_start|>",
    "audio_eos_token": "<|audio_end|>",
}


def chat_template(names: dict[str, str], *, default_system: bool) -> str:
    """Turns between `im_start` and `im_end`; each item of a message by its type."""
    system = "<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n"
    first = "{% if loop.first and message.role != 'system' %}" + system + "{% endif %}" if default_system else ""
    video = names["vision_bos_token"] + names["video_token"] + names["vision_eos_token"]
    sound = names["audio_bos_token"] + names["audio_token"] + names["audio_eos_token"]
    return (
        "{% for message in messages %}" + first.replace("\\n", "\n") + "<|im_start|>{{ message.role }}\n"
        "{% if message.content is string %}{{ message.content }}{% else %}{% for item in message.content %}"
        "{% if item.type == 'video' %}"
        + video
        + "{% elif item.type == 'audio' %}"
        + sound
        + "{% else %}{{ item.text }}"
        "{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )


def ranks() -> dict[bytes, int]:
    place = importlib.util.find_spec("dashscope")
    assert place is not None
    assert place.submodule_search_locations
    text = (Path(place.submodule_search_locations[0]) / "resources" / "qwen.tiktoken").read_bytes()
    return {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in text.splitlines() if line)}


def _letters() -> dict[int, str]:
    """How byte-level vocabularies write a byte as a letter."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {byte: chr(byte) for byte in shown} | {byte: chr(256 + n) for n, byte in enumerate(hidden)}


def _halves(token: bytes, rank: int, known: dict[bytes, int]) -> list[bytes]:
    """What the token is merged from: all merges of a lower rank, the lowest first."""
    parts = [token[n : n + 1] for n in range(len(token))]
    while True:
        pairs = [(known.get(parts[n] + parts[n + 1], rank), n) for n in range(len(parts) - 1)]
        best, n = min(pairs, default=(rank, 0))
        if best >= rank:
            return parts
        parts[n : n + 2] = [parts[n] + parts[n + 1]]


def write_tokenizer(folder: Path, *, special: str, names: dict[str, str], template: str) -> None:
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
    from transformers import Qwen2TokenizerFast

    known, letters = ranks(), _letters()
    assert len(known) == FIRST_SPECIAL

    def written(token: bytes) -> str:
        return "".join(letters[byte] for byte in token)

    merges = [
        (written(parts[0]), written(parts[1]))
        for token, rank in known.items()
        if len(token) > 1 and len(parts := _halves(token, rank, known)) == 2
    ]
    bpe = Tokenizer(models.BPE({written(token): rank for token, rank in known.items()}, merges, fuse_unk=False))
    bpe.normalizer = normalizers.NFC()
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), "isolated", False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    bpe.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special.split()])
    tokenizer = Qwen2TokenizerFast(
        tokenizer_object=bpe,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        unk_token=None,
        model_max_length=32768,
        padding_side="left",
        extra_special_tokens=names,
    )
    tokenizer.save_pretrained(folder)
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": template}), encoding="utf-8")


def write_preprocessor(folder: Path, *, patch: int, mean: list[float], spread: list[float], chunk_s: int) -> None:
    fields = {
        "feature_extractor_type": "WhisperFeatureExtractor",
        "image_processor_type": "Qwen2VLImageProcessor",
        "feature_size": 128,
        "sampling_rate": 16000,
        "hop_length": 160,
        "n_fft": 400,
        "chunk_length": chunk_s,
        "n_samples": chunk_s * 16000,
        "nb_max_frames": chunk_s * 100,
        "return_attention_mask": True,
        "padding_side": "right",
        "padding_value": 0.0,
        "image_mean": mean,
        "image_std": spread,
        "patch_size": patch,
        "temporal_patch_size": 2,
        "merge_size": 2,
        "min_pixels": 3136,
        "max_pixels": 12845056,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(fields), encoding="utf-8")


def write_qwen25(folder: Path, *, seed: int = 0) -> Path:
    import torch
    from transformers import Qwen2_5OmniConfig, Qwen2_5OmniForConditionalGeneration

    thinker = {
        "audio_token_index": 151646,
        "image_token_index": 151655,
        "video_token_index": 151656,
        "audio_start_token_id": 151647,
        "audio_end_token_id": 151648,
        "vision_start_token_id": 151652,
        "vision_end_token_id": 151653,
        "pad_token_id": 151643,
        "position_id_per_seconds": 25,
        "seconds_per_chunk": 2,
        "text_config": {
            "vocab_size": 152064,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 32768,
            "rms_norm_eps": 1e-6,
            "tie_word_embeddings": False,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [1, 1, 2]},
        },
        "vision_config": {
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "patch_size": 14,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "window_size": 112,
            "out_hidden_size": 32,
            "fullatt_block_indexes": [1],
            "tokens_per_second": 25,
        },
        "audio_config": {
            "num_mel_bins": 128,
            "encoder_layers": 2,
            "encoder_attention_heads": 2,
            "encoder_ffn_dim": 64,
            "d_model": 32,
            "max_source_positions": 1500,
            "n_window": 100,
            "output_dim": 32,
        },
    }
    torch.manual_seed(seed)
    model = Qwen2_5OmniForConditionalGeneration(Qwen2_5OmniConfig(thinker_config=thinker, enable_audio_output=False))
    _loud(model).save_pretrained(folder)
    write_tokenizer(folder, special=SPECIAL_25, names=NAMES_25, template=chat_template(NAMES_25, default_system=True))
    mean, spread = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
    write_preprocessor(folder, patch=14, mean=mean, spread=spread, chunk_s=300)
    return folder


def write_qwen3(folder: Path, *, seed: int = 0) -> Path:
    import torch
    from transformers import Qwen3OmniMoeConfig, Qwen3OmniMoeForConditionalGeneration

    thinker = {
        "audio_token_id": 151675,
        "image_token_id": 151655,
        "video_token_id": 151656,
        "audio_start_token_id": 151669,
        "audio_end_token_id": 151670,
        "vision_start_token_id": 151652,
        "vision_end_token_id": 151653,
        "position_id_per_seconds": 13,
        "text_config": {
            "vocab_size": 152064,
            "hidden_size": 32,
            "head_dim": 8,
            "intermediate_size": 64,
            "moe_intermediate_size": 32,
            "num_experts": 4,
            # all of them: which come first is decided by the last digit where two are nearly as good, and so is then
            # the third digit of a log-probability
            "num_experts_per_tok": 4,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 32768,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 1e6,
                "mrope_section": [2, 1, 1],
                "interleaved": True,
                "mrope_interleaved": True,
            },
        },
        "vision_config": {
            "depth": 3,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "patch_size": 16,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "out_hidden_size": 32,
            "deepstack_visual_indexes": [0, 1],
            "num_position_embeddings": 2304,
        },
        "audio_config": {
            "num_mel_bins": 128,
            "encoder_layers": 2,
            "encoder_attention_heads": 2,
            "encoder_ffn_dim": 64,
            "d_model": 32,
            "max_source_positions": 1500,
            "n_window": 50,
            "n_window_infer": 800,
            "output_dim": 32,
            "downsample_hidden_size": 16,
        },
    }
    torch.manual_seed(seed)
    model = Qwen3OmniMoeForConditionalGeneration(Qwen3OmniMoeConfig(thinker_config=thinker, enable_audio_output=False))
    _loud(model).save_pretrained(folder)
    write_tokenizer(folder, special=SPECIAL_3, names=NAMES_3, template=chat_template(NAMES_3, default_system=False))
    write_preprocessor(folder, patch=16, mean=[0.5] * 3, spread=[0.5] * 3, chunk_s=30)
    return folder


def _loud(model):
    """Weights as they are drawn make every token about as likely as any other, so that nothing would show."""
    import torch

    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.ndim > 1 and "embed_tokens" not in name:
                weights.mul_(40 if "audio_tower.proj" in name else 6)
    return model
