"""Files over HTTP, through a real Envoy and the gateway's HTTP server, streamed to a real knowledge server."""

import asyncio
import contextlib
import importlib.util
import os
import random
import shutil
from pathlib import Path

import grpc
import httpx
import pytest
from reportlab.pdfgen.canvas import Canvas

from onenumbers.knowledge.v1 import upload_pb2 as pb
from onenumbers.knowledge.v1 import upload_pb2_grpc
from onenumbers_documents.model import Limits
from onenumbers_gateway.catalog import Catalog
from onenumbers_gateway.http import HttpApp, serving_http
from onenumbers_gateway.mcp.server import McpFace
from onenumbers_gateway.site import Site
from onenumbers_gateway.uploads.receiver import FileUploads
from onenumbers_gateway.uploads.routes import DOCUMENTS
from onenumbers_knowledge.ingestion.upload import Uploader
from onenumbers_knowledge.ingestion.upload_service import UploadServicer, upload_service
from onenumbers_runtime.settings import MeshSettings
from onenumbers_runtime.testing import running

SITE = Site(Catalog, version="1", authenticated=False)
_SPEC = importlib.util.spec_from_file_location("edge_fixtures", Path(__file__).parents[1] / "edge" / "conftest.py")
_EDGE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_EDGE)

LIMIT = 32 * 1024 * 1024
FILES = "/v1/knowledge/files"
TOKEN = "a-token-of-the-mesh"
FORM = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n%b\r\n--b--\r\n'


@contextlib.asynccontextmanager
async def mesh(collection, folder: Path, *, token: str | None = None, idle_s: float = 20.0):
    """Yields the address of the edge and the uploader behind it."""
    settings = MeshSettings.load(auth_token=token, grace_period_s=2.0)
    async with contextlib.AsyncExitStack() as stack:
        uploader = await stack.enter_async_context(Uploader(collection, limits=Limits(max_bytes=LIMIT)))
        services = [upload_service(UploadServicer(uploader))]
        _, channel = await stack.enter_async_context(running(services, settings=settings))
        uploads = FileUploads(DOCUMENTS, lambda: channel, token=token, max_bytes=LIMIT, timeout_s=120, idle_s=idle_s)
        address = await stack.enter_async_context(_EDGE.edge_of_uploads({FILES: uploads}, folder=folder, token=token))
        yield address, uploader


@pytest.fixture
async def files(collection, tmp_path_factory):
    async with (
        mesh(collection, tmp_path_factory.mktemp("edge")) as (address, uploader),
        httpx.AsyncClient(base_url=f"http://{address}", timeout=100) as client,
    ):
        client.uploader = uploader
        yield client


async def count(collection) -> int:
    return (await collection.counts()).documents


def reason(answer: httpx.Response) -> str:
    """The reason of a google.rpc.Status in JSON."""
    return next(item["reason"] for item in answer.json()["details"] if item["@type"].endswith("ErrorInfo"))


def heavy_pdf(path: Path, megabytes: int) -> bytes:
    """A PDF with one line of text and a picture of noise that nothing compresses."""
    from PIL import Image

    side = int((megabytes * 1024 * 1024 / 3) ** 0.5)
    picture = path / "noise.png"
    Image.frombytes("RGB", (side, side), random.Random(1).randbytes(side * side * 3)).save(picture, compress_level=0)
    made = path / "heavy.pdf"
    canvas = Canvas(str(made), pageCompression=0)
    canvas.drawString(50, 800, "Okapis count to seven in the forest.")
    canvas.drawImage(str(picture), 50, 50, 400, 400)
    canvas.save()
    return made.read_bytes()


async def test_a_pdf_of_20_megabytes_is_searchable_as_a_form_and_as_a_body(files, collection, tmp_path):
    data = heavy_pdf(tmp_path, 20)
    assert 20_000_000 < len(data) < LIMIT
    sent = await files.post(FILES, files={"file": ("okapi.pdf", data, "application/pdf")}, data={"category": "cycles"})
    assert sent.status_code == 200, sent.text
    (item,) = sent.json()["documents"]
    assert item["outcome"] == "INGEST_OUTCOME_CREATED"
    assert item["document"]["category"] == "cycles"
    found = await collection.search("okapis in the forest", count=1)
    assert found.hits[0].passage.document_id == item["document"]["document_id"]
    again = await files.post(FILES, params={"filename": "okapi.pdf", "category": "cycles"}, content=data)
    assert again.status_code == 200, again.text
    assert [item["outcome"] for item in again.json()["documents"]] == ["INGEST_OUTCOME_UNCHANGED"]


async def test_fields_stand_in_the_query_or_in_the_form_before_or_behind_the_file(files):
    body = (
        b'--b\r\nContent-Disposition: form-data; name="source"\r\n\r\nclassical\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="../../etc/\xc8\x9bar\xc4\x83.md"\r\n\r\n'
        b"# Zebu\n\nZebus.\r\n"
        b'--b\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{"shelf": 7}\r\n--b--\r\n'
    )
    answer = await files.post(
        FILES, params={"document_id": "zebu"}, content=body, headers={"content-type": "multipart/form-data; boundary=b"}
    )
    assert answer.status_code == 200, answer.text
    document = answer.json()["documents"][0]["document"]
    assert (document["document_id"], document["source"]) == ("zebu", "classical")
    assert document["metadata"]["shelf"] == 7
    assert document["metadata"]["file"] == "țară.md", "folders of a name are left out"


WRONG = [
    ("", {}, b"Words.", "filename"),
    ("?filename=a.txt&category=gossip", {}, b"Words.", "category"),
    ("?filename=a.txt&colour=red", {}, b"Words.", "colour"),
    ("?filename=a.txt&filename=b.txt", {}, b"Words.", "filename"),
    ("?filename=a.txt&metadata=[1]", {}, b"Words.", "metadata"),
    ("?filename=a.txt&document_id=No", {}, b"Words.", "document_id"),
    ("?filename=" + "a" * 256, {}, b"Words.", "filename"),
    ("?filename=a.txt", {}, b"", "chunk"),
    ("?filename=a.txt", {}, b"bin\x00ary", "content"),
    ("?filename=a.pdf", {}, b"%PDF-1.4 nothing", "content"),
    ("?filename=a.txt", {"content-encoding": "gzip"}, b"Words.", "content-encoding"),
    ("", {"content-type": "multipart/form-data"}, b"", "content-type"),
    ("", {"content-type": "multipart/form-data; boundary=b"}, b"nonsense", "body"),
    ("", {"content-type": "multipart/form-data; boundary=b"}, (FORM % b"x")[:-6], "body"),
    ("", {"content-type": "multipart/form-data; boundary=b"}, b"--b--\r\n", "file"),
]
"""Query, headers and body of requests, with the field that their refusal names."""


async def test_wrong_requests_name_the_field_and_leave_nothing(files, collection):
    # One after another and not one by parameter: each start of an Envoy takes seconds.
    for query, headers, body, told in WRONG:
        answer = await files.post(FILES + query, content=body, headers=headers)
        assert answer.status_code == 400, (query, answer.text)
        status = answer.json()
        assert status["code"] == 3
        violations = next(item["fieldViolations"] for item in status["details"] if item["@type"].endswith("BadRequest"))
        assert any(told in item["field"] for item in violations), (query, status)
    assert await count(collection) == 0
    right = {"content-type": "multipart/form-data; boundary=b"}
    answer = await files.post(f"{FILES}?filename=c.txt", content=FORM % b"x", headers=right)
    assert answer.json()["documents"][0]["document"]["title"] == "c", "the query's name counts"


async def test_what_is_too_large_is_refused_before_it_is_read_and_while_it_is_counted(files, collection):
    host, port = files.base_url.host, files.base_url.port
    reader, writer = await asyncio.open_connection(host, port)
    head = f"POST {FILES}?filename=a.txt HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 100000000\r\n\r\n"
    writer.write(head.encode())
    assert b" 413 " in await reader.readline(), "nothing of the body was sent"
    writer.close()

    async def endless():
        for _ in range(LIMIT // 65536 + 2):
            yield b"word " * 13108

    with contextlib.suppress(httpx.WriteError, httpx.ReadError):
        answer = await files.post(FILES, params={"filename": "a.txt"}, content=endless())
        assert answer.status_code == 413, answer.text
        assert reason(answer) == "FILE_TOO_LARGE"
    assert await count(collection) == 0
    await _until(lambda: not files.uploader.arrivals.count)


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on the PATH")
async def test_curl_is_told_that_a_file_is_too_large_while_it_is_still_sending(files, collection, tmp_path):
    """An answer on a connection that is closed with bytes unread is lost now and then: it was a 503."""
    big = tmp_path / "big.bin"
    with big.open("wb") as file:
        file.truncate(100_000_000)
    ways = (
        ("-F", f"file=@{big}", f"{files.base_url}{FILES}"),
        ("--data-binary", f"@{big}", f"{files.base_url}{FILES}?filename=a.txt"),
        ("-H", "Transfer-Encoding: chunked", "--data-binary", f"@{big}", f"{files.base_url}{FILES}?filename=a.txt"),
    )

    async def status(words: tuple[str, ...]) -> str:
        curl = await asyncio.create_subprocess_exec(
            *("curl", "-s", "-o", os.devnull, "-w", "%{http_code}", *words), stdout=asyncio.subprocess.PIPE
        )
        return (await curl.communicate())[0].decode()

    assert [await status(words) for _ in range(12) for words in ways] == ["413"] * 36
    assert await count(collection) == 0


async def test_an_upload_that_is_left_leaves_nothing(files, collection):
    arrived = asyncio.Event()

    async def slow():
        yield b"word " * 200_000
        arrived.set()
        await asyncio.Event().wait()

    sending = asyncio.ensure_future(files.post(FILES, params={"filename": "a.txt"}, content=slow()))
    await arrived.wait()
    await _until(lambda: files.uploader.arrivals.count == 1)
    sending.cancel()
    await _until(lambda: files.uploader.arrivals.count == 0)
    assert await count(collection) == 0
    assert not files.uploader._waiting


async def test_a_client_that_falls_silent_is_given_up(collection, tmp_path_factory):
    async with mesh(collection, tmp_path_factory.mktemp("edge"), idle_s=0.3) as (address, uploader):
        host, port = address.rsplit(":", 1)
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"POST {FILES}?filename=a.txt HTTP/1.1\r\nHost: {address}\r\nContent-Length: 100\r\n\r\nWords"
        writer.write(head.encode())
        answer = (await asyncio.wait_for(reader.read(65536), 20)).decode()
        assert " 504 " in answer.splitlines()[0]
        assert "UPLOAD_IDLE" in answer
        writer.close()
        await _until(lambda: not uploader.arrivals.count)
    assert await count(collection) == 0


async def test_where_a_token_is_set_a_file_needs_it(collection, tmp_path_factory):
    async with (
        mesh(collection, tmp_path_factory.mktemp("edge"), token=TOKEN) as (address, _),
        httpx.AsyncClient(base_url=f"http://{address}") as client,
    ):
        for headers in ({}, {"authorization": "Bearer wrong"}):
            answer = await client.post(FILES, params={"filename": "a.txt"}, content=b"Words.", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, 16)
        assert await count(collection) == 0
        right = {"authorization": f"Bearer {TOKEN}"}
        answer = await client.post(FILES, params={"filename": "a.txt"}, content=b"Words.", headers=right)
        assert answer.status_code == 200, answer.text


async def test_pages_of_other_hosts_may_not_send_files(files):
    answer = await files.post(FILES, params={"filename": "a.txt"}, content=b"x", headers={"origin": "http://evil.com"})
    assert (answer.status_code, answer.json()["code"]) == (403, 7)
    answer = await files.get(FILES)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_a_server_that_is_gone_is_unavailable_and_its_reason_is_told(collection):
    face = McpFace(_EDGE.NoTools(), version="1", call_timeout_s=10)
    uploads = FileUploads(DOCUMENTS, lambda: None, token=None, max_bytes=LIMIT, timeout_s=10, idle_s=10)
    app = HttpApp(face, SITE, {FILES: uploads}, token=None, max_body_bytes=1 << 20, public=False)
    async with serving_http(app, host="127.0.0.1", port=0, grace_s=1) as port, httpx.AsyncClient() as client:
        answer = await client.post(f"http://127.0.0.1:{port}{FILES}?filename=a.txt", content=b"Words.")
    assert (answer.status_code, reason(answer)) == (503, "SERVER_UNAVAILABLE")


async def test_pieces_over_grpc_have_the_same_rules(collection):
    async with (
        Uploader(collection, limits=Limits(max_bytes=10_000)) as uploader,
        running([upload_service(UploadServicer(uploader))]) as (_, channel),
    ):
        stub = upload_pb2_grpc.KnowledgeUploadServiceStub(channel)
        file = pb.UploadFileRequest(file=pb.UploadedFile(filename="a.txt"))
        word = pb.UploadFileRequest(chunk=b"Words. ")

        async def refused(*requests) -> str:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.UploadFile(iter(requests))
            return f"{caught.value.code().name} {caught.value.details()}"

        assert "file: is missing" in await refused(word)
        assert "file: came twice" in await refused(file, word, file)
        assert "chunk: is missing" in await refused(file)
        assert "part" in await refused(file, pb.UploadFileRequest())
        assert (await refused(file, pb.UploadFileRequest(chunk=b"x" * 10_001))).startswith("RESOURCE_EXHAUSTED")
        assert await count(collection) == 0
        assert not uploader.arrivals.count
        answer = await stub.UploadFile(iter([word, word, file]))
    assert [item.document.title for item in answer.documents] == ["a"]


async def _until(condition) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.01)
