"""What sharing saves: all delays of a clip asked of a full-size Qwen2.5-Omni, plainly and with the work shared.

Speed does not depend on what the weights are: the model is built from the published configurations, written out below,
with weights drawn at random on the device; nothing is fetched. Plain is one forward pass of the library for each delay,
shared is what `qwen-omni` does. Both give log-probabilities of the next token, which are compared.

    python benchmarks/omni.py --size 3B                 on a GPU: 21 delays, of 3-s and of 10-s clips
    python benchmarks/omni.py --size tiny               on a CPU, in under a minute: that it runs, and says the same

It needs torch and transformers: make test-qwen sets up an environment that has them.
"""

from __future__ import annotations

import argparse
import json
import time
from fractions import Fraction

import numpy as np
import torch
import transformers

from offbeat.models.qwen.family import QWEN25
from offbeat.models.qwen.front import Given, Heard
from offbeat.models.qwen.layout import Marks, Shape, spread_out
from offbeat.models.qwen.loading import Loaded
from offbeat.models.qwen.picture import patches_of
from offbeat.models.qwen.sharing import Batches, ClipPass, Wanted

MARKS = Marks(
    video=151656, sound=151646, vision_begins=151652, vision_ends=151653, sound_begins=151647, sound_ends=151648
)
TOWERS = {
    "vision": {"depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16, "full": [7, 15, 23, 31]},
    "audio": {"encoder_layers": 32, "d_model": 1280, "encoder_ffn_dim": 5120, "encoder_attention_heads": 20},
    "sections": [16, 24, 24],
}
TINY = {
    "vision": {"depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "full": [1]},
    "audio": {"encoder_layers": 2, "d_model": 32, "encoder_ffn_dim": 64, "encoder_attention_heads": 2},
    "sections": [2, 3, 3],
}
SIZES = {  # width, layers, inner width, heads, heads of keys and values, vocabulary
    "3B": ((2048, 36, 11008, 16, 2, 151936), TOWERS),
    "7B": ((3584, 28, 18944, 28, 4, 152064), TOWERS),
    "tiny": ((64, 2, 128, 4, 2, 152064), TINY),
}


def config_of(size: str):
    (width, layers, inner, heads, kv_heads, vocabulary), towers = SIZES[size]
    vision = dict(towers["vision"])
    return transformers.Qwen2_5OmniThinkerConfig(
        text_config={
            "vocab_size": vocabulary,
            "hidden_size": width,
            "intermediate_size": inner,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
            "num_key_value_heads": kv_heads,
            "max_position_embeddings": 32768,
            "rms_norm_eps": 1e-6,
            "tie_word_embeddings": False,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": towers["sections"]},
        },
        vision_config={
            "fullatt_block_indexes": vision.pop("full"),
            **vision,
            "patch_size": 14,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "window_size": 112,
            "out_hidden_size": width,
            "tokens_per_second": 25,
        },
        audio_config={
            **towers["audio"],
            "num_mel_bins": 128,
            "max_source_positions": 1500,
            "n_window": 100,
            "output_dim": width,
        },
        audio_token_index=MARKS.sound,
        image_token_index=151655,
        video_token_index=MARKS.video,
        audio_start_token_id=MARKS.sound_begins,
        audio_end_token_id=MARKS.sound_ends,
        vision_start_token_id=MARKS.vision_begins,
        vision_end_token_id=MARKS.vision_ends,
        pad_token_id=151643,
        position_id_per_seconds=25,
        seconds_per_chunk=2,
        tie_word_embeddings=False,
    )


def built(size: str, device: str, attention: str) -> Loaded:
    """The model with random weights, drawn where it is to run, in its own precision."""
    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    torch.manual_seed(0)
    torch.set_default_dtype(dtype)
    with torch.device(device):
        model = transformers.Qwen2_5OmniThinkerForConditionalGeneration._from_config(
            config_of(size), attn_implementation=attention
        )
    torch.set_default_dtype(torch.float32)
    model = model.to(dtype).eval()
    return Loaded(model, None, None, "", MARKS, QWEN25, model.get_input_embeddings().weight.device, dtype)


def inputs_of(length_s: int, fps: int, delays: int, lines: int, most_pixels: int | None) -> tuple[Given, Heard]:
    """A conversation as the real one is laid out, with a picture and sounds of noise."""
    chance = np.random.default_rng(0)
    images = chance.integers(0, 256, (length_s * fps // 2 * 2, lines, lines * 16 // 9, 3), dtype=np.uint8)
    patches = patches_of(images, QWEN25, most_pixels=most_pixels)
    features = torch.from_numpy(chance.standard_normal((delays, 128, 100 * length_s), dtype=np.float32))
    shape = Shape(
        patches.grid[0], patches.tokens_per_pair, float(Fraction(2, fps)), QWEN25.sound_tokens(100 * length_s)
    )
    words = [151644, *[8948] * 30, MARKS.vision_begins, MARKS.video, MARKS.vision_ends, *[9693] * 40, 151644, 198]
    ids = spread_out(words, MARKS, shape, QWEN25, one_item=True)
    return Given(np.array(ids), patches, shape, True), Heard(features, shape.sound_tokens)


def plain(loaded: Loaded, given: Given, heard: Heard) -> np.ndarray:
    """One forward pass a delay; only the last place is told, as otherwise the head alone would fill the memory."""
    last = loaded.model.lm_head.register_forward_pre_hook(lambda head, came: (came[0][:, -1:],))
    ids = torch.from_numpy(given.ids)[None].to(loaded.device)
    told = []
    for features in heard.features.split(1):
        found = loaded.model(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            pixel_values_videos=given.patches.values.to(loaded.device, loaded.dtype),
            video_grid_thw=torch.tensor([given.patches.grid], device=loaded.device),
            video_second_per_grid=torch.tensor([given.shape.pair_s], device=loaded.device),
            input_features=features.to(loaded.device, loaded.dtype),
            feature_attention_mask=torch.ones(1, heard.mel_frames, dtype=torch.long, device=loaded.device),
            use_audio_in_video=True,
            use_cache=False,
        )
        told.append(torch.log_softmax(found.logits[0, -1].float(), -1)[list(LOOKED_AT)].cpu().numpy())
    last.remove()
    return np.array(told)


LOOKED_AT = tuple(range(12_000, 12_100))


def shared(loaded: Loaded, given: Given, heard: Heard, batch: int) -> np.ndarray:
    wanted = Wanted({str(token): ((token,),) for token in LOOKED_AT}, most_said=0, ends=frozenset())
    told = Batches(batch).ask(ClipPass(loaded, given, mel_frames=heard.mel_frames), heard, wanted)
    return np.array([list(one.logprobs.values()) for one in told])


def timed(do, device: str) -> tuple[np.ndarray, float, float | None]:
    """Once to warm up, once for the clock: what came out, seconds, and the most memory of a GPU in GB."""
    gpu = device != "cpu"
    with torch.inference_mode():
        do()
        if gpu:
            torch.cuda.reset_peak_memory_stats()
            torch.cuda.synchronize()
        began = time.perf_counter()
        found = do()
        if gpu:
            torch.cuda.synchronize()
    seconds = time.perf_counter() - began
    return found, seconds, torch.cuda.max_memory_allocated() / 1e9 if gpu else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="tiny")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--attention", default="sdpa")
    parser.add_argument("--delays", type=int, default=21)
    parser.add_argument("--batch", type=int, default=7)
    parser.add_argument("--cases", default="3:2,10:2,3:8", help="length in seconds and frames a second")
    parser.add_argument("--lines", type=int, default=1080, help="of the clips' picture")
    parser.add_argument("--max-pixels", type=int, help="of a frame as it is shown")
    given_options = parser.parse_args()
    if given_options.size == "tiny":
        given_options.lines = min(given_options.lines, 240)
    loaded = built(given_options.size, given_options.device, given_options.attention)
    weights = sum(each.numel() for each in loaded.model.parameters())
    device = torch.cuda.get_device_name() if given_options.device != "cpu" else "CPU"
    print(f"{given_options.size}: {weights / 1e9:.2f} G weights, {loaded.dtype}, {device}")
    print(f"torch {torch.__version__}, transformers {transformers.__version__}")
    print(
        f"{'clip':>14}{'tokens':>8}{'':>9}{'s a clip':>10}{'clips an hour':>15}{'GB':>7}{'ratio':>8}{'differs by':>12}"
    )
    for case in given_options.cases.split(","):
        length_s, fps = map(int, case.split(":"))
        given, heard = inputs_of(length_s, fps, given_options.delays, given_options.lines, given_options.max_pixels)
        rows = {
            "plain": timed(lambda g=given, h=heard: plain(loaded, g, h), given_options.device),
            "shared": timed(lambda g=given, h=heard: shared(loaded, g, h, given_options.batch), given_options.device),
        }
        off = float(np.abs(rows["plain"][0] - rows["shared"][0]).max())
        ratio = rows["plain"][1] / rows["shared"][1]
        for name, (_, seconds, most_gb) in rows.items():
            more = f"{ratio:7.2f}x{off:12.1e}" if name == "shared" else ""
            memory = "-" if most_gb is None else f"{most_gb:.1f}"
            clip = f"{length_s} s, {fps} fps"
            print(f"{clip:>14}{given.ids.size:8}{name:>9}{seconds:10.2f}{3600 / seconds:15.0f}{memory:>7}{more}")
        print(json.dumps({"length_s": length_s, "fps": fps, "ratio": ratio, "differs_by": off}))


if __name__ == "__main__":
    main()
