"""Watches one instance of a server: its health as it says itself, and its contract by reflection."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from datetime import UTC, datetime

import grpc
import structlog
from grpc_health.v1 import health_pb2

from onenumbers.contract.v1 import contract_pb2
from onenumbers_gateway.model import Endpoint, ServerStatus
from onenumbers_gateway.reflection_client import ReflectedContract, ReflectionError, describe, reflect
from onenumbers_gateway.settings import GatewaySettings
from onenumbers_runtime.calls import AUTHORIZATION
from onenumbers_runtime.channel import open_channel

log = structlog.get_logger()

_FIRST_RETRY_S = 0.05
_LONGEST_RETRY_S = 0.5
"""A server that comes back is seen within a second, and an attempt on loopback costs next to nothing."""
_POLL_WITHOUT_WATCH_S = 5.0
_CHECK = "/grpc.health.v1.Health/Check"
_WATCH = "/grpc.health.v1.Health/Watch"
_WATCH_CONTRACT = "/onenumbers.contract.v1.ContractService/WatchContract"
_SERVING = health_pb2.HealthCheckResponse.SERVING


class _LostError(Exception):
    """The instance does not answer any more; the message is one line."""


class Instance:
    """One instance, looked after by a task of its own until `close`.

    Args:
        server: Name of the server, for logs.
        host: Address to connect to.
        port: Port to connect to.
        settings: Times and limits.
        on_change: Called after every change of status or contract.
    """

    def __init__(
        self, *, server: str, host: str, port: int, settings: GatewaySettings, on_change: Callable[[], None]
    ) -> None:
        self._server = server
        self._settings = settings
        self._on_change = on_change
        self.host = host
        self.port = port
        self.status = ServerStatus.UNKNOWN
        self.reason = "not reached yet"
        self.response_time_ms: float | None = None
        self.last_check: datetime | None = None
        self.contract: ReflectedContract | None = None
        self.contract_time = 0.0
        """Moment of `time.monotonic()` at which the contract last changed."""
        self.contract_error = ""
        """Why the contract could not be read; empty otherwise."""
        self.tried = asyncio.Event()
        """Set once the first attempt to reach it has ended, one way or the other."""
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        # Retries are decided per method by the one who calls, who knows what may be repeated.
        self.channel = open_channel(address, settings, retry=False)
        self._metadata = ((AUTHORIZATION, f"Bearer {settings.token}"),) if settings.token is not None else ()
        self._reading = asyncio.Lock()
        self._refresh = asyncio.Event()
        self._refreshed: list[asyncio.Future[str]] = []
        self._task = asyncio.create_task(self._run(), name=f"instance-{server}-{port}")

    @property
    def endpoint(self) -> Endpoint:
        """The instance as the edge sees it."""
        return Endpoint(host=self.host, port=self.port, healthy=self.status is ServerStatus.SERVING)

    async def refresh(self) -> str:
        """Reads health and contract anew; returns why that failed, or an empty string."""
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._refreshed.append(future)
        self._refresh.set()
        return await future

    async def close(self) -> None:
        """Ends the watch and the channel."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._answer_refresh("the server was removed")
        await self.channel.close()

    async def _run(self) -> None:
        delay = _FIRST_RETRY_S
        while True:
            try:
                await self._connected()
            except _LostError as error:
                if self.status is ServerStatus.SERVING or self.status is ServerStatus.NOT_SERVING:
                    delay = _FIRST_RETRY_S
                self._set(ServerStatus.UNREACHABLE, str(error))
                self._answer_refresh(str(error))
            except Exception:
                log.exception("instance_watch_failed", server=self._server, port=self.port)
                self._set(ServerStatus.UNREACHABLE, "the gateway could not look at it: see its log")
                self._answer_refresh(self.reason)
            self.tried.set()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._refresh.wait(), delay)
            delay = min(delay * 2, _LONGEST_RETRY_S)

    async def _connected(self) -> None:
        """Reaches the instance, then follows it; returns only by raising _LostError."""
        has_health, status, reason = await self._check()
        # The contract first: a server that is listed as serving is listed with the tools that it has now.
        await self._read_contract()
        self._set(status, reason)
        self.tried.set()
        self._answer_refresh("")
        tasks = [
            asyncio.create_task(self._keep_checking(has_health=has_health)),
            asyncio.create_task(self._watch_contract()),
        ]
        if has_health:
            tasks.append(asyncio.create_task(self._watch()))
        else:
            tasks.append(asyncio.create_task(self._watch_connection()))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _check(self) -> tuple[bool, ServerStatus, str]:
        """Asks once.

        Returns whether there is a health service, the status, and the reason for it; an instance without health
        service counts as serving while it answers.
        """
        started = time.perf_counter()
        call = self.channel.unary_unary(
            _CHECK,
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            answer = await call(health_pb2.HealthCheckRequest(), timeout=self._settings.health_timeout_s)
        except grpc.aio.AioRpcError as error:
            self.last_check = datetime.now(UTC)
            if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                self.response_time_ms = (time.perf_counter() - started) * 1000
                return False, ServerStatus.SERVING, ""
            if error.code() is grpc.StatusCode.NOT_FOUND:
                self.response_time_ms = (time.perf_counter() - started) * 1000
                return True, ServerStatus.NOT_SERVING, "its health service does not know the server as a whole"
            raise _LostError(describe(error)) from error
        self.response_time_ms = (time.perf_counter() - started) * 1000
        self.last_check = datetime.now(UTC)
        return True, *_said(answer.status)

    async def _watch(self) -> None:
        call = self.channel.unary_stream(
            _WATCH,
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )(health_pb2.HealthCheckRequest())
        try:
            async for answer in call:
                status, reason = _said(answer.status)
                # A server that becomes ready may have been redeployed behind the same connection (a proxy).
                if self.status is not ServerStatus.SERVING and status is ServerStatus.SERVING:
                    await self._read_contract()
                self._set(status, reason)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                await self._watch_connection()
            raise _LostError(describe(error)) from error
        raise _LostError("it closed the connection")

    async def _watch_contract(self) -> None:
        """Reads the contract again whenever the server says that it changed; most servers never do.

        Whether the server is there is not this watch's to tell: it only ends with the connection.
        """
        while True:
            call = self.channel.unary_stream(
                _WATCH_CONTRACT,
                request_serializer=contract_pb2.WatchContractRequest.SerializeToString,
                response_deserializer=contract_pb2.WatchContractResponse.FromString,
            )(contract_pb2.WatchContractRequest(), metadata=self._metadata)
            try:
                async for _ in call:
                    await self._read_contract()
            except grpc.aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                    await asyncio.Event().wait()
            await asyncio.sleep(_LONGEST_RETRY_S)

    async def _watch_connection(self) -> None:
        """Notices a lost connection of an instance that has no health to watch."""
        state = self.channel.get_state(try_to_connect=True)
        while state is not grpc.ChannelConnectivity.TRANSIENT_FAILURE:
            await self.channel.wait_for_state_change(state)
            before, state = state, self.channel.get_state(try_to_connect=True)
            if before is grpc.ChannelConnectivity.READY and state is not grpc.ChannelConnectivity.READY:
                break
        raise _LostError("connection lost")

    async def _keep_checking(self, *, has_health: bool) -> None:
        """Checks health and reads the contract again at their intervals, or at once when asked to."""
        settings = self._settings
        check_every = settings.health_check_interval_s
        if not has_health:
            check_every = min(check_every, _POLL_WITHOUT_WATCH_S)
        next_check = time.monotonic() + check_every
        next_contract = time.monotonic() + settings.reflection_interval_s
        misses = 0
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(
                    self._refresh.wait(), max(0.0, min(next_check, next_contract) - time.monotonic())
                )
            asked = self._refresh.is_set()
            self._refresh.clear()
            now = time.monotonic()
            if asked or now >= next_check:
                next_check = now + check_every
                try:
                    self._set(*(await self._check())[1:])
                    misses = 0
                except _LostError:
                    misses += 1
                    # One slow answer is no outage; one that stays away is. A lost connection is the watch's to see.
                    if misses > 1 or asked:
                        raise
                    next_check = time.monotonic() + 1.0
            if asked or now >= next_contract:
                next_contract = now + settings.reflection_interval_s
                await self._read_contract()
                self._answer_refresh(self.contract_error)

    async def _read_contract(self) -> None:
        """Reads the contract; a failure keeps the last one and is remembered."""
        # One at a time: an older answer must not replace a newer one.
        async with self._reading:
            try:
                contract = await reflect(
                    self.channel, timeout_s=self._settings.health_timeout_s, metadata=self._metadata
                )
            except ReflectionError as error:
                if self.contract_error != str(error):
                    self.contract_error = str(error)
                    log.warning("reflection_failed", server=self._server, port=self.port, reason=self.contract_error)
                    self._on_change()
                return
            changed = self.contract_error or self.contract != contract
            self.contract_error = ""
            if changed:
                self.contract, self.contract_time = contract, time.monotonic()
                log.info("contract_read", server=self._server, port=self.port, services=list(contract.services))
                self._on_change()

    def _answer_refresh(self, reason: str) -> None:
        self._refresh.clear()
        waiting, self._refreshed = self._refreshed, []
        for future in waiting:
            if not future.done():
                future.set_result(reason)

    def _set(self, status: ServerStatus, reason: str) -> None:
        if (status, reason) == (self.status, self.reason):
            return
        self.status, self.reason = status, reason
        log.info("instance_status", server=self._server, port=self.port, status=status.value, reason=reason or None)
        self._on_change()


def _said(status: int) -> tuple[ServerStatus, str]:
    if status == _SERVING:
        return ServerStatus.SERVING, ""
    name = health_pb2.HealthCheckResponse.ServingStatus.Name(status)
    return ServerStatus.NOT_SERVING, f"it reports {name}: starting, draining or broken"
