"""Helpers of the test suites: real servers on free ports."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc

from onenumbers_runtime.server import GrpcServer, Service
from onenumbers_runtime.settings import MeshSettings


@asynccontextmanager
async def running(
    services: Sequence[Service], *, settings: MeshSettings | None = None, serving: bool = True, **options: Any
) -> AsyncIterator[tuple[GrpcServer, grpc.aio.Channel]]:
    """Yields a server on a free port of loopback, and a channel to it."""
    settings = settings if settings is not None else MeshSettings.load(grace_period_s=2.0)
    async with GrpcServer(name="test", settings=settings, services=services, port=0, **options) as server:
        if serving:
            await server.set_serving(True)
        async with grpc.aio.insecure_channel(server.address) as channel:
            yield server, channel
