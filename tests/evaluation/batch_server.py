"""A server that takes batches, and the model that stands before it."""

from datetime import date

from offbeat.errors import NotHandedOver
from offbeat.evaluation.money.prices import Price
from offbeat.evaluation.terms import Terms
from offbeat.models.base import Collected, Reply

PRICE = Price(name="p", input_usd=1.0, output_usd=10.0, batch_share=0.5, since=date(2026, 1, 1), source="a test")
TERMS = Terms(batch=True, prices={"p": PRICE})
USAGE = {"input_tokens": 1000, "output_tokens": 10}


class Server:
    """Keeps jobs by name; `state` and `lose` say what it does with them."""

    def __init__(self):
        self.jobs, self.state, self.lose, self.fail, self.unfit = {}, "ended", set(), {}, {}
        self.upload_error = self.submit_error = self.collect_error = self.lost_error = None


class Batched:
    name, revision, looks, price_name = "batched", "1", False, "p"

    def __init__(self, server):
        self.server = server

    async def reply(self, variant, prompt):
        raise AssertionError("it is asked by batches alone")

    def expected_usage(self, variant, prompt):
        return {"input_tokens": 1000, "output_tokens": 100}

    async def submit(self, items, *, note):
        if self.server.upload_error:
            raise self.server.upload_error
        if unfit := {item.key: self.server.unfit[item.key] for item in items if item.key in self.server.unfit}:
            raise NotHandedOver(unfit)
        job = f"batches/{len(self.server.jobs)}"
        note(f"ours for {job}")
        if self.server.submit_error:
            raise self.server.submit_error
        self.server.jobs[job] = [item.key for item in items]
        if self.server.lost_error:
            raise self.server.lost_error
        return job

    async def collect(self, job, items):
        server = self.server
        if server.collect_error:
            raise server.collect_error
        job = job.removeprefix("ours for ")
        assert [item.key for item in items if item.key not in server.jobs[job]] == []
        if server.state == "pending":
            return Collected("pending", {}, "running")
        labels = {item.key: item.variant.row.label for item in items}
        replies = {
            key: server.fail.get(key) or Reply(labels[key], usage=USAGE)
            for key in server.jobs[job]
            if key not in server.lose
        }
        return Collected("ended", replies, "JOB_STATE_SUCCEEDED")
