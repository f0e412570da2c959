"""What sharing saves: all delays of a clip asked of a full-size Qwen2.5-Omni, plainly and with the work shared.

Speed does not depend on what the weights are: the model is built from the published configurations, written out below,
with weights drawn at random on the device; nothing is fetched. Plain is one forward pass of the library for each delay,
shared is what `qwen-omni` does. Both give log-probabilities of the next token, which are compared.

    python benchmarks/omni.py --size 3B --plan          anywhere, in a moment: what it takes, in memory and in work
    python benchmarks/omni.py --size 3B                 on a GPU: 21 delays, of 3-s and of 10-s clips
    python benchmarks/omni.py --size 3B --layers 2      the first layers of each part alone, for a CPU with 16 GB
    python benchmarks/omni.py --size tiny               on a CPU, in under a minute: that it runs, and says the same

It needs torch and transformers: make .venv-qwen/.ready sets up an environment that has them, for a CPU or for a GPU.
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


def config_of(size: str, most_layers: int | None):
    (width, layers, inner, heads, kv_heads, vocabulary), towers = SIZES[size]
    vision, audio = dict(towers["vision"]), dict(towers["audio"])
    if most_layers is not None:
        layers, vision["depth"] = min(layers, most_layers), min(vision["depth"], most_layers)
        audio["encoder_layers"] = min(audio["encoder_layers"], most_layers)
        vision["full"] = sorted({min(place, vision["depth"] - 1) for place in vision["full"]})
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
            **audio,
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


def built(config, device: str, attention: str) -> Loaded:
    """The model with random weights, drawn where it is to run, in its own precision."""
    dtype = torch.float32 if device == "cpu" and config.text_config.hidden_size < 1000 else torch.bfloat16
    torch.manual_seed(0)
    kind = transformers.Qwen2_5OmniThinkerForConditionalGeneration
    with torch.device(device):
        model = kind._from_config(config, dtype=dtype, attn_implementation=attention).eval()
    return Loaded(model, None, None, "", MARKS, QWEN25, model.get_input_embeddings().weight.device, dtype)


def plan(config, cases: list[tuple[int, int]], options: argparse.Namespace) -> None:
    """Memory and work, from the sizes alone: two operations a weight and token, and attention left out."""
    loaded = built(config, "meta", "sdpa")
    parts = {"vision": 0, "audio": 0, "text": 0}
    for name, weights in loaded.model.named_parameters():
        parts["vision" if "visual" in name else "audio" if "audio_tower" in name else "text"] += weights.numel()
    text = config.text_config
    head = text.vocab_size * text.hidden_size
    total = sum(parts.values())
    print(f"{total / 1e9:.2f} G weights: " + ", ".join(f"{name} {count / 1e9:.2f}" for name, count in parts.items()))
    print(f"{'clip':>14}{'tokens':>8}{'TFLOP plain':>13}{'shared':>8}{'ratio':>7}{'GB':>7}")
    for length_s, fps in cases:
        given, heard = inputs_of(length_s, fps, options.delays, options.lines, options.max_pixels)
        count, prefix = given.ids.size, int(np.argmax(given.ids == MARKS.sound))
        seen = 2 * parts["vision"] * given.patches.values.shape[0] / 1e12
        heard_once = 2 * parts["audio"] * heard.mel_frames / 2 / 1e12
        read_one = 2 * (parts["text"] - 2 * head) / 1e12
        plainly = options.delays * (seen + heard_once + read_one * count)
        shared_work = seen + read_one * prefix + options.delays * (heard_once + read_one * (count - prefix))
        width = text.hidden_size // text.num_attention_heads * text.num_key_value_heads
        kept = options.batch * count * text.num_hidden_layers * 2 * width * 2
        passing = options.batch * (count - prefix) * (3 * text.intermediate_size + 4 * text.hidden_size) * 2
        needed_gb = (2 * total + kept + passing) / 1e9
        clip = f"{length_s} s, {fps} fps"
        ratio = plainly / shared_work
        print(f"{clip:>14}{count:8}{plainly:13.0f}{shared_work:8.0f}{ratio:6.2f}x{needed_gb:7.1f}")


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


def timed(do, device: str, heard: Heard, batch: int) -> tuple[np.ndarray, float, float | None]:
    """A batch to warm up, all for the clock: what came out, seconds, and the most memory of a GPU in GB."""
    gpu = device != "cpu"
    with torch.inference_mode():
        do(Heard(heard.features[:batch], heard.tokens))
        if gpu:
            torch.cuda.reset_peak_memory_stats()
            torch.cuda.synchronize()
        began = time.perf_counter()
        found = do(heard)
        if gpu:
            torch.cuda.synchronize()
    seconds = time.perf_counter() - began
    return found, seconds, torch.cuda.max_memory_allocated() / 1e9 if gpu else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="tiny")
    parser.add_argument("--plan", action="store_true", help="say what it takes, and run nothing")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--attention", default="sdpa")
    parser.add_argument("--layers", type=int, help="of each part, at most")
    parser.add_argument("--delays", type=int, default=21)
    parser.add_argument("--batch", type=int, default=7)
    parser.add_argument("--cases", default="3:2,10:2,3:8", help="length in seconds and frames a second")
    parser.add_argument("--lines", type=int, default=1080, help="of the clips' picture")
    parser.add_argument("--max-pixels", type=int, help="of a frame as it is shown")
    options = parser.parse_args()
    if options.size == "tiny":
        options.lines = min(options.lines, 240)
    cases = [tuple(map(int, case.split(":"))) for case in options.cases.split(",")]
    config = config_of(options.size, options.layers)
    if options.plan:
        plan(config, cases, options)
        return
    loaded = built(config, options.device, options.attention)
    weights = sum(each.numel() for each in loaded.model.parameters())
    device = torch.cuda.get_device_name() if options.device != "cpu" else "CPU"
    layers = "" if options.layers is None else f", {options.layers} layers of each part"
    print(f"{options.size}{layers}: {weights / 1e9:.2f} G weights, {loaded.dtype}, {device}")
    print(f"torch {torch.__version__}, transformers {transformers.__version__}")
    print(
        f"{'clip':>14}{'tokens':>8}{'':>9}{'s a clip':>10}{'clips an hour':>15}{'GB':>7}{'ratio':>8}{'differs by':>12}"
    )
    for length_s, fps in cases:
        clip = f"{length_s} s, {fps} fps"
        given, heard = inputs_of(length_s, fps, options.delays, options.lines, options.max_pixels)
        ways = {
            "plain": lambda heard, given=given: plain(loaded, given, heard),
            "shared": lambda heard, given=given: shared(loaded, given, heard, options.batch),
        }
        try:
            rows = {name: timed(do, options.device, heard, options.batch) for name, do in ways.items()}
        except torch.OutOfMemoryError:
            print(
                f"{clip:>14}{given.ids.size:8}  does not fit into the memory: --max-pixels 200704, or a smaller --batch"
            )
            continue
        off = float(np.abs(rows["plain"][0] - rows["shared"][0]).max())
        ratio = rows["plain"][1] / rows["shared"][1]
        for name, (_, seconds, most_gb) in rows.items():
            more = f"{ratio:7.2f}x{off:12.1e}" if name == "shared" else ""
            memory = "-" if most_gb is None else f"{most_gb:.1f}"
            print(f"{clip:>14}{given.ids.size:8}{name:>9}{seconds:10.2f}{3600 / seconds:15.0f}{memory:>7}{more}")
        print(json.dumps({"length_s": length_s, "fps": fps, "ratio": ratio, "differs_by": off}))


if __name__ == "__main__":
    main()
