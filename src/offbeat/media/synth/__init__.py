"""Synthesised scenes and a test card: sources whose truth is known exactly.

`render_scene` makes up one of `SCENES`: a picture in which something visibly makes a sound, at known and irregular
times. `offbeat.media.synth.testcard` numbers its frames instead.
"""

from offbeat.media.synth.render import SCENES, render_scene
from offbeat.media.synth.scene import Scene, SceneKind
from offbeat.media.synth.write import write_movie, write_scene

__all__ = ["SCENES", "Scene", "SceneKind", "render_scene", "write_movie", "write_scene"]
