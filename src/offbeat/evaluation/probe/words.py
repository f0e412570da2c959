"""The result of a probe in words that a user understands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from offbeat.evaluation.probe.rule import Finding, Sense, Verdict

_NO_DIFFERENCE = {
    "sound": "whether a clip has its sound, none, or another clip's",
    "picture": "whether the picture moves or stands still",
}
_OPPOSITE = {
    "sound": "clips with sound silent than silent ones",
    "picture": "moving pictures frozen than frozen ones",
}
_ALIKE = {
    "sound": "clips with sound and silent ones the same",
    "picture": "moving pictures and frozen ones the same, as if it were shown a single frame",
}
_TOKENS: dict[Sense, tuple[str, Literal["sound", "picture"]]] = {
    "sound": ("audio_tokens", "sound"),
    "picture": ("video_tokens", "picture"),
}


def says(
    found: Mapping[Sense, Finding],
    usage: Mapping[str, Mapping[str, float]],
    *,
    replaced: Sequence[str] = (),
    error: str | None = None,
) -> str:
    """The result in a few sentences.

    Args:
        found: the verdict on each sense.
        usage: tokens by kind of clip.
        replaced: why clips failed in place of which others were shown.
        error: why the probe could not be carried out.
    """
    if error is not None:
        return f"The probe could not be carried out: {error}"
    senses: dict[Verdict, list[Sense]] = {}
    for sense, finding in found.items():
        senses.setdefault(finding.verdict, []).append(sense)
    clips = max(finding.clips for finding in found.values())
    sentences = [_of(verdict, alike, clips) for verdict, alike in senses.items()]
    for sense in senses.get("depends", ()):
        sentences += _remarks(sense, found[sense])
    for sense, (word, name) in _TOKENS.items():
        if sense in found and usage.get("plain", {}).get(word) == 0:
            sentences.append(f"By its own count it read no tokens of the {name}.")
    if replaced:
        clips, others = ("a clip", "another was") if len(replaced) == 1 else (f"{len(replaced)} clips", "others were")
        sentences.append(f"In place of {clips} that failed, {others} shown: {'; '.join(dict.fromkeys(replaced))}.")
    return " ".join(sentences)


def more_clips(found: Mapping[Sense, Finding], *, flag: str) -> str | None:
    """What to do where it cannot be told; None where more clips would not help.

    Args:
        found: the verdict on each sense.
        flag: by which more clips are shown.
    """
    clips = [finding.clips for finding in found.values() if finding.verdict == "cannot tell"]
    return f"{flag} {2 * max(clips)} shows it more clips, which may tell" if clips else None


def _of(verdict: Verdict, senses: list[Sense], clips: int) -> str:
    on = " and ".join(f"on the {sense}" for sense in senses)
    match verdict:
        case "depends":
            return f"Its answers depend {on}."
        case "does not depend":
            same = ", or ".join(_NO_DIFFERENCE[sense] for sense in senses)
            return f"Its answers do not depend {on}: it makes no difference {same}."
        case "cannot tell":
            shown = f"{clips} clip{'s' * (clips != 1)}"
            return f"Whether its answers depend {on} cannot be told from {shown}: some changed, but that may be chance."
        case "answers do not fit the files":
            opposite = ", and ".join(_OPPOSITE[sense] for sense in senses)
            return (
                f"Its answers do not fit the files: it sooner calls {opposite}. Either it is given other files than "
                "were sent, as by a server that mixes them up, or it takes the two words for one another."
            )


def _remarks(sense: Sense, finding: Finding) -> list[str]:
    """What is to be known of one that passes."""
    found: list[str] = []
    if finding.alike:
        found.append(f"Yet it calls {_ALIKE[sense]}.")
    if finding.unmoved:
        found.append(f"In {finding.unmoved} of {finding.clips} clips nothing that it said changed with the {sense}.")
    return found
