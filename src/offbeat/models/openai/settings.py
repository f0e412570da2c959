"""The options of ``openai:MODEL``: a preset, and whatever the user wants otherwise; checked once."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import fields
from fractions import Fraction
from functools import cache
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from offbeat.errors import ModelUnavailable
from offbeat.models.keys import key_from
from offbeat.models.openai.presets import PRESETS, Audio, Preset, host_of, is_near, preset_of
from offbeat.timing import exact_seconds

VERSION = 2
"""Goes up whenever the same settings may bring another request, or the same response another reply."""
_RESERVED = frozenset({"model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens"})
_KEY_IN_JSON = re.compile(r'"([\w-]*(?:api[_-]?key|authorization|password|secret|access[_-]?token))": "', re.IGNORECASE)
_log = logging.getLogger(__name__)


def _rate(value: object) -> Fraction:
    if isinstance(value, str | int | float | Fraction) and not isinstance(value, bool):
        try:
            return exact_seconds(value)
        except ValueError:
            pass  # said below
    raise ValueError("expected frames a second, such as 8 or 30000/1001")


Rate = Annotated[Fraction, BeforeValidator(_rate), Field(gt=0, le=60)]


class Options(BaseModel):
    """What ``--option NAME=VALUE`` may say; None: as the preset has it."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, arbitrary_types_allowed=True)

    preset: str | None = None
    """The kind of server: plain, vllm, vllm-omni, sglang, dashscope, mimo, fireworks, openrouter."""
    base_url: str | None = None
    """Where it is, up to and without ``/chat/completions``."""
    key_env: str | None = None
    """The environment variable that holds the key."""
    fps: Rate = Fraction(8)
    """Frames a second of the clip that is sent."""
    height: int | None = Field(default=None, ge=16)
    """At most this many lines; a model sees fewer tokens of a smaller picture."""
    audio: Audio | None = None
    """Where the sound goes: video, part, none."""
    logprobs: int | None = Field(default=None, ge=0, le=100)
    """How many candidates are asked for in each token's place; 0: none."""
    stream: bool | None = None
    """Whether the answer is to come in pieces."""
    max_tokens: int = Field(default=512, ge=1)
    """The output budget, thinking included."""
    temperature: float | None = Field(default=0.0, ge=0, le=2)
    """null leaves it to the server."""
    served: str | None = None
    """The model that is expected to answer, where it goes by another name than the one asked for."""
    extra: dict[str, Any] = Field(default_factory=dict[str, Any])
    """Further fields of the request's body, as JSON."""
    timeout_s: float = Field(default=600.0, gt=0)
    """How long nothing may come from the server."""


class Settings:
    """What one model is asked with.

    Attributes:
        model: as the server knows it.
        options: what the user said.
        preset_name: by which kind of server.
        preset: with what the user wants otherwise put in.
        base_url: without a slash at its end.
        key: None where none is needed.
    """

    def __init__(self, model: str, options: Options) -> None:
        if not model:
            raise ModelUnavailable("'openai:': expected the name of a model, such as openai:Qwen/Qwen2.5-Omni-7B")
        self.model, self.options = model, options
        name = options.preset or (preset_of(options.base_url) if options.base_url else "plain")
        if name not in PRESETS:
            raise ModelUnavailable(f"{self.spec!r}: there is no preset {name!r}; known: {', '.join(PRESETS)}")
        self.preset_name = name
        self.preset = _with(PRESETS[name], options)
        self.base_url = self._checked_url(options.base_url or self.preset.base_url)
        self.key = self._checked_key()
        if self.preset.most_fps is not None and options.fps > self.preset.most_fps:
            raise ModelUnavailable(
                f"{self.spec!r}: {name} takes {self.preset.most_fps} frames a second at most, "
                f"got {_number(options.fps)}"
            )
        if taken := _RESERVED & options.extra.keys():
            raise ModelUnavailable(f"{self.spec!r}: option extra: {', '.join(sorted(taken))} have options of their own")
        if told := _KEY_IN_JSON.search(json.dumps(options.extra)):
            raise ModelUnavailable(
                f"{self.spec!r}: option extra: {told[1]!r}: a key comes from the environment only, and goes into the "
                "header; name its variable by --option key_env=NAME"
            )
        if self.preset.caution:
            _warn(f"{self.spec}: {self.preset.caution}")
        if options.fps <= 1:
            _warn(f"{self.spec} is sent {_number(options.fps)} frame(s) a second: shorter delays hardly show")

    @property
    def spec(self) -> str:
        """The specification, such as ``openai:Qwen/Qwen2.5-Omni-7B``."""
        return f"openai:{self.model}"

    @property
    def host(self) -> str:
        """With the port, where one is said."""
        return urlsplit(self.base_url).netloc

    @property
    def free(self) -> bool:
        """Whether a call costs nothing: a server of one's own, or a host that is near."""
        return self.preset.own or is_near(host_of(self.base_url))

    @property
    def sound_sent(self) -> bool:
        """Whether the model is given the sound at all."""
        return self.preset.audio != "none"

    @property
    def revision(self) -> str:
        """Everything that may change an answer, in one line; never the key."""
        preset, options = self.preset, self.options
        shown: dict[str, object] = {
            "preset": self.preset_name,
            "host": self.host,
            "fps": _number(options.fps),
            "height": options.height or "source",
            "audio": preset.audio,
            "logprobs": preset.top_logprobs,
            "max_tokens": options.max_tokens,
            "temperature": "server" if options.temperature is None else f"{options.temperature:g}",
        }
        if options.served is not None:
            shown["served"] = options.served
        if preset.extra:
            shown["extra"] = json.dumps(dict(preset.extra), sort_keys=True, separators=(",", ":"))
        return f"{VERSION} " + " ".join(f"{name}={value}" for name, value in shown.items())

    def _checked_url(self, url: str | None) -> str:
        if url is None:
            raise ModelUnavailable(
                f"{self.spec!r}: which server? Type: --base-url http://127.0.0.1:8000/v1 or --option preset=NAME "
                f"({', '.join(name for name, preset in PRESETS.items() if preset.base_url)}); OpenAI's own models take "
                "no video"
            )
        try:
            url = url.strip()
            parts = urlsplit(url)
            known = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            parts, known = urlsplit(""), False
        if not known:
            got = "" if {"@", "?"} & set(url) else f", got {url!r}"  # what follows these may be a key
            raise ModelUnavailable(f"{self.spec!r}: expected a base url such as http://127.0.0.1:8000/v1{got}")
        if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
            raise ModelUnavailable(
                f"{self.spec!r}: a base url holds no key, name or query; name the environment variable of the key by "
                "--option key_env=NAME"
            )
        return url.rstrip("/").removesuffix("/chat/completions").rstrip("/")

    def _checked_key(self) -> str | None:
        names = (self.options.key_env,) if self.options.key_env else self.preset.key_names
        if not all(name.isidentifier() for name in names):
            raise ModelUnavailable(
                f"{self.spec!r}: option key_env: expected the name of an environment variable, such as MY_API_KEY, and "
                "never the key itself"
            )
        if not names:
            return None
        key = key_from(names, spec=self.spec)
        if not (key.isascii() and key.isprintable() and " " not in key):
            # a client would quote it whole in its complaint
            raise ModelUnavailable(f"{self.spec!r}: the key in {' or '.join(names)} holds characters that no key has")
        if urlsplit(self.base_url).scheme == "http" and not is_near(host_of(self.base_url)):
            raise ModelUnavailable(
                f"{self.spec!r}: the key would go to {self.host} unencrypted; use https, or --option preset=… of a "
                "server that needs no key"
            )
        return key


def settings_from(model: str, given: Mapping[str, object]) -> Settings:
    """The settings, checked; what is None was not said.

    Raises:
        ModelUnavailable: an option is not what it should be, the server is not known, or the key is missing.
    """
    try:
        options = Options.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"][:1])
        what = first["msg"].removeprefix("Value error, ")
        raise ModelUnavailable(f"'openai:{model}': option {name}: {what}, got {first['input']!r}") from None
    return Settings(model, options)


def number_of(rate: Fraction) -> int | float:
    """A rate for JSON: whole where it is whole."""
    return rate.numerator if rate.denominator == 1 else float(rate)


def _number(rate: Fraction) -> str:
    return str(number_of(rate))


@cache
def _warn(text: str) -> None:
    """Once in a process, however often the model is made."""
    _log.warning("%s", text)


def _with(preset: Preset, options: Options) -> Preset:
    told = {field.name: getattr(preset, field.name) for field in fields(preset)}
    if options.audio is not None:
        told["audio"] = options.audio
    if options.logprobs is not None:
        told["top_logprobs"] = options.logprobs
    if options.stream is not None:
        told["stream"] = options.stream
    told["extra"] = {**preset.extra, **options.extra}
    return Preset(**told)
