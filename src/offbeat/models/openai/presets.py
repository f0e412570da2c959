"""What servers that speak OpenAI's chat format want differently, by name: ``--option preset=vllm``.

Each row is from documentation and from issues of the projects, November 2026; none was tried against the real server.
A preset is guessed from the host of a known base url; every part of it can be set by an option of the same name.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Literal
from urllib.parse import urlsplit

Audio = Literal["video", "part", "none"]
"""Where the sound goes: in the clip alone; in a part of its own besides; nowhere, as the picture alone is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """How one kind of server is asked.

    Attributes:
        base_url: before ``/chat/completions``; None where the user has to say it.
        hosts: by which it is known; a host that ends in ``.`` and one of these is known, too.
        key_names: environment variables of the key; empty where a server of one's own asks for none.
        audio: where the sound goes unless the user says otherwise.
        audio_part: the type of a part that holds sound.
        audio_in_video: whether each request has to say that the sound of the video is meant.
        fps_in: where the rate of the clip is said; `processor`: and how long a grid of frames lasts.
        most_fps: the highest rate that can be said.
        every_frame: whether each request has to say that no frames are to be dropped.
        top_logprobs: how many candidates are asked for in each token's place; 0: the server tells none.
        stream: whether only streaming is answered.
        limit_name: the field of the output budget.
        extra: further fields of the body.
        own: a server of one's own: free.
        frames_a_grid: how many frames share one grid of tokens.
        fills_in_zeros: whether token counts of 0 may mean that nobody has counted.
        caution: what the user should know before a run.
    """

    base_url: str | None = None
    hosts: tuple[str, ...] = ()
    key_names: tuple[str, ...] = ()
    audio: Audio = "video"
    audio_part: Literal["audio_url", "input_audio"] = "input_audio"
    audio_in_video: bool = False
    fps_in: Literal["processor", "part"] | None = None
    most_fps: Fraction | None = None
    every_frame: bool = False
    top_logprobs: int = 0
    stream: bool = False
    limit_name: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    own: bool = False
    frames_a_grid: int = 1
    fills_in_zeros: bool = False
    caution: str | None = None


_VLLM = Preset(
    base_url="http://127.0.0.1:8000/v1",
    # vllm #47788: set for the whole server it crashes at start or is ignored, so that each request says it. The sound
    # goes in the video alone: an audio part besides is a 400, "requires equal number of audio and video items".
    audio_in_video=True,
    # vllm #50142, #23056: where the sound goes between the frames depends on how long a grid of frames lasts, which is
    # a fixed time (2 s for Qwen3-Omni, 1 s for Qwen2.5-Omni) unless the request says otherwise. So both are said.
    fps_in="processor",
    # Frames are taken as 32 at equal distances, or by loaders that belong to the model (vllm #44412, #45555) as 2 a
    # second whatever num_frames says. So a clip that has the rate already, and all of its frames.
    every_frame=True,
    # 20 is the server's own limit unless it was started with --max-logprobs.
    top_logprobs=20,
    own=True,
    frames_a_grid=2,
    # vllm #44538: only the server can turn that cache off. Since 0.31 it refuses what each request says of the video
    # unless it was started with the other flag (vllm #58830).
    caution="vLLM mixes up clips of one picture and other sound (vllm #44538); start it with --mm-processor-cache-gb 0 "
    "and, from 0.31 on, with --trust-request-mm-kwargs",
)

PRESETS: Mapping[str, Preset] = {
    "plain": Preset(
        # vLLM in particular leaves the sound out unless each request asks for it.
        caution="asked in the plain format; a server of your own has to be named by its kind to be given the sound: "
        "--option preset=vllm, vllm-omni or sglang",
    ),
    "vllm": _VLLM,
    # vllm-omni #1198: the sound of a video, online; without `modalities` it speaks its answer, which takes far longer.
    "vllm-omni": replace(_VLLM, base_url="http://127.0.0.1:8091/v1", extra={"modalities": ["text"]}),
    "sglang": Preset(
        base_url="http://127.0.0.1:30000/v1",
        top_logprobs=20,
        own=True,
        frames_a_grid=2,
        # sglang #16958 (open; #16996 closed unmerged), sglang-omni #708: over HTTP the sound of a video is dropped.
        caution="SGLang drops the sound of a video (sglang #16958); take it to see the picture alone unless the probe "
        "says otherwise",
    ),
    "dashscope": Preset(
        base_url="https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        hosts=(
            "dashscope-intl.aliyuncs.com",
            "dashscope.aliyuncs.com",
            "dashscope-us.aliyuncs.com",
            "maas.aliyuncs.com",  # WORKSPACE.REGION before it
        ),
        key_names=("DASHSCOPE_API_KEY",),
        # The omni models answer in a stream only; those that need not, do so too. Usage comes in the last piece.
        stream=True,
        extra={"modalities": ["text"]},
        frames_a_grid=2,
    ),
    "mimo": Preset(
        base_url="https://api.xiaomimimo.com/v1",
        hosts=("xiaomimimo.com",),
        key_names=("MIMO_API_KEY",),
        # Beside `video_url`, in the same part; 0.1 to 10, and 2 where nothing is said.
        fps_in="part",
        most_fps=Fraction(10),
        limit_name="max_completion_tokens",
        extra={"thinking": {"type": "disabled"}},  # it thinks unless told not to, which costs and hides the first token
        frames_a_grid=2,
    ),
    "fireworks": Preset(
        base_url="https://api.fireworks.ai/inference/v1",
        hosts=("api.fireworks.ai",),
        key_names=("FIREWORKS_API_KEY",),
        # Its pages send picture and sound in two parts: whether both share one clock there, only the probe can tell.
        audio="part",
        audio_part="audio_url",
        top_logprobs=5,  # its limit
        frames_a_grid=2,
        caution="Fireworks takes picture and sound in two parts; nothing says that the model sees them on one clock",
    ),
    "openrouter": Preset(
        base_url="https://openrouter.ai/api/v1",
        hosts=("openrouter.ai",),
        key_names=("OPENROUTER_API_KEY",),
        fills_in_zeros=True,
        caution="OpenRouter hands requests on: providers may sample a video at 1 frame a second or drop its sound",
    ),
}


def preset_of(base_url: str) -> str:
    """The name of the preset that knows this url's host; ``plain`` where none does."""
    host = host_of(base_url)
    for name, preset in PRESETS.items():
        if any(host == known or host.endswith(f".{known}") for known in preset.hosts):
            return name
    return "plain"


def host_of(base_url: str) -> str:
    """The host in lower case, without the port."""
    return urlsplit(base_url).hostname or ""


def is_near(host: str) -> bool:
    """Whether a host is this machine or in a private network: its name has no dot, or ends in ``.local``."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".localhost"))
    return address.is_loopback or address.is_private
