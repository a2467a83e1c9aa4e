"""Files reach whatever server of the mesh takes them, as the gateway has discovered it."""

import asyncio
from dataclasses import replace

import httpx
import pytest

from onenumbers.knowledge.v1 import upload_pb2, upload_pb2_grpc
from onenumbers.research.v1 import analysis_pb2, analysis_pb2_grpc
from onenumbers_gateway.uploads.receiver import FileUploads
from onenumbers_gateway.uploads.routes import DOCUMENTS, POPULATIONS
from onenumbers_runtime.server import Service
from onenumbers_runtime.testing import running


class CountingDocuments(upload_pb2_grpc.KnowledgeUploadServiceServicer):
    """Says what came of a file."""

    async def UploadFile(self, request_iterator, context):
        size, name = 0, ""
        async for request in request_iterator:
            size += len(request.chunk)
            name = request.file.filename or name
        return upload_pb2.UploadFileResponse(warnings=[f"{name} has {size} bytes"])


class CountingPopulations(analysis_pb2_grpc.AnalysisServiceServicer):
    """Says what came of a population."""

    async def AnalyzePopulation(self, request_iterator, context):
        size, number = 0, 0
        async for request in request_iterator:
            size += len(request.chunk)
            number = request.question.number or number
        analysis = analysis_pb2.AnalyzeNumberPatternsResponse(method=f"{number} in {size} bytes")
        return analysis_pb2.AnalyzePopulationResponse(analysis=analysis)


@pytest.mark.parametrize(
    ("route", "add", "servicer", "fields", "told"),
    [
        (
            DOCUMENTS,
            upload_pb2_grpc.add_KnowledgeUploadServiceServicer_to_server,
            CountingDocuments(),
            {},
            ("warnings", ["a.bin has 700000 bytes"]),
        ),
        (
            POPULATIONS,
            analysis_pb2_grpc.add_AnalysisServiceServicer_to_server,
            CountingPopulations(),
            {"number": "4", "context": "life_path"},
            ("method", "4 in 700000 bytes"),
        ),
    ],
    ids=lambda value: value.path if value in (DOCUMENTS, POPULATIONS) else "",
)
async def test_a_file_goes_to_the_server_that_has_the_service_and_without_one_the_reason_is_told(
    start_gateway, route, add, servicer, fields, told
):
    service = Service(full_name=route.service, add=add, servicer=servicer)
    async with running([service]) as (server, _), httpx.AsyncClient(timeout=20) as client:
        gateway = await start_gateway({"knowledge": server.port})
        await gateway.until(
            lambda: any(route.service in found.services for found in gateway.running.discovery.current().servers)
        )
        base = f"http://127.0.0.1:{gateway.running.http_port}"
        answer = await client.post(f"{base}{route.path}", files={"file": ("a.bin", b"x" * 700_000)}, data=fields)
        assert answer.status_code == 200, answer.text
        assert answer.json()[told[0]] == told[1]
        described = (await client.get(f"{base}/openapi.json")).json()["paths"]
        assert described[route.path]["post"]["tags"] == ["knowledge"]
        assert len(described.keys() & {DOCUMENTS.path, POPULATIONS.path}) == 1, "what no server takes is not described"
        none = await start_gateway({})
        answer = await client.post(
            f"http://127.0.0.1:{none.running.http_port}{route.path}",
            params={**fields, **({"filename": "a"} if route is DOCUMENTS else {})},
            content=b"x",
        )
        assert (answer.status_code, answer.json()["code"]) == (503, 14)


class HangingPopulations(analysis_pb2_grpc.AnalysisServiceServicer):
    """Stands still, before it reads or before it answers."""

    def __init__(self, *, reads):
        self.reads = reads

    async def AnalyzePopulation(self, request_iterator, context):
        if self.reads:
            async for _ in request_iterator:
                pass
        await asyncio.sleep(60)


@pytest.mark.parametrize(("reads", "reason"), [(False, "UPLOAD_STALLED"), (True, "UPLOAD_UNANSWERED")])
async def test_a_server_that_stands_still_is_not_waited_for(reads, reason):
    service = Service(
        full_name=POPULATIONS.service,
        add=analysis_pb2_grpc.add_AnalysisServiceServicer_to_server,
        servicer=HangingPopulations(reads=reads),
    )
    async with running([service]) as (_, channel):
        uploads = FileUploads(
            replace(POPULATIONS, answer_s=0.5),
            lambda: channel,
            token=None,
            max_bytes=64 << 20,
            timeout_s=30,
            idle_s=0.5,
        )
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(uploads), base_url="http://mesh", timeout=20
        ) as client:
            answer = await client.post(
                POPULATIONS.path, params={"number": "4", "context": "life_path"}, content=b"x" * (8 << 20)
            )
    assert (answer.status_code, answer.json()["code"]) == (504, 4)
    assert reason in [detail.get("reason") for detail in answer.json()["details"]]
