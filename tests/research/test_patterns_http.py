"""Patterns and histograms over HTTP: JSON and images through a real Envoy to real servers."""

import base64
import importlib.util
import xml.etree.ElementTree as ET
from datetime import date
from pathlib import Path

import jsonschema
import pytest

from onenumbers.research.v1 import analysis_pb2, analysis_pb2_grpc
from onenumbers_gateway.descriptors import build_contract
from onenumbers_gateway.results import ResultWriter
from onenumbers_gateway.schema import output_schema
from onenumbers_research.analysis.people import bundled_people
from onenumbers_research.analysis.service import PatternMethods, analysis_service
from onenumbers_research.knowledge_client import KnowledgeClient
from onenumbers_research.utilities_client import UtilitiesClient
from onenumbers_runtime.testing import CompiledContract, running
from onenumbers_utilities.compatibility_service import CompatibilityServicer, compatibility_service
from onenumbers_utilities.counting_service import CountingServicer, counting_service
from onenumbers_utilities.service import UtilitiesServicer, utilities_service

_SPEC = importlib.util.spec_from_file_location("edge_fixtures", Path(__file__).parents[1] / "edge" / "conftest.py")
_EDGE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_EDGE)
edge, edge_options = _EDGE.edge, _EDGE.edge_options

TODAY = date(2026, 11, 24)


class Patterns(PatternMethods, analysis_pb2_grpc.AnalysisServiceServicer):
    """The service without the methods that check claims."""


@pytest.fixture
async def http(edge, knowledge_channel):
    def today() -> date:
        return TODAY

    utilities = [
        utilities_service(UtilitiesServicer(clock=today, max_response_bytes=4 * 1024 * 1024)),
        counting_service(CountingServicer()),
        compatibility_service(CompatibilityServicer(clock=today)),
    ]
    async with running(utilities) as (_, channel):
        servicer = Patterns(
            utilities=UtilitiesClient(channel, token=None),
            knowledge=KnowledgeClient(knowledge_channel, token=None),
            today=today,
        )
        async with running([analysis_service(servicer)]) as (server, _):
            services = ["onenumbers.research.v1.AnalysisService"]
            await edge.serve(
                _EDGE.describe("research", CompiledContract.of(analysis_pb2.DESCRIPTOR), server.port, services=services)
            )
            yield edge.http


@pytest.mark.parametrize("ending", ["histogram.svg", "histogram"])
async def test_a_histogram_is_an_image_that_a_browser_shows(http, ending):
    answer = await http.get(f"/v1/research/patterns/life_path/{ending}", params={"number": 11})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/svg+xml"
    assert ET.fromstring(answer.content).tag.endswith("svg")


async def test_a_histogram_of_ones_own_population_is_posted(http):
    data = base64.b64encode(b"name,day,month,year\nAna,1,1,1990\n").decode()
    answer = await http.post("/v1/research/patterns/birthday/histogram.svg", json={"populationCsv": data})
    assert answer.status_code == 200, answer.text
    assert "1 people of an uploaded file" in answer.text


async def test_a_context_that_is_none_is_a_bad_request_in_json(http):
    answer = await http.get("/v1/research/patterns/astrology/histogram.svg")
    assert answer.status_code == 400
    assert "context" in answer.text
    assert "life_path" in answer.text


async def test_patterns_and_compatibility_data_are_json(http):
    answer = await http.post("/v1/research:patterns", json={"number": 7, "context": "expression"})
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert int(shown["cases"]) == len(bundled_people())
    assert shown["p_value"] == "NaN"
    answer = await http.get("/v1/research/compatibility/full", params={"include_historical": "true"})
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["convention"]) == 81


def test_results_fit_the_schemas_that_agents_are_shown():
    """The gateway shows a schema of every tool's result: an image and figures that are no numbers fit theirs."""
    compiled = CompiledContract.of(analysis_pb2.DESCRIPTOR)
    built = build_contract(compiled.files, ["onenumbers.research.v1.AnalysisService"], compiled.hash)
    methods = {method.name: method for method in built.methods}
    writer = ResultWriter(built.pool)
    image = methods["DrawNumberHistogram"].response_class(content_type="image/svg+xml", data=b"<svg/>")
    figures = methods["AnalyzeNumberPatterns"].response_class(observed=1, p_value=float("nan"))
    figures.values.add(number=1, p_value=float("nan"))
    for name, message in (("DrawNumberHistogram", image), ("AnalyzeNumberPatterns", figures)):
        schema = output_schema(built, methods[name].descriptor.output_type)
        jsonschema.validate(writer.write(message), schema)
        assert methods[name].read_only
    assert writer.write(figures)["p_value"] == "NaN"
