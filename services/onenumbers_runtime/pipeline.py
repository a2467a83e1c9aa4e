"""What surrounds every call: metrics, context, limits, authentication, validation, errors.

One interceptor instead of six: grpc.aio awaits each one on every call, and the order is part of the contract. From the
outside in: metrics, request id and trace, concurrency limit, authentication, deadline, validation, error conversion.
"""

from __future__ import annotations

import asyncio
import hmac
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Self

import grpc
import structlog
from google.protobuf.message import DecodeError, Message
from google.rpc import status_pb2
from grpc.aio import AioRpcError, ServicerContext

from onenumbers_runtime.calls import AUTHORIZATION, REQUEST_ID, enter_call, read_call
from onenumbers_runtime.errors import (
    DeadlineExceededError,
    InvalidArgumentError,
    MeshError,
    ResourceExhaustedError,
    UnauthenticatedError,
)
from onenumbers_runtime.metrics import MethodMetrics, ServerMetrics
from onenumbers_runtime.status import abort_with, internal_status, status_of_call, to_status
from onenumbers_runtime.validation import RequestValidator

log = structlog.get_logger()

Handler = Any
_CODE_NAMES = {code.value[0]: code.name for code in grpc.StatusCode}

UNREADABLE = object()
"""Stands for a request whose bytes are no message of its type."""
PUBLIC_PREFIXES = ("/grpc.health.",)
"""Methods that need no token: probes have none."""
INFRASTRUCTURE_PREFIXES = ("/grpc.health.", "/grpc.reflection.", "/onenumbers.contract.")
"""Methods that carry no rules, may stay open for ever and do not count against the limit."""


class Pipeline(grpc.aio.ServerInterceptor):
    """Wraps every handler of a server.

    Args:
        metrics: Series of the server.
        max_concurrent: Calls that run at once; infrastructure does not count.
        default_deadline_s: Deadline in seconds of calls that bring none.
        token: Bearer token that calls must carry, or None.
    """

    def __init__(
        self, *, metrics: ServerMetrics, max_concurrent: int, default_deadline_s: float, token: str | None
    ) -> None:
        self._metrics = metrics
        self._validator = RequestValidator()
        self._max_concurrent = max_concurrent
        self._default_deadline_s = default_deadline_s
        self._token = token.encode() if token is not None else None
        self._wrapped: dict[str, tuple[Handler, Handler]] = {}
        self.active = 0
        self.idle = asyncio.Event()
        self.idle.set()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Returns the wrapped handler; wraps each one once."""
        handler = await continuation(details)
        if handler is None:
            return None
        method: str = details.method
        known = self._wrapped.get(method)
        if known is not None and known[0] is handler:
            return known[1]
        wrapped = self._wrap(handler, method)
        # Generic handlers may make a new handler per call; only what stays the same is worth keeping.
        if len(self._wrapped) < 10_000:
            self._wrapped[method] = (handler, wrapped)
        return wrapped

    def _wrap(self, handler: Handler, method: str) -> Handler:
        call = _MethodCall(self, method, self._metrics.method(method))
        options = {
            "request_deserializer": _reader(handler.request_deserializer),
            "response_serializer": handler.response_serializer,
        }
        if not handler.request_streaming and not handler.response_streaming:
            return grpc.unary_unary_rpc_method_handler(call.unary(handler.unary_unary), **options)
        if handler.request_streaming and not handler.response_streaming:
            return grpc.stream_unary_rpc_method_handler(call.unary(handler.stream_unary), **options)
        if not handler.request_streaming:
            return grpc.unary_stream_rpc_method_handler(call.stream(handler.unary_stream), **options)
        return grpc.stream_stream_rpc_method_handler(call.stream(handler.stream_stream), **options)

    def check_message(self, message: object) -> None:
        """Enforces the field rules of a request."""
        if isinstance(message, Message):
            self._validator.check(message)

    def authenticate(self, context: ServicerContext[Any, Any]) -> None:
        """Compares the bearer token in constant time.

        Raises:
            UnauthenticatedError: It is missing or wrong.
        """
        if self._token is None:
            return
        for key, value in context.invocation_metadata() or ():
            if key == AUTHORIZATION and isinstance(value, str):
                scheme, _, token = value.partition(" ")
                if scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), self._token):
                    return
                break
        raise UnauthenticatedError(
            "this mesh asks for a bearer token: send the metadata `authorization: Bearer TOKEN`",
            reason="TOKEN_REQUIRED",
        )

    def enter(self) -> None:
        """Takes one of the places for calls.

        Raises:
            ResourceExhaustedError: All are taken.
        """
        if self.active >= self._max_concurrent:
            raise ResourceExhaustedError(
                f"the server already runs {self._max_concurrent} calls",
                reason="TOO_MANY_CALLS",
                retry_after=1.0,
            )
        self.active += 1
        self.idle.clear()

    def leave(self) -> None:
        """Gives the place back."""
        self.active -= 1
        if not self.active:
            self.idle.set()

    @property
    def default_deadline_s(self) -> float:
        """Deadline in seconds of calls that bring none."""
        return self._default_deadline_s


class _MethodCall:
    """Wraps the behaviour of one method."""

    def __init__(self, pipeline: Pipeline, method: str, metrics: MethodMetrics) -> None:
        self.pipeline = pipeline
        self.method = method
        self.metrics = metrics
        self.public = method.startswith(PUBLIC_PREFIXES)
        self.infrastructure = method.startswith(INFRASTRUCTURE_PREFIXES)

    def unary(self, behaviour: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
        """Wraps a method with one response."""

        async def call(request: Any, context: ServicerContext[Any, Any]) -> Any:
            async with _Guard(self, context) as guard:
                request = guard.checked(request)
                if guard.server_deadline_s is None:
                    # The client brought a deadline: grpc enforces it by cancelling this task.
                    return await behaviour(request, context)
                async with asyncio.timeout(guard.server_deadline_s):
                    return await behaviour(request, context)

        return call

    def stream(self, behaviour: Callable[..., Any]) -> Callable[..., Any]:
        """Wraps a method with a stream of responses, written as a generator or with context.write."""

        async def generate(request: Any, context: ServicerContext[Any, Any]) -> AsyncIterator[Any]:
            async with _Guard(self, context) as guard, asyncio.timeout(guard.server_deadline_s):
                responses = behaviour(guard.checked(request), context)
                try:
                    async for response in responses:
                        yield response
                finally:
                    await responses.aclose()

        async def write(request: Any, context: ServicerContext[Any, Any]) -> None:
            async with _Guard(self, context) as guard, asyncio.timeout(guard.server_deadline_s):
                await behaviour(guard.checked(request), context)

        return generate if inspect.isasyncgenfunction(behaviour) else write


class _Guard:
    """Surrounds one call; turns what it raises into a status."""

    __slots__ = ("_call", "_context", "_entered", "_info", "_started", "server_deadline_s")

    def __init__(self, call: _MethodCall, context: ServicerContext[Any, Any]) -> None:
        self._call = call
        self._context = context
        self._entered = False

    async def __aenter__(self) -> Self:
        call, context = self._call, self._context
        self._started = time.perf_counter()
        call.metrics.started.inc()
        call.metrics.in_flight.inc()
        remaining = context.time_remaining()
        self.server_deadline_s = (
            call.pipeline.default_deadline_s if remaining is None and not call.infrastructure else None
        )
        info = read_call(context.invocation_metadata(), self.server_deadline_s if remaining is None else remaining)
        self._info = info
        enter_call(info)
        structlog.contextvars.bind_contextvars(request_id=info.request_id, trace_id=info.trace_id, method=call.method)
        context.set_trailing_metadata(((REQUEST_ID, info.request_id),))
        try:
            if not call.infrastructure:
                call.pipeline.enter()
                self._entered = True
            if not call.public:
                call.pipeline.authenticate(context)
        except MeshError as error:
            await self._leave(to_status(error))
        return self

    def checked(self, request: Any) -> Any:
        """Returns the request after its rules were enforced; a stream of requests enforces them one by one."""
        if isinstance(request, Message):
            if not self._call.infrastructure:
                self._call.pipeline.check_message(request)
            return request
        if request is UNREADABLE:
            raise _unreadable()
        return request if isinstance(request, bytes) else self._checked_stream(request)

    async def _checked_stream(self, requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for request in requests:
            if request is UNREADABLE:
                raise _unreadable()
            if not self._call.infrastructure:
                self._call.pipeline.check_message(request)
            yield request

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if error is None:
            self._finish(_CODE_NAMES.get(_set_code(self._context), "OK"))
            return False
        if isinstance(error, asyncio.CancelledError):
            self._finish("CANCELLED")
            return False
        if isinstance(error, GeneratorExit):
            self._finish("CANCELLED")
            return False
        if isinstance(error, grpc.aio.AbortError):
            self._finish(_CODE_NAMES.get(_set_code(self._context), "UNKNOWN"))
            return False
        await self._leave(self._status(error))
        return True

    def _status(self, error: BaseException) -> status_pb2.Status:
        if isinstance(error, MeshError):
            return to_status(error)
        if isinstance(error, AioRpcError):
            return status_of_call(error)
        if isinstance(error, TimeoutError) and self.server_deadline_s is not None:
            return to_status(
                DeadlineExceededError(
                    f"the call took longer than the {self.server_deadline_s:g} s that calls without a deadline get",
                    reason="DEFAULT_DEADLINE_EXCEEDED",
                )
            )
        log.error("call_failed", error=type(error).__name__, exc_info=error)
        return internal_status(self._info.request_id)

    async def _leave(self, status: status_pb2.Status) -> None:
        code = _CODE_NAMES.get(status.code, "UNKNOWN")
        self._finish(code)
        log.info("call_refused" if code != "INTERNAL" else "call_crashed", code=code, reason=status.message)
        await abort_with(self._context, status)

    def _finish(self, code: str) -> None:
        metrics = self._call.metrics
        metrics.in_flight.dec()
        metrics.handled(code)
        metrics.seconds.observe(time.perf_counter() - self._started)
        if self._entered:
            self._call.pipeline.leave()
            self._entered = False


def _reader(deserializer: Callable[[bytes], Any] | None) -> Callable[[bytes], Any] | None:
    """Returns a deserializer that lets the pipeline answer what it cannot read.

    grpcio itself answers UNKNOWN with the exception's text, though the mistake is the caller's.
    """
    if deserializer is None:
        return None

    def read(data: bytes) -> Any:
        try:
            return deserializer(data)
        except DecodeError:
            return UNREADABLE

    return read


def _unreadable() -> InvalidArgumentError:
    return InvalidArgumentError(
        "the request is not a message of the method's type: its bytes are damaged, or a text in it is not UTF-8",
        reason="UNREADABLE_MESSAGE",
    )


def _set_code(context: ServicerContext[Any, Any]) -> int:
    """Returns the number of the status code that a servicer set on its context, or 0."""
    code = context.code()
    return code.value[0] if isinstance(code, grpc.StatusCode) else int(code or 0)
