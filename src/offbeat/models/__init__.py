"""Whatever answers: one file per backend behind one protocol, `offbeat.models.base.Model`."""
