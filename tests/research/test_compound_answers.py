"""Answers to questions of several parts over gRPC: passages for each part, and what is said about each."""

import grpc
import pytest

from onenumbers.research.v1 import research_pb2 as pb
from onenumbers_research.answers.answering import PART_NOT_COVERED
from onenumbers_research.model_slot import ModelSlot

QUESTION = "What is a karmic debt, and who was Genovese?"
FIRST, SECOND = "What is a karmic debt", "who was Genovese"


async def answered(stub, **fields) -> tuple[pb.RetrievedPassages, pb.Answer, list[pb.AnswerQuestionResponse]]:
    events = [event async for event in stub.AnswerQuestion(pb.AnswerQuestionRequest(**fields), timeout=90)]
    return events[0].retrieved, events[-1].answer, events


async def test_each_part_is_looked_up_and_lists_its_passages(knowledge_channel, passages, serving_research):
    async with serving_research(knowledge_channel, ModelSlot(reason="off")) as stub:
        retrieved, answer, _ = await answered(stub, question=QUESTION)
    assert sorted(request.query for request in passages.requests) == sorted([FIRST, SECOND])
    assert [item.query for item in retrieved.sub_queries] == [FIRST, SECOND]
    assert [item.query for item in answer.parts] == [FIRST, SECOND]
    ids = {item.marker: item.passage_id for item in retrieved.citations}
    for part, asked in zip(answer.parts, retrieved.sub_queries, strict=True):
        assert part.covered
        assert part.engine == pb.ANSWER_ENGINE_EXTRACTIVE
        assert [item.marker for item in part.passages] == list(asked.markers)
        assert all(ids[item.marker] == item.passage_id for item in part.passages)
    assert len({citation.passage_id for citation in retrieved.citations}) == len(retrieved.citations)


async def test_every_sentence_names_its_part_and_stands_in_its_passage(knowledge_channel, serving_research):
    async with serving_research(knowledge_channel, ModelSlot(reason="off")) as stub:
        _, answer, _ = await answered(stub, question=QUESTION)
    cited = {item.marker: item for item in answer.citations}
    assert {sentence.part for sentence in answer.sentences} <= {1, 2}
    texts = [sentence.text for sentence in answer.sentences]
    assert len(set(texts)) == len(texts), "no sentence stands twice"
    for sentence in answer.sentences:
        assert sentence.text in cited[sentence.markers[0]].excerpt
        markers = [item.marker for item in answer.parts[sentence.part - 1].passages]
        assert sentence.markers[0] in markers


async def test_a_part_that_nothing_is_near_to_is_said_to_be_open(knowledge_channel, passages, serving_research):
    passages.similarities[SECOND] = 0.1
    async with serving_research(knowledge_channel, ModelSlot(reason="off")) as stub:
        _, answer, _ = await answered(stub, question=QUESTION)
    assert answer.covered
    assert [part.covered for part in answer.parts] == [True, False]
    assert PART_NOT_COVERED.format(part=SECOND) in answer.text
    assert {sentence.part for sentence in answer.sentences} == {1}


async def test_the_model_answers_part_by_part_within_one_limit_of_length(
    knowledge_channel, serving_research, smol_slot
):
    async with serving_research(knowledge_channel, smol_slot) as stub:
        _, answer, events = await answered(stub, question=QUESTION, max_tokens=48)
    drafts = "".join(event.draft_delta for event in events if event.WhichOneof("event") == "draft_delta")
    assert drafts.count("\n\n") >= 1, "an empty line stands between the parts"
    generative = [part for part in answer.parts if part.engine == pb.ANSWER_ENGINE_GENERATIVE]
    assert bool(generative) == (answer.engine == pb.ANSWER_ENGINE_GENERATIVE)
    assert all(part.covered for part in answer.parts)
    assert {sentence.part for sentence in answer.sentences} <= {1, 2}


async def test_a_question_that_is_one_has_no_parts(knowledge_channel, passages, serving_research):
    async with serving_research(knowledge_channel, ModelSlot(reason="off")) as stub:
        retrieved, answer, _ = await answered(stub, question="What is a karmic debt number?")
    assert len(passages.requests) == 1
    assert not retrieved.sub_queries
    assert not answer.parts
    assert {sentence.part for sentence in answer.sentences} == {0}


@pytest.mark.parametrize("limit", [1, 2, 10])
async def test_the_limit_holds_for_all_parts_together(knowledge_channel, serving_research, limit):
    async with serving_research(knowledge_channel, ModelSlot(reason="off")) as stub:
        retrieved, answer, _ = await answered(stub, question=QUESTION, max_passages=limit)
    assert len(retrieved.citations) <= limit
    assert len(answer.parts) == 2, "a part that got no passage is listed all the same"


async def test_a_knowledge_server_that_is_down_fails_the_question_once(serving_research):
    async with (
        grpc.aio.insecure_channel("127.0.0.1:1") as nowhere,
        serving_research(nowhere, ModelSlot(reason="off")) as stub,
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await answered(stub, question=QUESTION)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
