"""What the makers' own processor and forward pass make of frames, sounds and a prompt; run in a process of its own.

It needs torchvision, which is not installed where the tests run, so that they show that Offbeat does without; its
folder is named on the command line. Its wheel is built for CUDA: beside a CPU build of torch it cannot be imported
before two of its operators are declared. It takes long to start, so that one process does all cases of a checkpoint.
"""

import sys
from pathlib import Path

import numpy as np


def import_torchvision(folder: str) -> None:
    import torch

    sys.path.append(folder)
    for name in ("nms", "qnms"):
        torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision  # noqa: F401


def processor_of(folder: Path):
    import json

    import transformers as t

    config = json.loads((folder / "preprocessor_config.json").read_text())
    kind = {14: t.Qwen2_5OmniProcessor, 16: getattr(t, "Qwen3OmniMoeProcessor", None)}[config["patch_size"]]
    cut = {
        name: config[name] for name in ("patch_size", "temporal_patch_size", "merge_size", "image_mean", "image_std")
    }
    return kind(
        image_processor=t.Qwen2VLImageProcessor(**cut),
        video_processor=t.Qwen2VLVideoProcessor(**cut, cap_pixels_per_frame=True),
        feature_extractor=t.WhisperFeatureExtractor.from_pretrained(folder),
        tokenizer=t.AutoTokenizer.from_pretrained(folder),
        chat_template=json.loads((folder / "chat_template.json").read_text())["chat_template"],
    )


def tensors(processor, given, number: int):
    """Of one case, with one of its sounds; `bounds` are the fewest and the most pixels of a frame, or none."""
    import torch

    bounds = dict(zip(("shortest_edge", "longest_edge"), given["bounds"].tolist(), strict=False))
    content = [{"type": "video", "video": ""}, {"type": "text", "text": str(given["text"])}]
    text = processor.apply_chat_template(
        [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False
    )
    new = hasattr(processor, "load_audio_from_video")
    flags = {"load_audio_from_video": True, "audio_from_video_indices": [0]} if new else {"use_audio_in_video": True}
    return processor(
        text=[text],
        videos=[torch.from_numpy(given["frames"]).permute(0, 3, 1, 2)],
        audio=[given["sounds"][number]],
        fps=float(given["fps"]),
        do_sample_frames=False,
        return_tensors="pt",
        padding=True,
        **({"size": bounds} if bounds else {}),
        **flags,
    )


def found_of(processor, thinker, given) -> dict[str, np.ndarray]:
    import torch

    logprobs = []
    for number in range(len(given["sounds"])):
        batch = dict(tensors(processor, given, number))
        heard = int(batch["feature_attention_mask"].sum())
        batch["input_features"] = batch["input_features"][..., :heard]
        batch["feature_attention_mask"] = batch["feature_attention_mask"][:, :heard]
        with torch.inference_mode():
            told = thinker(**batch, use_audio_in_video=True, use_cache=False).logits[0, -1]
        logprobs.append(torch.log_softmax(told.float(), -1).numpy())
    return {
        "ids": batch["input_ids"][0].numpy(),
        "pixels": batch["pixel_values_videos"].numpy(),
        "grid": batch["video_grid_thw"][0].numpy(),
        "mel": batch["input_features"][0].numpy(),
        "logprobs": np.stack(logprobs),
    }


def main() -> None:
    folder, torchvision, came, goes = sys.argv[1:]
    import_torchvision(torchvision)
    import torch
    import transformers as t

    torch.set_num_threads(1)
    processor = processor_of(Path(folder))
    side = processor.video_processor.patch_size
    name = {14: "Qwen2_5OmniThinkerForConditionalGeneration", 16: "Qwen3OmniMoeThinkerForConditionalGeneration"}[side]
    thinker = getattr(t, name).from_pretrained(folder, dtype=torch.float32).eval()
    thinker.lm_head.register_forward_pre_hook(lambda head, given: (given[0][:, -1:],))
    Path(goes).mkdir()
    for case in sorted(Path(came).glob("*.npz")):
        np.savez(Path(goes) / case.name, **found_of(processor, thinker, dict(np.load(case))))


if __name__ == "__main__":
    main()
