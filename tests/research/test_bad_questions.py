"""Questions, searches and texts that are wrong, too long or late, and servers that are down: precise statuses."""

import asyncio

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from onenumbers.knowledge.v1 import knowledge_pb2_grpc
from onenumbers.research.v1 import research_pb2 as pb
from onenumbers_research.model_slot import ModelSlot
from onenumbers_runtime.server import Service
from onenumbers_runtime.testing import running

HUGE = "What is a karmic debt? " * 4_500


async def status_of(call) -> tuple[grpc.StatusCode, list[str], error_details_pb2.ErrorInfo]:
    """Returns the status of a call that has to fail: code, fields that are wrong, and the reason."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    error = caught.value
    details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    fields, info = [], error_details_pb2.ErrorInfo()
    for detail in status_pb2.Status.FromString(details).details:
        bad = error_details_pb2.BadRequest()
        if detail.Unpack(bad):
            fields += [item.field for item in bad.field_violations]
        else:
            detail.Unpack(info)
    assert "Traceback" not in error.details()
    return error.code(), fields, info


async def asked(stub, within: float = 30, **fields) -> list[pb.AnswerQuestionResponse]:
    return [event async for event in stub.AnswerQuestion(pb.AnswerQuestionRequest(**fields), timeout=within)]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"question": ""}, "question"),
        ({"question": HUGE}, "question"),
        ({"question": "a", "max_passages": 11}, "max_passages"),
        ({"question": "a", "max_passages": -1}, "max_passages"),
        ({"question": "a", "max_tokens": 1025}, "max_tokens"),
    ],
)
async def test_wrong_questions_name_the_field(knowledge_channel, serving_research, passages, fields, field):
    async with serving_research(knowledge_channel, ModelSlot(reason="off")) as stub:
        code, violated, _ = await status_of(asked(stub, **fields))
    assert (code, violated) == (grpc.StatusCode.INVALID_ARGUMENT, [field])
    assert not passages.requests, "nothing was searched for it"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"query": ""}, "query"),
        ({"query": HUGE}, "query"),
        ({"query": "a", "source": "oracle"}, "source"),
        ({"query": "a", "limit": 0}, "limit"),
        ({"query": "a", "limit": 51}, "limit"),
    ],
)
async def test_wrong_searches_name_the_field(knowledge_channel, serving_research, fields, field):
    async with serving_research(knowledge_channel, ModelSlot(reason="off")) as stub:
        request = pb.SearchNumerologyKnowledgeRequest(**fields)
        code, violated, _ = await status_of(stub.SearchNumerologyKnowledge(request))
    assert (code, violated) == (grpc.StatusCode.INVALID_ARGUMENT, [field])


@pytest.mark.parametrize("source", ["classical", "modern", "mystical", "scientific"])
async def test_every_kind_of_source_is_a_filter(knowledge_channel, serving_research, passages, source):
    async with serving_research(knowledge_channel, ModelSlot(reason="off")) as stub:
        await stub.SearchNumerologyKnowledge(pb.SearchNumerologyKnowledgeRequest(query="debt", source=source))
    assert list(passages.requests[-1].sources) == [source]


@pytest.mark.parametrize("question", ["???", "\N{GRINNING FACE}" * 500, "a" * 2000, "and " * 500, "\u202e7\u200b"])
async def test_any_question_within_the_limits_gets_an_answer(knowledge_channel, serving_research, question):
    async with serving_research(knowledge_channel, ModelSlot(reason="off")) as stub:
        assert (await asked(stub, question=question))[-1].WhichOneof("event") == "answer"


@pytest.mark.parametrize("question", ["What is a karmic debt?", "What is a karmic debt and who was Genovese?"])
async def test_a_knowledge_server_that_is_down_is_named(serving_research, question):
    async with (
        grpc.aio.insecure_channel("127.0.0.1:1") as nowhere,
        serving_research(nowhere, ModelSlot(reason="off")) as stub,
    ):
        code, _, info = await status_of(asked(stub, question=question))
        request = pb.SearchNumerologyKnowledgeRequest(query="debt")
        searched, _, why = await status_of(stub.SearchNumerologyKnowledge(request))
    assert code is searched is grpc.StatusCode.UNAVAILABLE
    assert info.reason == why.reason == "KNOWLEDGE_UNAVAILABLE"
    assert info.metadata["server"] == "knowledge"


class Hanging(knowledge_pb2_grpc.KnowledgeServiceServicer):
    """Takes a search and never answers; tells when the caller has left."""

    def __init__(self):
        self.left = asyncio.Event()

    async def SemanticSearch(self, request, context):
        try:
            await asyncio.Event().wait()
        finally:
            self.left.set()


async def test_a_knowledge_server_that_hangs_ends_with_the_deadline_of_the_caller(serving_research):
    hanging = Hanging()
    service = Service(
        full_name="onenumbers.knowledge.v1.KnowledgeService",
        add=knowledge_pb2_grpc.add_KnowledgeServiceServicer_to_server,
        servicer=hanging,
    )
    async with running([service]) as (_, channel), serving_research(channel, ModelSlot(reason="off")) as stub:
        code, _, _ = await status_of(asked(stub, question="What is a karmic debt?", within=0.5))
        assert code in (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE)
        async with asyncio.timeout(30):
            await hanging.left.wait()
