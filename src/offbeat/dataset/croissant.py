"""Metadata that search engines and loaders read: Croissant 1.0 (mlcommons.org/croissant/1.0), JSON-LD by hand.

What cannot be known here is left out and not made up: who publishes the set, where and when (`creator`, `url`,
`datePublished`) are for whoever publishes it. All else follows from the manifest, so that the same dataset has the same
bytes.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Mapping, Sequence

from offbeat.dataset.folder import CLIP_ROWS, CLIPS, CURVES, METADATA
from offbeat.dataset.schema import PICTURES, SOUND, DatasetInfo, SourceRow, VariantRow, column_texts

CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
STUDY = (
    "@inproceedings{kimura2025misalignment, "
    "title={Do State-of-the-art Audio-visual VLMs Understand Audio-video Temporal Misalignment}, "
    "author={Kimura, Motonobu and Ohkubo, Ren and Qiu, Yue and Satoh, Yutaka}, "
    "booktitle={Gen4AVC Workshop at ICCV}, year={2025}}"
)
"""The study whose protocol the default settings reproduce."""

_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context that the specification recommends; loaders warn of any other."""
_LISTS = {
    METADATA: "One variant a line, as JSON.",
    CLIP_ROWS: "One clip a line, as JSON: its picture, its sound, and which sample each of its variants begins with.",
    CURVES: "One clip a line, as JSON: how much moves in its picture and how strongly new sound sets in, over time.",
}
_DATA_TYPES = {str: "sc:Text", float: "sc:Float", int: "sc:Integer", bool: "sc:Boolean"}


def croissant_of(info: DatasetInfo, sources: Sequence[SourceRow], *, lists: Mapping[str, str]) -> str:
    """The text of `croissant.json`.

    Args:
        info: of the dataset.
        sources: for the licences of those that are used.
        lists: the SHA-256 of each list as it is written, by its name.
    """
    licences = sorted({source.licence for source in sources if source.status == "used" and source.licence})
    page = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": "offbeat-shifted-clips",
        "description": (
            f"{info.variants} variants of {info.clips} clips from {info.sources_used} videos whose sound was moved "
            "against the picture by exact amounts. audio_delay_ms > 0: the sound comes later than the picture. "
            f"Made by Offbeat {info.offbeat_version}."
        ),
        "citeAs": STUDY,
        "keywords": ["audio-visual", "synchronisation", "evaluation"],
        "isLiveDataset": False,
        **({"license": licences} if licences else {}),
        "distribution": [
            *(_list_file(name, _LISTS[name], sha256) for name, sha256 in lists.items()),
            *_media(info),
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "variants",
                "name": "variants",
                "description": "One record a variant: one clip under one condition.",
                "key": {"@id": "variants/variant_id"},
                "field": [_field(name, text) for name, text in column_texts(VariantRow).items()],
            }
        ],
    }
    return json.dumps(page, indent=2, ensure_ascii=False) + "\n"


def _list_file(name: str, text: str, sha256: str) -> dict[str, object]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "description": text,
        "contentUrl": name,
        "encodingFormat": "application/jsonlines",
        "sha256": sha256,
    }


def _media(info: DatasetInfo) -> list[dict[str, object]]:
    """The files that picture and sound are in."""
    if info.layout == "compact":
        told = f"a clip, from which its variants are rendered: {CLIP_ROWS} says how."
        return [
            _file_set(PICTURES, f"The picture of {told}"),
            _file_set(SOUND, f"The sound of {told}"),
        ]
    return [_file_set(CLIPS, f"The variants; {METADATA} holds the SHA-256 of each.")]


def _file_set(folder: str, text: str) -> dict[str, object]:
    return {
        "@type": "cr:FileSet",
        "@id": folder,
        "name": folder,
        "description": text,
        "encodingFormat": "video/mp4",
        "includes": f"{folder}/*.mp4",
    }


def _field(name: str, text: str) -> dict[str, object]:
    return {
        "@type": "cr:Field",
        "@id": f"variants/{name}",
        "name": name,
        "description": text,
        "dataType": _data_type(VariantRow.model_fields[name].annotation),
        "source": {"fileObject": {"@id": METADATA}, "extract": {"column": name}},
    }


def _data_type(annotation: object) -> str:
    """`str | None` and a choice of strings are texts; anything that is no plain value is given as text."""
    parts = [annotation]
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        parts = [part for part in typing.get_args(annotation) if part is not type(None)]
    for kind, name in _DATA_TYPES.items():
        if parts == [kind]:
            return name
    return "sc:Text"
