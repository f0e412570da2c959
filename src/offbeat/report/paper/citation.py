"""How Offbeat, and the study whose protocol it follows, are cited."""

from __future__ import annotations

import offbeat

STUDY_BIBTEX = """\
@inproceedings{kimura2025misalignment,
  title = {Do State-of-the-art Audio-visual {VLM}s Understand Audio-video Temporal Misalignment},
  author = {Kimura, Motonobu and Ohkubo, Ren and Qiu, Yue and Satoh, Yutaka},
  booktitle = {Gen4AVC workshop at ICCV},
  year = {2025},
  url = {https://openreview.net/forum?id=MNfjdwOan0}
}
"""


def citation() -> str:
    """One line for the page."""
    return f"Offbeat contributors: Offbeat, version {offbeat.__version__}. Software, Apache-2.0."


def bibtex() -> str:
    """Both as BibTeX."""
    own = f"""\
@software{{offbeat,
  title = {{Offbeat}},
  author = {{{{Offbeat contributors}}}},
  version = {{{offbeat.__version__}}},
  note = {{Does an observer notice when sound and picture are out of step?}}
}}
"""
    return f"{own}\n{STUDY_BIBTEX}"
