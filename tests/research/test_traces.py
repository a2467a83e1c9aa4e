"""Every citation of every research tool leads to the stored sentence: followed over gRPC to a real knowledge server."""

from datetime import date

import pytest
import pytest_asyncio

from onenumbers.knowledge.v1 import knowledge_pb2, knowledge_pb2_grpc
from onenumbers.research.v1 import analysis_pb2, analysis_pb2_grpc, discovery_pb2, discovery_pb2_grpc
from onenumbers.research.v1 import research_pb2 as pb
from onenumbers_research.analysis.service import PatternMethods, analysis_service
from onenumbers_research.claims.calculation_client import CalculationClient
from onenumbers_research.claims.calibration import calibration
from onenumbers_research.claims.search import ClaimSearch
from onenumbers_research.claims.service import ValidationMethods
from onenumbers_research.claims.validating import ClaimValidator
from onenumbers_research.knowledge_client import KnowledgeClient
from onenumbers_research.model_slot import ModelSlot
from onenumbers_research.runs.service import running_discovery
from onenumbers_research.utilities_client import UtilitiesClient
from onenumbers_runtime.testing import running
from onenumbers_utilities.compatibility_service import CompatibilityServicer, compatibility_service
from onenumbers_utilities.counting_service import CountingServicer, counting_service
from onenumbers_utilities.service import UtilitiesServicer, utilities_service

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHOSEN = {
    *("life-path-4", "life-path-7", "life-path-8", "planet-7", "personal-year-7", "concord-triads", "cheiro-pairs"),
    *("no-canonical-score", "genovese-2017", "history-cheiro", "karmic-debt-16", "karmic-debts-overview"),
    *("karmic-lessons-meaning", "relationships-love"),
}


def today() -> date:
    return date(2026, 11, 24)


class Servicer(PatternMethods, ValidationMethods, analysis_pb2_grpc.AnalysisServiceServicer):
    """The whole of AnalysisService."""

    def __init__(self, *, utilities, knowledge):
        PatternMethods.__init__(
            self,
            utilities=UtilitiesClient(utilities, token=None),
            knowledge=KnowledgeClient(knowledge, token=None),
            today=today,
        )
        validator = ClaimValidator(
            calculations=CalculationClient(utilities, token=None),
            search=ClaimSearch(knowledge, token=None),
            calibration=calibration(),
        )
        ValidationMethods.__init__(self, validator=validator)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def knowledge(tmp_path_factory, serving_corpus):
    async with serving_corpus(tmp_path_factory.mktemp("traces"), CHOSEN) as channel:
        yield channel


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def utilities():
    services = [
        utilities_service(UtilitiesServicer(clock=today, max_response_bytes=4 << 20)),
        counting_service(CountingServicer()),
        compatibility_service(CompatibilityServicer(clock=today)),
    ]
    async with running(services) as (_, channel):
        yield channel


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def analysis(utilities, knowledge):
    async with running([analysis_service(Servicer(utilities=utilities, knowledge=knowledge))]) as (_, channel):
        yield analysis_pb2_grpc.AnalysisServiceStub(channel)


async def followed(knowledge, citations) -> dict[int, str]:
    """Returns the stored texts of citations by marker, each compared with its excerpt."""
    stub = knowledge_pb2_grpc.KnowledgeServiceStub(knowledge)
    found: dict[int, str] = {}
    for citation in citations:
        request = knowledge_pb2.GetDocumentRequest(document_id=citation.document_id)
        document = (await stub.GetDocument(request)).document
        stored = document.content[citation.start_offset : citation.end_offset]
        assert stored == citation.excerpt
        assert document.info.title == citation.title
        found[citation.marker] = stored
    return found


async def traced(knowledge, answer: pb.Answer) -> None:
    """Follows each sentence of an answer to the sentence of the document that it cites."""
    stored = await followed(knowledge, answer.citations)
    assert answer.sentences
    for sentence in answer.sentences:
        assert sentence.markers
        assert any(sentence.text in stored[marker] for marker in sentence.markers), sentence.text


@pytest.mark.parametrize(
    "question",
    ["What does life path 7 mean?", "What is a karmic debt, and how does it differ from a karmic lesson?"],
)
async def test_sentences_of_answers(knowledge, serving_research, question):
    async with serving_research(knowledge, ModelSlot(reason="off")) as stub:
        request = pb.AnswerQuestionRequest(question=question)
        events = [event async for event in stub.AnswerQuestion(request, timeout=60)]
    await followed(knowledge, events[0].retrieved.citations)
    await traced(knowledge, events[-1].answer)
    shown = {citation.passage_id for citation in events[0].retrieved.citations}
    for part in events[-1].answer.parts:
        assert {passage.passage_id for passage in part.passages} <= shown


@pytest.mark.parametrize("source", ["modern", "scientific", "classical"])
async def test_passages_of_a_search_by_kind_of_source(knowledge, serving_research, source):
    async with serving_research(knowledge, ModelSlot(reason="off")) as stub:
        request = pb.SearchNumerologyKnowledgeRequest(query="numbers of people", source=source, limit=5)
        found = await stub.SearchNumerologyKnowledge(request, timeout=60)
    assert await followed(knowledge, found.results)
    assert {citation.source for citation in found.results} == {source}


async def test_evidence_of_theories_and_interpretations(knowledge, analysis):
    theory = analysis_pb2.ValidateNumerologyTheoryRequest(
        theory="7 means introspection. 7 means wealth and power. Cheiro was born in Ireland. "
        "It is scientifically proven that birth numbers predict success."
    )
    interpretation = analysis_pb2.ValidateInterpretationRequest(
        interpretation="A solitary seeker who loves study. Stands for noisy company.", number=7
    )
    checked = [
        *(await analysis.ValidateNumerologyTheory(theory, timeout=60)).claims,
        *(await analysis.ValidateInterpretation(interpretation, timeout=60)).claims,
    ]
    assert len(checked) == 6
    for claim in checked:
        assert claim.verdict != analysis_pb2.CLAIM_VERDICT_NOT_COVERED, claim.text
        assert await followed(knowledge, claim.evidence), claim.text


async def test_themes_of_patterns(knowledge, analysis):
    request = analysis_pb2.AnalyzeNumberPatternsRequest(number=7, context="life_path")
    found = await analysis.AnalyzeNumberPatterns(request, timeout=60)
    assert await followed(knowledge, found.themes)
    # What the number is said to mean comes before what the document says of itself.
    first = found.themes[0]
    assert (first.document_id, first.section) == ("life-path-7", "Life path 7: the seeker")


async def test_passages_behind_compatibility_data(knowledge, analysis):
    request = analysis_pb2.FetchCompatibilityDataRequest(type="life_path")
    found = await analysis.FetchCompatibilityData(request, timeout=60)
    assert await followed(knowledge, found.citations)


async def test_the_summary_of_a_researched_number(tmp_path, knowledge, utilities):
    async with (
        running_discovery(
            data_dir=tmp_path,
            knowledge=knowledge,
            utilities=utilities,
            token=None,
            model=ModelSlot(reason="no model is wanted here"),
        ) as discovery,
        running([discovery.service]) as (_, channel),
    ):
        stub = discovery_pb2_grpc.DiscoveryServiceStub(channel)
        request = discovery_pb2.ResearchNumberRequest(number=7, context="life_path")
        run = (await stub.ResearchNumber(request, timeout=60)).run
        watched = stub.WatchResearchRun(discovery_pb2.WatchResearchRunRequest(run_id=run.run_id), timeout=60)
        assert [event async for event in watched]
        request = discovery_pb2.GetResearchRunRequest(run_id=run.run_id)
        ended = (await stub.GetResearchRun(request, timeout=60)).run
        await traced(knowledge, ended.summary)
        await discovery.stop()
