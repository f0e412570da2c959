"""Models of a user's own, to be served."""

import sys

import numpy as np

from offbeat.errors import ModelError, RequestRejected
from offbeat.models.base import Reply


class Together:
    """Says how many it was shown at once."""

    name, revision, at_once = "together", "1", 1

    def __init__(self, *, add=0):
        self._add = add

    def reply(self, variant, prompt):
        return self.replies([variant], [prompt])[0]

    def replies(self, variants, prompts):
        print('{"a library": "prints this"}', flush=True)
        said = [Reply(str(len(variants) + self._add), details={"id": v.row.variant_id}) for v in variants]
        return [RequestRejected("not this one") if v.row.variant_id == "v1" else r for v, r in zip(variants, said)]  # noqa: B905


class Awaited:
    """Asynchronous, and faulty for one clip."""

    name, revision = "awaited", "1"

    async def reply(self, variant, prompt):
        if variant.row.variant_id == "v1":
            raise ModelError("nothing to say")
        if variant.row.variant_id == "v2":
            raise ZeroDivisionError("by zero")
        return Reply(prompt.system or "none", stop="unsure", probabilities={"sync": 1.0})

    async def close(self):
        print("closed")


class Faulty(Together):
    """Counts how often it was asked; hands over what no reply is, in another way each time."""

    asked = 0

    def replies(self, variants, prompts):
        self.asked += 1
        fine = [Reply(str(self.asked)) for _ in variants]
        if self.asked == 1:
            return [Reply("ahead", details={"delay_s": np.float32(0.5)}), "ahead", fine[2]]
        if self.asked == 2:
            return fine[1:]
        if self.asked == 3:
            sys.exit("enough")
        return fine

    def close(self):
        pass
