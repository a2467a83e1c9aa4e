"""Files over HTTP: the body of a request is handed to a server in pieces, as fast as that takes them.

A form (`curl -F file=@book.pdf`) or the file alone (`curl --data-binary @book.pdf`); what describes it stands in the
form's other parts or in the query. The gateway never holds more than a piece.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

import grpc
import structlog
from google.protobuf import json_format
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import status_pb2

from onenumbers_gateway.mcp.shortcut import Receive, Scope, Send
from onenumbers_gateway.uploads.description import DescriptionReader
from onenumbers_gateway.uploads.form import FormReader, boundary_of
from onenumbers_gateway.uploads.routes import UploadRoute
from onenumbers_runtime.calls import current_call, enter_call, outgoing_metadata, read_call
from onenumbers_runtime.errors import (
    DeadlineExceededError,
    MeshError,
    ResourceExhaustedError,
    UnavailableError,
    invalid,
)
from onenumbers_runtime.status import internal_status, status_of_call, to_status

log = structlog.get_logger()

PIECE = 256 * 1024
"""Bytes of the file in one message at most."""
_FORM_ROOM = 128 * 1024
"""Bytes that a form may have beside the file."""
_TOO_LARGE = "FILE_TOO_LARGE"
"""Reason of a refusal whose HTTP status is 413 and not that of its code."""
_LOST = "Internal error from Core"
_HTTP = {1: 499, 3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429, 9: 400, 10: 409, 11: 400, 12: 501, 14: 503, 16: 401}
"""HTTP status by google.rpc.Code; 500 for all others. The edge's transcoder has the same."""


class _ClientGoneError(Exception):
    """Nobody waits for the answer any more."""


class FileUploads:
    """Takes the files of one path, as an ASGI application: one request, one file.

    Args:
        route: The path.
        channel: Returns a channel to a server that takes its files, or None.
        token: Bearer token that the server asks for, or None.
        max_bytes: Size of a file at most; less where the contract says so.
        timeout_s: Longest time until the answer.
        idle_s: Longest silence of a client that is sending, and longest time that the server takes nothing of it.
    """

    def __init__(
        self,
        route: UploadRoute,
        channel: Callable[[], grpc.aio.Channel | None],
        *,
        token: str | None,
        max_bytes: int,
        timeout_s: float,
        idle_s: float,
    ) -> None:
        self._route, self._channel, self._token = route, channel, token
        self._request = GetMessageClass(route.method.input_type)
        self._description = DescriptionReader(route)
        self._max_bytes = min(max_bytes, route.max_bytes or max_bytes)
        self._timeout_s, self._idle_s = timeout_s, idle_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request."""
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        enter_call(read_call([(name.decode("latin-1"), value) for name, value in headers.items()], self._timeout_s))
        try:
            answer = await self._upload(scope, headers, receive)
        except _ClientGoneError:
            return
        except MeshError as error:
            await _refuse(send, to_status(error))
        except grpc.aio.AioRpcError as error:
            await _refuse(send, status_of_call(error))
        except Exception:
            log.exception("upload_failed")
            info = current_call()
            await _refuse(send, internal_status(info.request_id if info is not None else ""))
        else:
            body = json_format.MessageToJson(
                answer, preserving_proto_field_name=True, always_print_fields_with_no_presence=True, indent=None
            )
            await _answer(send, 200, body.encode())

    async def _upload(self, scope: Scope, headers: Mapping[bytes, str], receive: Receive) -> Any:
        boundary = boundary_of(headers.get(b"content-type", ""))
        described = self._description.query(scope["query_string"])
        self._check_length(headers, form=boundary is not None)
        if headers.get(b"content-encoding", "identity") != "identity":
            raise invalid("content-encoding", "is not taken: send the file as it is", rule="upload.encoding")
        channel = self._channel()
        if channel is None:
            raise UnavailableError(
                "no server that takes files serves now", reason="SERVER_UNAVAILABLE", retry_after=1.0
            )
        call = channel.stream_unary(
            f"/{self._route.service}/{self._route.method.name}",
            request_serializer=self._request.SerializeToString,
            response_deserializer=GetMessageClass(self._route.method.output_type).FromString,
        )(timeout=self._timeout_s, metadata=outgoing_metadata(self._token))
        try:
            async with aclosing(self._body(receive)) as body:
                if boundary is None:
                    await self._raw(call, described, headers, body)
                else:
                    await self._form(call, described, FormReader(boundary), body)
            async with self._within(self._route.answer_s, "had the whole file and did not answer", "UPLOAD_UNANSWERED"):
                response = await _answered(call, receive)
            return getattr(response, self._route.answer) if self._route.answer else response
        finally:
            # An upload that did not come to its end leaves nothing at the server.
            call.cancel()

    def _check_length(self, headers: Mapping[bytes, str], *, form: bool) -> None:
        """Refuses what is too large before it is read."""
        length = headers.get(b"content-length", "")
        if length.isdigit() and int(length) > self._max_bytes + (_FORM_ROOM if form else 0):
            raise self._too_large()

    async def _raw(
        self, call: Any, described: Mapping[str, str], headers: Mapping[bytes, str], body: AsyncIterator[bytes]
    ) -> None:
        """Sends a body that is the file."""
        media_type = headers.get(b"content-type", "")
        # What curl says where nobody said anything.
        if media_type == "application/x-www-form-urlencoded":
            media_type = ""
        told = {**self._description.own({"content_type": media_type}), **described}
        await self._describe(call, told)
        await self._send(call, body)

    async def _form(
        self, call: Any, described: Mapping[str, str], form: FormReader, body: AsyncIterator[bytes]
    ) -> None:
        """Sends the file of a form, and then what the form says of it."""

        async def pieces() -> AsyncGenerator[bytes, None]:
            read = 0
            async for data in body:
                read += len(data)
                if read > self._max_bytes + _FORM_ROOM:
                    raise self._too_large()
                if piece := form.feed(data):
                    yield piece
            form.finish()

        async with aclosing(pieces()) as found:
            await self._send(call, found)
        own = self._description.own({"filename": form.filename, "content_type": form.media_type})
        await self._describe(call, {**own, **self._description.together(described, form.fields)})

    async def _describe(self, call: Any, told: Mapping[str, str]) -> None:
        await self._write(call, self._request(**{self._route.part.name: self._description.message(told)}))

    async def _send(self, call: Any, pieces: AsyncIterator[bytes]) -> None:
        size = 0
        async for piece in pieces:
            size += len(piece)
            if size > self._max_bytes:
                raise self._too_large()
            for start in range(0, len(piece), PIECE):
                await self._write(call, self._request(chunk=piece[start : start + PIECE]))

    async def _write(self, call: Any, request: Message) -> None:
        async with self._within(self._idle_s, "took nothing of the file", "UPLOAD_STALLED"):
            await _write(call, request)

    @asynccontextmanager
    async def _within(self, seconds: float | None, what: str, reason: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            raise DeadlineExceededError(
                f"the server {what} for {seconds:g} s: the upload was given up", reason=reason
            ) from None

    async def _body(self, receive: Receive) -> AsyncGenerator[bytes, None]:
        """Yields the body as it comes."""
        more = True
        while more:
            try:
                async with asyncio.timeout(self._idle_s):
                    message = await receive()
            except TimeoutError:
                raise DeadlineExceededError(
                    f"nothing of the file came for {self._idle_s:g} s: the upload was given up", reason="UPLOAD_IDLE"
                ) from None
            if message["type"] == "http.disconnect":
                raise _ClientGoneError
            if message.get("body"):
                yield message["body"]
            more = message.get("more_body", False)

    def _too_large(self) -> ResourceExhaustedError:
        return ResourceExhaustedError(
            f"the file is larger than the {self._max_bytes} bytes that an upload may have",
            reason=_TOO_LARGE,
            metadata={"limit_bytes": str(self._max_bytes)},
        )


async def _write(call: Any, request: Message) -> None:
    """Sends a message.

    Raises:
        grpc.aio.AioRpcError: The server has answered before the end; what it says is the answer.
        UnavailableError: It has, and what it said is lost.
    """
    try:
        await call.write(request)
    except (asyncio.InvalidStateError, grpc.aio.AioRpcError):
        # grpcio puts an error of its own in the place of the server's where a message could not be sent any more.
        try:
            await call
        except grpc.aio.AioRpcError as error:
            if error.details() != _LOST:
                raise
        raise UnavailableError(
            "the server ended the upload before the file was complete: try again",
            reason="UPLOAD_CUT_OFF",
            retry_after=1.0,
        ) from None


async def _answered(call: Any, receive: Receive) -> Any:
    """Returns what became of the file; nothing more is done for a client that goes away."""
    await call.done_writing()
    answered = asyncio.ensure_future(_awaited(call))
    gone = asyncio.ensure_future(receive())
    try:
        await asyncio.wait({answered, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not answered.done():
            raise _ClientGoneError
        return answered.result()
    finally:
        answered.cancel()
        gone.cancel()
        await asyncio.gather(answered, gone, return_exceptions=True)


async def _awaited(call: Any) -> Any:
    return await call


async def _refuse(send: Send, status: status_pb2.Status) -> None:
    try:
        said = json_format.MessageToDict(status)
    except (TypeError, json_format.ParseError):
        # A detail of a type that this gateway does not know.
        said = {"code": status.code, "message": status.message, "details": []}
    too_large = any(detail.get("reason") == _TOO_LARGE for detail in said.get("details", ()))
    # The connection is left open: closed with bytes unread it would be reset, and the answer lost with it. The edge
    # ends a request that is answered before it is sent; what still comes is thrown away as it comes.
    await _answer(send, 413 if too_large else _HTTP.get(status.code, 500), json.dumps(said).encode())


async def _answer(send: Send, http_status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": http_status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
