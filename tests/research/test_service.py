"""Search and answers over gRPC, with the real model and without one."""

import asyncio
import contextlib
import os
import signal
import sys

import grpc
import pytest

from onenumbers.research.v1 import research_pb2 as pb
from onenumbers_models.process.probe import CRASH_VARIABLE
from onenumbers_research.answers.answering import NOT_COVERED
from onenumbers_research.model_slot import ModelSlot, loading_model
from onenumbers_research.settings import ResearchSettings

QUESTION = "What is a karmic debt number?"


async def ask(stub, **fields) -> tuple[pb.Answer, list[pb.AnswerQuestionResponse]]:
    events = [event async for event in stub.AnswerQuestion(pb.AnswerQuestionRequest(**fields), timeout=60)]
    kinds = [event.WhichOneof("event") for event in events]
    assert kinds[0] == "retrieved"
    assert kinds[-1] == "answer"
    assert kinds.count("retrieved") == kinds.count("answer") == 1
    return events[-1].answer, events


async def test_search_returns_citations_of_the_wanted_sources(knowledge_channel, passages, serving_research):
    async with serving_research(knowledge_channel, ModelSlot(reason="off")) as stub:
        request = pb.SearchNumerologyKnowledgeRequest(query="karmic debt", source="scientific", limit=2)
        found = await stub.SearchNumerologyKnowledge(request)
    assert [item.marker for item in found.results] == [1, 2]
    assert found.results[0].document_id == "karmic-debt"
    assert found.results[0].excerpt.startswith("A karmic debt number is 13")
    assert (found.embedding_model, found.passages_searched) == ("fixed", 3)
    assert list(passages.requests[-1].sources) == ["scientific"]


async def test_without_a_model_the_answer_is_passages_and_says_why(knowledge_channel, serving_research):
    async with serving_research(knowledge_channel, ModelSlot(reason="the model is still being loaded")) as stub:
        answer, events = await ask(stub, question=QUESTION)
    assert answer.engine == pb.ANSWER_ENGINE_EXTRACTIVE
    assert answer.engine_reason == "the model is still being loaded"
    assert answer.model == ""
    assert answer.covered
    assert "A karmic debt number is 13, 14, 16 or 19. [1]" in answer.text
    cited = {item.marker: item for item in answer.citations}
    for sentence in answer.sentences:
        assert sentence.text in cited[sentence.markers[0]].excerpt
    assert answer.method
    assert answer.elapsed.ToTimedelta().total_seconds() > 0
    assert len(events[0].retrieved.citations) == 3


async def test_the_model_writes_and_only_supported_sentences_stand(knowledge_channel, serving_research, smol_slot):
    async with serving_research(knowledge_channel, smol_slot) as stub:
        answer, events = await ask(stub, question=QUESTION, max_tokens=48)
    draft = "".join(event.draft_delta for event in events if event.WhichOneof("event") == "draft_delta")
    assert draft
    assert answer.sentences
    if answer.engine == pb.ANSWER_ENGINE_GENERATIVE:
        assert answer.model == smol_slot.generator.model_id
        assert all(sentence.text[:20] in draft for sentence in answer.sentences)
    else:
        assert "supported" in answer.engine_reason
    for sentence in answer.sentences:
        assert sentence.support >= 0.6
        assert f"[{sentence.markers[0]}]" in answer.text


async def test_asking_for_passages_alone_uses_no_model(knowledge_channel, serving_research, smol_slot):
    async with serving_research(knowledge_channel, smol_slot) as stub:
        answer, events = await ask(stub, question=QUESTION, engine=pb.ANSWER_ENGINE_EXTRACTIVE)
    assert len(events) == 2
    assert (answer.engine, answer.engine_reason) == (pb.ANSWER_ENGINE_EXTRACTIVE, "")


async def test_a_question_that_nothing_is_near_to_is_not_answered(
    knowledge_channel, passages, serving_research, smol_slot
):
    passages.similarity = 0.2
    async with serving_research(knowledge_channel, smol_slot) as stub:
        answer, events = await ask(stub, question="How do I bake bread?")
    assert not answer.covered
    assert answer.text == NOT_COVERED
    assert not answer.citations
    assert not answer.sentences
    assert len(events) == 2, "the model is not asked"


async def test_a_client_that_leaves_frees_the_model(knowledge_channel, serving_research, smol_slot):
    async with serving_research(knowledge_channel, smol_slot) as stub:
        call = stub.AnswerQuestion(pb.AnswerQuestionRequest(question=QUESTION, max_tokens=256))
        async with asyncio.timeout(60):
            while (await call.read()).WhichOneof("event") != "draft_delta":
                pass
            call.cancel()
            answer, _ = await ask(stub, question=QUESTION, max_tokens=16)
    assert answer.sentences


class Endless:
    """The real model, asked again and again: its answer never ends by itself."""

    def __init__(self, generator):
        self.model_id, self.context_length = generator.model_id, generator.context_length
        self.count_tokens = generator.count_tokens
        self.left = asyncio.Event()
        self._generator = generator

    async def generate(self, messages, **options):
        try:
            while True:
                async with contextlib.aclosing(self._generator.generate(messages, **options)) as pieces:
                    async for piece in pieces:
                        yield piece
        finally:
            self.left.set()


async def test_a_cancelled_call_leaves_the_models_stream(knowledge_channel, serving_research, smol_slot):
    endless = Endless(smol_slot.generator)
    async with serving_research(knowledge_channel, ModelSlot(endless)) as stub, asyncio.timeout(60):
        call = stub.AnswerQuestion(pb.AnswerQuestionRequest(question=QUESTION))
        while (await call.read()).WhichOneof("event") != "draft_delta":
            pass
        call.cancel()
        await endless.left.wait()


async def test_a_damaged_model_leaves_the_server_with_passages(knowledge_channel, serving_research, smollm, tmp_path):
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(smollm.path.read_bytes()[:200_000])
    settings = ResearchSettings.load(data_dir=tmp_path, generation_model=str(damaged))
    async with loading_model(settings) as slot:
        async with asyncio.timeout(60):
            await slot.settled.wait()
        async with serving_research(knowledge_channel, slot) as stub:
            answer, _ = await ask(stub, question=QUESTION)
    assert answer.engine == pb.ANSWER_ENGINE_EXTRACTIVE
    assert "damaged" in answer.engine_reason


async def test_a_deadline_stops_the_model_and_what_it_wrote_is_checked(knowledge_channel, serving_research, smol_slot):
    async with serving_research(knowledge_channel, smol_slot) as stub:
        request = pb.AnswerQuestionRequest(question=QUESTION, max_tokens=256)
        events = [event async for event in stub.AnswerQuestion(request, timeout=3.0)]
    assert events[-1].WhichOneof("event") == "answer"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"question": ""}, "question"),
        ({"question": "x" * 2001}, "question"),
        ({"question": "a", "max_passages": 0}, "max_passages"),
        ({"question": "a", "max_tokens": 5}, "max_tokens"),
        ({"question": "a", "engine": 9}, "engine"),
    ],
)
async def test_bad_questions_name_the_field(knowledge_channel, serving_research, fields, field):
    async with serving_research(knowledge_channel, ModelSlot(reason="off")) as stub:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            [event async for event in stub.AnswerQuestion(pb.AnswerQuestionRequest(**fields))]
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert field in caught.value.details()


async def test_a_knowledge_server_that_is_away_is_unavailable(serving_research):
    async with (
        grpc.aio.insecure_channel("127.0.0.1:1") as nowhere,
        serving_research(nowhere, ModelSlot(reason="off")) as stub,
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            [event async for event in stub.AnswerQuestion(pb.AnswerQuestionRequest(question=QUESTION))]
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_model_that_crashes_while_it_is_tried_leaves_the_server_with_passages(
    knowledge_channel, serving_research, tmp_path, monkeypatch
):
    monkeypatch.setenv(CRASH_VARIABLE, str(int(signal.SIGSEGV)))
    settings = ResearchSettings.load(data_dir=tmp_path)
    async with loading_model(settings) as slot:
        async with asyncio.timeout(60):
            await slot.settled.wait()
        async with serving_research(knowledge_channel, slot) as stub:
            answer, _ = await ask(stub, question=QUESTION)
    assert answer.engine == pb.ANSWER_ENGINE_EXTRACTIVE
    assert "SIGSEGV" in answer.engine_reason


@pytest.mark.parametrize(
    ("model", "words"), [("none", "is none"), ("/nowhere.gguf", "cannot be read"), ("package:structlog", "no model")]
)
async def test_every_reason_for_no_model_is_told(tmp_path, model, words):
    async with loading_model(ResearchSettings.load(data_dir=tmp_path, generation_model=model)) as slot:
        async with asyncio.timeout(60):
            await slot.settled.wait()
        assert slot.generator is None
        assert words in slot.reason


async def test_the_process_serves_before_its_model_is_there_and_drains_on_sigterm(tmp_path):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "onenumbers_research"),
        env={**os.environ, "MCP_RESEARCH_PORT": "0", "MCP_DATA_DIR": str(tmp_path), "MCP_LOG_FORMAT": "json"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    seen = []
    async with asyncio.timeout(60):
        async for line in process.stdout:
            seen.append(line)
            if b"generation_model_loaded" in line:
                break
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    assert any(b"health_changed" in line for line in seen)
