"""The result of a probe in words that a user understands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from offbeat.evaluation.probe.rule import Finding, Sense

_ALTERED = {
    "sound": "muted, or with another clip's sound",
    "picture": "with a picture that stands still",
}
_NO_DIFFERENCE = {
    "sound": "whether a clip has its sound, none, or another clip's",
    "picture": "whether the picture moves or stands still",
}
_NAMED = {
    "sound": "it sooner calls clips with sound silent than silent ones",
    "picture": "it sooner calls moving pictures frozen than frozen ones",
}
_TOKENS: dict[Sense, tuple[str, Literal["sound", "picture"]]] = {
    "sound": ("audio_tokens", "sound"),
    "picture": ("video_tokens", "picture"),
}


def says(found: Mapping[Sense, Finding], usage: Mapping[str, Mapping[str, float]], *, error: str | None = None) -> str:
    """The result in a sentence or two.

    Args:
        found: the verdict on each sense.
        usage: tokens by kind of clip.
        error: why the probe could not be carried out.
    """
    if error is not None:
        return f"The probe could not be carried out: {error}"
    if all(finding.verdict == "depends" for finding in found.values()):
        sentences = ["Its answers depend on the sound and on the picture."]
    else:
        sentences = [_of(sense, finding) for sense, finding in found.items()]
    for sense, (word, name) in _TOKENS.items():
        if sense in found and usage.get("plain", {}).get(word) == 0:
            sentences.append(f"By its own count it read no tokens of the {name}.")
    return " ".join(sentences)


def _of(sense: Sense, finding: Finding) -> str:
    match finding.verdict:
        case "depends":
            return f"Its answers depend on the {sense}."
        case "does not depend":
            return f"Its answers do not depend on the {sense}: it makes no difference {_NO_DIFFERENCE[sense]}."
        case "cannot tell":
            return (
                f"Whether its answers depend on the {sense} cannot be told: they change when a clip is shown "
                f"{_ALTERED[sense]}, but so little more than without any reason that it may be chance."
            )
        case "answers do not fit the files":
            return f"Its answers do not fit the files: {_NAMED[sense]}, as if it answered about another file."
