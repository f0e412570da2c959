"""From a raw reply to one of the options, or to none."""
