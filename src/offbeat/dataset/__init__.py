"""From source lists to a dataset folder: sources, plan, build, manifest, card; and opening one again."""
