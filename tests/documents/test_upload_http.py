"""The same upload over HTTP: JSON through a real Envoy to a real knowledge server."""

import base64
import importlib.util
from pathlib import Path

import pytest

from onenumbers.knowledge.v1 import upload_pb2
from onenumbers_knowledge.ingestion.upload import Uploader
from onenumbers_knowledge.ingestion.upload_service import UploadServicer, upload_service
from onenumbers_runtime.testing import CompiledContract, running

_SPEC = importlib.util.spec_from_file_location("edge_fixtures", Path(__file__).parents[1] / "edge" / "conftest.py")
_EDGE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_EDGE)
edge, edge_options = _EDGE.edge, _EDGE.edge_options


@pytest.fixture
async def post(edge, collection):
    async with Uploader(collection) as uploader, running([upload_service(UploadServicer(uploader))]) as (server, _):
        compiled = CompiledContract.of(upload_pb2.DESCRIPTOR)
        services = ["onenumbers.knowledge.v1.KnowledgeUploadService"]
        await edge.serve(_EDGE.describe("knowledge", compiled, server.port, services=services))

        async def send(content: bytes, **fields):
            body = {"content": base64.b64encode(content).decode(), **fields}
            return await edge.http.post("/v1/knowledge/documents:upload", json=body)

        yield send


async def test_a_pdf_in_base64_is_ingested_over_http(post, pdf_of):
    answer = await post(pdf_of("Seven is in it."), filename="seven.pdf", category="cycles", metadata={"shelf": "B"})
    assert answer.status_code == 200, answer.text
    (item,) = answer.json()["documents"]
    assert item["outcome"] == "INGEST_OUTCOME_CREATED"
    assert item["document"]["title"] == "seven"
    assert item["document"]["metadata"] == {"file": "seven.pdf", "kind": "pdf", "pages": 1.0, "shelf": "B"}


async def test_files_that_are_refused_are_bad_requests_with_the_reason(post):
    answer = await post(b"bin\x00ary", filename="../a.txt")
    assert answer.status_code == 400
    assert "a.txt is binary, not text" in answer.text
    assert (await post(b"x", filename="a.txt", category="gossip")).status_code == 400


async def test_three_million_bytes_go_through_the_edge_and_four_do_not(post):
    whole = await post(b"<p>" + b"word " * 599_000, filename="a.html", document_id="big")
    assert whole.status_code == 200, whole.text
    assert [item["document"]["document_id"] for item in whole.json()["documents"]] == [
        "big",
        "big-part-2",
        "big-part-3",
    ]
    assert (await post(b"word " * 790_000, filename="b.txt")).status_code == 413
