"""Files reach whatever server of the mesh takes them, as the gateway has discovered it."""

import httpx

from onenumbers.knowledge.v1 import upload_pb2 as pb
from onenumbers.knowledge.v1 import upload_pb2_grpc
from onenumbers_gateway.uploads import UPLOAD_SERVICE
from onenumbers_runtime.server import Service
from onenumbers_runtime.testing import running


class Counting(upload_pb2_grpc.KnowledgeUploadServiceServicer):
    """Says what came of a file."""

    async def UploadFile(self, request_iterator, context):
        size, name = 0, ""
        async for request in request_iterator:
            size += len(request.chunk)
            name = request.file.filename or name
        return pb.UploadFileResponse(warnings=[f"{name} has {size} bytes"])


async def test_a_file_goes_to_the_server_that_has_the_service_and_without_one_the_reason_is_told(start_gateway):
    service = Service(
        full_name=UPLOAD_SERVICE,
        add=upload_pb2_grpc.add_KnowledgeUploadServiceServicer_to_server,
        servicer=Counting(),
    )
    async with running([service]) as (server, _), httpx.AsyncClient(timeout=20) as client:
        gateway = await start_gateway({"knowledge": server.port})
        await gateway.until(
            lambda: any(UPLOAD_SERVICE in found.services for found in gateway.running.discovery.current().servers)
        )
        url = f"http://127.0.0.1:{gateway.running.http_port}/v1/knowledge/files"
        answer = await client.post(url, files={"file": ("a.bin", b"x" * 700_000)})
        assert answer.status_code == 200, answer.text
        assert answer.json() == {"documents": [], "warnings": ["a.bin has 700000 bytes"]}
        none = await start_gateway({})
        answer = await client.post(
            f"http://127.0.0.1:{none.running.http_port}/v1/knowledge/files?filename=a", content=b"x"
        )
        assert (answer.status_code, answer.json()["code"]) == (503, 14)
