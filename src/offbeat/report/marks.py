"""The mark beside a model's name where nothing shows that it hears and sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from offbeat.report.values import ModelResult

_NOT_PROBED = "Whether its answers depend on the sound and on the picture was not looked at before it was asked."


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands beside a name.

    Attributes:
        label: a few words.
        says: what there is to know.
    """

    label: str
    says: str


def probe_record(model: ModelResult, runs: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """What run.json says of the probe of what answered; of the last run that says anything."""
    records = [asked["probe"] for asked in _asked(model, runs) if asked["probe"] is not None]
    return records[-1] if records else None


def mark_of(model: ModelResult, runs: Sequence[Mapping[str, Any]]) -> Mark | None:
    """The mark; None where the probe was passed, or not needed, or where no run tells of this revision.

    Args:
        model: whose name.
        runs: name and settings of each run.
    """
    record = probe_record(model, runs)
    if record is None:
        return Mark("not probed", _NOT_PROBED) if _asked(model, runs) else None
    if record["passed"] is not False:
        return None
    asked = " It was asked all the same." if record["overridden"] else ""
    return Mark("probe not passed", f"{record['says'].rstrip('.')}.{asked}")


def _asked(model: ModelResult, runs: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    found = [run["settings"].get("models", {}).get(model.model) for run in runs]
    records = [record for asked in found if asked is not None for record in (*asked.get("earlier", ()), asked)]
    return [record for record in records if record["revision"] == model.revision]
