"""Offbeat: does this observer notice when sound and picture are out of step, and by how much?

The way through the house, each step a package of the same name::

    sources ──plan──▶ clips ──cut──▶ pictures + sound spans ──render──▶ variants
            ──ask──▶ answers ──score──▶ tables ──▶ report

Sign, everywhere: ``audio_delay`` > 0 means that the sound comes later than the picture (``behind``),
< 0 earlier (``ahead``), 0 ``sync``.
"""

__version__ = "0.1.0.dev0"
