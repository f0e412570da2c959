"""A reply over the wire: what is sent, what is kept, and how it ends."""

import asyncio
import base64
import hashlib
import json

import pytest
from google.genai import types

from offbeat.errors import ModelError, ModelUnavailable
from offbeat.models.base import USAGE, Prompt
from offbeat.timing import LABELS
from servers.gemini_wire import MODEL

FRAMES = 17
"""Of the variants' 2 s at 8 frames a second, and one more for the end of the sound."""


def test_a_reply_and_all_that_is_kept_of_it(ask, server, wire, variants):
    reply = ask()
    assert (reply.text, reply.stop, reply.probabilities) == ("behind", "complete", None)
    assert reply.usage == {
        "input_tokens": FRAMES * 70 + 96 + 17,
        "text_tokens": 17,
        "video_tokens": FRAMES * 70,
        "audio_tokens": 96,
        "output_tokens": 1,
        "thinking_tokens": 40,
    }
    assert set(reply.usage) <= set(USAGE)
    assert reply.details == {
        "served_model": MODEL,
        "response_id": "response-1",
        "video_tokens_expected": 16 * 70,
        "finish_reason": "STOP",
        "sent": "inline",
    }
    assert wire.clips == [variants[2].mp4_bytes()]
    assert len(server.requests) == 1


def test_the_request_as_it_stands_on_the_wire(ask, server, prompt):
    ask()
    request = server.requests[0]
    assert (request.method, request.target) == ("POST", f"/v1beta/models/{MODEL}:generateContent")
    body = request.json()
    assert set(body) == {"contents", "generationConfig", "store"}
    assert body["store"] is False
    assert body["generationConfig"] == {"maxOutputTokens": 4096}
    video, words = body["contents"][0]["parts"]
    assert video["videoMetadata"] == {"fps": 8.0}
    assert video["mediaProcessing"] == "STATIC"
    assert words == {"text": prompt.text}


def test_every_option_is_on_the_wire(ask, server):
    ask(
        question=Prompt(text="?", options=LABELS, system="You are strict."),
        fps=24,
        processing="default",
        media_resolution="high",
        thinking="low",
        max_output_tokens=1000,
        temperature=0.5,
        token_check=False,  # the stand-in counts 70 a frame
    )
    body = server.requests[0].json()
    assert body["systemInstruction"]["parts"] == [{"text": "You are strict."}]
    config = json.loads(json.dumps(body["generationConfig"]).replace("thinking_level", "thinkingLevel"))
    assert config == {
        "maxOutputTokens": 1000,
        "temperature": 0.5,
        "mediaResolution": "MEDIA_RESOLUTION_HIGH",
        "thinkingConfig": {"thinkingLevel": "LOW"},
    }
    video = body["contents"][0]["parts"][0]
    assert video["videoMetadata"] == {"fps": 24.0}
    assert "mediaProcessing" not in video


def test_a_budget_for_the_older_generation(ask, server, wire):
    wire.model = "gemini-2.5-flash"
    ask(argument="gemini-2.5-flash", thinking=0)
    config = server.requests[0].json()["generationConfig"]["thinkingConfig"]
    assert {name.replace("_b", "B"): value for name, value in config.items()} == {"thinkingBudget": 0}


def test_the_bytes_of_a_real_clip_arrive_unchanged(ask, server, wire, variants, shared_media):
    clip = shared_media / "instrument_02_drumkit_top.mp4"
    data = clip.read_bytes()

    class Whole:
        row = variants[0].row.model_copy(update={"clip_length_s": 1.0})

        def mp4_bytes(self):
            return data

    ask(variant=Whole())
    assert hashlib.sha256(wire.clips[0]).digest() == hashlib.sha256(data).digest()
    sent = server.requests[0].json()["contents"][0]["parts"][0]["inlineData"]["data"]
    assert base64.urlsafe_b64decode(sent) == data


ENDS = {
    "STOP": "complete",
    "MAX_TOKENS": "truncated",
    "CONTINUATION": "truncated",
    **dict.fromkeys(
        [
            "SAFETY",
            "RECITATION",
            "LANGUAGE",
            "OTHER",
            "BLOCKLIST",
            "PROHIBITED_CONTENT",
            "SPII",
            "ESCALATION",
            "MODEL_ARMOR",
        ],
        "refused",
    ),
    "PUP_LIMITED_DISABLED": ModelUnavailable,
    **dict.fromkeys(
        [
            "FINISH_REASON_UNSPECIFIED",
            "MALFORMED_FUNCTION_CALL",
            "UNEXPECTED_TOOL_CALL",
            "TOO_MANY_TOOL_CALLS",
            "MISSING_THOUGHT_SIGNATURE",
            "MALFORMED_RESPONSE",
            "IMAGE_SAFETY",
            "IMAGE_PROHIBITED_CONTENT",
            "IMAGE_OTHER",
            "NO_IMAGE",
            "IMAGE_RECITATION",
        ],
        ModelError,
    ),
}


def test_every_end_that_the_client_knows_has_been_thought_of():
    assert set(ENDS) == {reason.value for reason in types.FinishReason}


@pytest.mark.parametrize(("finish", "end"), [*ENDS.items(), ("SOMETHING_NEW", ModelError), (None, ModelError)])
def test_how_an_answer_ends(ask, wire, server, finish, end):
    def ended(answer):
        # with the token the client would go on asking, unless it is told not to
        answer["candidates"][0].update(finishReason=finish, finishMessage="why", continuationToken="AAAA")

    wire.amend = ended
    if isinstance(end, str):
        reply = ask()
        assert (reply.text, reply.stop) == ("behind", end)
        assert (reply.details["finish_reason"], reply.details["finish_message"]) == (finish, "why")
    else:
        with pytest.raises(ModelError, match=finish or "FINISH_REASON_UNSPECIFIED") as raised:
            ask()
        assert type(raised.value) is end
        assert raised.value.usage["input_tokens"] > 0
    assert len(server.requests) == (2 if finish == "MAX_TOKENS" else 1)


def test_an_end_without_any_text(ask, wire):
    wire.amend = lambda answer: answer["candidates"].__setitem__(0, {"finishReason": "SAFETY"})
    assert (ask().text, ask().stop) == ("", "refused")
    wire.amend = lambda answer: answer["candidates"].__setitem__(0, {"index": 0})
    with pytest.raises(ModelError):
        ask()


def test_a_blocked_prompt(ask, wire):
    wire.amend = lambda answer: {
        "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
        "usageMetadata": {"promptTokenCount": 9},
        "modelVersion": MODEL,
    }
    reply = ask()
    assert (reply.stop, reply.text, reply.details["block_reason"]) == ("refused", "", "PROHIBITED_CONTENT")
    assert reply.usage["input_tokens"] == 9
    # beside an answer it is not what became of the prompt
    wire.amend = lambda answer: answer.update(promptFeedback={"blockReason": "OTHER"})
    assert (ask().stop, ask().text) == ("complete", "behind")


@pytest.mark.parametrize("content", [None, {"role": "model"}, {"parts": []}, {"parts": [{"text": ""}]}])
def test_an_empty_answer_is_a_reply_without_text(ask, wire, content):
    wire.amend = lambda answer: answer["candidates"][0].update(content=content)
    reply = ask()
    assert (reply.text, reply.stop) == ("", "complete")


def test_what_is_null_is_left_out_and_what_is_new_is_passed_over(ask, wire):
    def amend(answer):
        answer["candidates"][0]["content"]["parts"][0].update(thought=None, newField=1)
        answer["usageMetadata"].update(cachedContentTokenCount=None, candidatesTokenCount=None, newCount=1)
        answer.update(promptFeedback=None)

    wire.amend = amend
    reply = ask()
    assert (reply.text, reply.usage["output_tokens"]) == ("behind", 0)
    assert "cached_tokens" not in reply.usage


def test_what_tools_bring_is_paid_as_input(ask, wire):
    """As the service adds up: total = prompt + candidates + tool use + thoughts."""

    def amend(answer):
        answer["usageMetadata"].update(toolUsePromptTokenCount=5000)
        answer["usageMetadata"]["promptTokensDetails"].append({"modality": "MODALITY_UNSPECIFIED", "tokenCount": 3})

    plain = ask().usage
    wire.amend = amend
    usage = ask().usage
    assert usage["input_tokens"] == plain["input_tokens"] + 5000
    assert (usage["tool_tokens"], usage["text_tokens"]) == (5000, plain["text_tokens"] + 3)


def test_thoughts_are_not_the_answer(ask, wire):
    parts = [{"text": "Perhaps ahead?", "thought": True}, {"text": "be"}, {"text": "hind", "newField": 1}]
    wire.amend = lambda answer: answer["candidates"][0].update(content={"parts": parts})
    assert ask().text == "behind"


def test_an_answer_cut_off_is_asked_for_once_more_with_twice_the_budget(ask, wire, server):
    def cut(answer):
        if len(wire.clips) == 1:
            answer["candidates"][0] = {"finishReason": "MAX_TOKENS"}
            answer["usageMetadata"].update(candidatesTokenCount=0, thoughtsTokenCount=4096)

    wire.amend = cut
    reply = ask()
    assert (reply.text, reply.stop) == ("behind", "complete")
    assert [r.json()["generationConfig"]["maxOutputTokens"] for r in server.requests] == [4096, 8192]
    assert reply.usage["thinking_tokens"] == 4096 + 40
    assert reply.usage["video_tokens"] == 2 * FRAMES * 70
    assert reply.details["calls"] == 2
    assert reply.details["first_finish_reason"] == "MAX_TOKENS"
    assert reply.details["max_output_tokens"] == 8192


def test_where_one_of_two_calls_tells_no_tokens_nobody_knows_what_both_used(ask, wire):
    def cut(answer):
        if len(wire.clips) == 1:
            answer["candidates"][0] = {"finishReason": "MAX_TOKENS"}
            del answer["usageMetadata"]

    wire.amend = cut
    reply = ask()
    assert (reply.text, reply.details["calls"], reply.usage) == ("behind", 2, {})


def test_an_answer_cut_off_twice_is_truncated(ask, wire, server):
    wire.amend = lambda answer: answer["candidates"][0].update(finishReason="MAX_TOKENS", content={})
    reply = ask()
    assert (reply.text, reply.stop, len(server.requests)) == ("", "truncated", 2)


def test_what_the_first_call_used_is_on_the_error_of_the_second(ask, wire):
    def cut(answer):
        if len(wire.clips) == 1:
            answer["candidates"][0] = {"finishReason": "MAX_TOKENS"}
            return answer
        return {"error": {"code": 503, "status": "UNAVAILABLE", "message": "overloaded"}}

    wire.amend = cut
    with pytest.raises(ModelError, match="overloaded") as raised:
        ask()
    assert raised.value.usage["thinking_tokens"] == 40
    assert raised.value.usage["video_tokens"] == FRAMES * 70


@pytest.mark.parametrize(
    "served", [MODEL, f"models/{MODEL}", f"{MODEL}-001", f"{MODEL}-09-2026", f"{MODEL}-05-20", f"{MODEL}-20260901"]
)
def test_the_same_model_under_a_longer_name(ask, wire, served):
    wire.served = served
    assert ask().details["served_model"] == served


@pytest.mark.parametrize(
    "served", ["gemini-3.5-flash-lite", f"{MODEL}-lite", f"{MODEL}-preview", "gemini-3.8", f"{MODEL}-001-lite"]
)
def test_another_model_in_its_place(ask, wire, served):
    wire.served = served
    with pytest.raises(ModelUnavailable, match=f"{served} answered in its place") as raised:
        ask()
    assert raised.value.usage["input_tokens"] > 0


@pytest.mark.parametrize(("modality", "thing"), [("AUDIO", "sound"), ("VIDEO", "picture")])
@pytest.mark.parametrize("how", ["absent", "zero", "left out"])
def test_an_answer_without_the_clip_is_none(ask, wire, modality, thing, how):
    def deafen(answer):
        details = answer["usageMetadata"]["promptTokensDetails"]
        (entry,) = [entry for entry in details if entry["modality"] == modality]
        if how == "absent":
            details.remove(entry)
        elif how == "zero":
            entry["tokenCount"] = 0
        else:
            del entry["tokenCount"]

    wire.amend = deafen
    with pytest.raises(ModelError, match=f"no {thing} tokens") as raised:
        ask()
    assert raised.value.usage["input_tokens"] > 0
    assert ask(token_check=False).text == "behind"


def test_a_silent_file_is_noticed_by_the_server_itself(ask, variants, tmp_path):
    import av

    path = tmp_path / "mute.mp4"
    with av.open(str(variants[0].path)) as source, av.open(str(path), "w") as target:
        picture = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = picture
                target.mux(packet)

    class Mute:
        row = variants[0].row

        def mp4_bytes(self):
            return path.read_bytes()

    with pytest.raises(ModelError, match="no sound tokens"):
        ask(variant=Mute())


def test_frames_left_out_are_noticed(ask, wire):
    def one_frame_a_second(answer):
        for entry in answer["usageMetadata"]["promptTokensDetails"]:
            if entry["modality"] == "VIDEO":
                entry["tokenCount"] = 2 * 70

    wire.amend = one_frame_a_second
    with pytest.raises(ModelError, match="counted 140 picture tokens, expected about 1120 at 8 frames"):
        ask()
    assert ask(fps=1).usage["video_tokens"] == 140


def test_a_server_that_does_not_count_by_kind(ask, wire):
    wire.amend = lambda answer: answer["usageMetadata"].pop("promptTokensDetails") and None
    reply = ask()
    assert reply.text == "behind"
    assert "video_tokens" not in reply.usage


def test_probabilities_where_the_model_gives_them(ask, wire, server):
    wire.logprobs = True
    reply = ask(logprobs=5)
    assert server.requests[0].json()["generationConfig"]["logprobs"] == 5
    assert reply.probabilities["behind"] > reply.probabilities["ahead"] > reply.probabilities["sync"] == 0
    assert sum(reply.probabilities.values()) == pytest.approx(1)
    assert reply.details["option_mass"] == pytest.approx(0.8297, abs=1e-3)


def test_log_probabilities_are_asked_for_once(made, server, variants, prompt):
    async def both():
        model = made(logprobs=5)
        replies = [await model.reply(variant, prompt) for variant in variants[:2]]
        await model.close()
        return replies

    first, second = asyncio.run(both())
    assert first.details["logprobs"] == second.details["logprobs"] == "the model gives none"
    assert first.probabilities is None
    assert ["logprobs" in r.json()["generationConfig"] for r in server.requests] == [True, False, False]


def test_all_calls_under_way_go_on_without_log_probabilities(made, server, variants, prompt, caplog):
    server.slow_s = 0.2

    async def several():
        model = made(logprobs=5)
        replies = await asyncio.gather(*(model.reply(variants[n % 3], prompt) for n in range(4)))
        await model.close()
        return replies

    assert [reply.text for reply in asyncio.run(several())] == ["behind"] * 4
    assert len(server.requests) == 8
    assert caplog.text.count("without log-probabilities") == 1


def test_a_closed_model_opens_again_in_another_loop(made, variants, prompt):
    model = made()

    async def once():
        reply = await model.reply(variants[0], prompt)
        await model.close()
        return reply

    assert asyncio.run(once()).text == asyncio.run(once()).text == "behind"
