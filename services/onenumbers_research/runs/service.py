"""The servicer of DiscoveryService, and everything that runs behind it."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import random
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import grpc
import structlog

from onenumbers.research.v1 import discovery_pb2 as pb
from onenumbers.research.v1 import discovery_pb2_grpc
from onenumbers_research.analysis.patterns import read_context
from onenumbers_research.discovery.clients import KnowledgeBase, UtilityRegistry
from onenumbers_research.discovery.drafting import Slot
from onenumbers_research.discovery.patient_client import PATIENCE
from onenumbers_research.discovery.run import Discovery
from onenumbers_research.runs.convert import event_message, run_message
from onenumbers_research.runs.number_research import NumberResearch
from onenumbers_research.runs.running import MAX_QUEUED, MAX_RUNNING, Runs
from onenumbers_research.runs.scheduler import DISCOVERY, DiscoveryScheduler
from onenumbers_research.runs.store import RunStoreError, open_run_store
from onenumbers_research.utilities_client import UtilitiesClient
from onenumbers_runtime.errors import UnavailableError, invalid
from onenumbers_runtime.server import Service

log = structlog.get_logger()

DISCOVERY_SERVICE: Final = pb.DESCRIPTOR.services_by_name["DiscoveryService"].full_name
_PAGE: Final = 20
_LARGEST_PAGE: Final = 100
_NUMBER: Final = "number"


class DiscoveryServicer(discovery_pb2_grpc.DiscoveryServiceServicer):
    """Serves research runs.

    Args:
        runs: The runs, or why there are none here.
    """

    def __init__(self, runs: Runs | str) -> None:
        self._all = runs

    async def DiscoverNewUtilities(
        self,
        request: pb.DiscoverNewUtilitiesRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.DiscoverNewUtilitiesResponse:
        """Starts a discovery."""
        depth = request.search_depth or "medium"
        subject = f"Discovery of utilities: {request.category}, {depth}"
        run = await self._runs.start(DISCOVERY, {"category": request.category, "search_depth": depth}, subject)
        return pb.DiscoverNewUtilitiesResponse(run=run_message(run))

    async def ResearchNumber(
        self,
        request: pb.ResearchNumberRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.ResearchNumberResponse:
        """Starts research on a number."""
        if request.context:
            read_context(request.context)
        subject = f"Research on the number {request.number}" + (f" as {request.context}" if request.context else "")
        run = await self._runs.start(_NUMBER, {"number": request.number, "context": request.context}, subject)
        return pb.ResearchNumberResponse(run=run_message(run))

    async def GetResearchRun(
        self,
        request: pb.GetResearchRunRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.GetResearchRunResponse:
        """Returns a run."""
        return pb.GetResearchRunResponse(run=run_message(await self._runs.get(request.run_id)))

    async def ListResearchRuns(
        self,
        request: pb.ListResearchRunsRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.ListResearchRunsResponse:
        """Lists runs, newest first."""
        limit = min(request.page_size or _PAGE, _LARGEST_PAGE)
        found = await self._runs.page(before=_before(request.page_token), limit=limit + 1)
        response = pb.ListResearchRunsResponse(runs=[run_message(run) for run in found[:limit]])
        if len(found) > limit:
            response.next_page_token = _token(found[limit - 1].key)
        return response

    async def WatchResearchRun(
        self,
        request: pb.WatchResearchRunRequest,
        context: Any,  # noqa: ARG002
    ) -> AsyncIterator[pb.WatchResearchRunResponse]:
        """Streams the events of a run from its start until it ends."""
        async for event in self._runs.watch(request.run_id):
            yield pb.WatchResearchRunResponse(event=event_message(event))

    async def CancelResearchRun(
        self,
        request: pb.CancelResearchRunRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.CancelResearchRunResponse:
        """Cancels a run."""
        return pb.CancelResearchRunResponse(run=run_message(await self._runs.cancel(request.run_id)))

    @property
    def _runs(self) -> Runs:
        if isinstance(self._all, str):
            raise UnavailableError(self._all, reason="RESEARCH_RUNS_ELSEWHERE")
        return self._all


@dataclass(frozen=True, slots=True)
class RunningDiscovery:
    """What serves research runs."""

    service: Service
    """To register with the server."""
    runs: Runs | None
    """None where this process has none; `reason` says why."""
    reason: str = ""
    scheduler: DiscoveryScheduler | None = None
    """None where none is wanted, or this process has no runs."""

    async def stop(self) -> None:
        """Cuts off the runs and ends those who watch them; to be called before the server drains."""
        if self.runs is not None:
            await self.runs.stop()


@asynccontextmanager
async def running_discovery(
    *,
    data_dir: Path,
    knowledge: grpc.aio.Channel,
    utilities: grpc.aio.Channel,
    token: str | None,
    model: Slot,
    every_hours: float = 0.0,
    patience: Sequence[float] = PATIENCE,
    max_running: int = MAX_RUNNING,
    max_queued: int = MAX_QUEUED,
) -> AsyncIterator[RunningDiscovery]:
    """Opens the runs of a server while the context is open; runs that had not ended go on at once.

    One process at a time holds the runs of a data folder. In another one every call is answered with UNAVAILABLE, which
    clients and the edge take for "ask another replica".

    Args:
        data_dir: Folder of the mesh's data; runs are kept in research/runs.sqlite.
        knowledge: Channel to the knowledge server.
        utilities: Channel to the utilities server.
        token: Bearer token that both ask for, or None.
        model: Where the model is that drafts formulas, or why there is none.
        every_hours: Hours from one scheduled discovery to the next; 0 schedules none.
        patience: Seconds between attempts while one of them does not answer.
        max_running: Runs that go on at once.
        max_queued: Runs that wait; more are refused.
    """
    base = KnowledgeBase(knowledge, token=token, patience=patience)
    registry = UtilityRegistry(utilities, token=token, patience=patience)
    opening = open_run_store(data_dir / "research" / "runs.sqlite")
    try:
        store = await opening.__aenter__()
    except RunStoreError as error:
        log.warning("research_runs_not_served", reason=str(error))
        yield RunningDiscovery(_service(DiscoveryServicer(str(error))), None, str(error))
        return
    try:
        async with (
            Runs(
                store,
                work={
                    DISCOVERY: Discovery(knowledge=base, registry=registry, model=model),
                    _NUMBER: NumberResearch(
                        knowledge=base,
                        utilities=UtilitiesClient(utilities, token=token),
                        today=lambda: datetime.now(UTC).date(),
                        patience=patience,
                    ),
                },
                now=_now,
                new_id=lambda: secrets.token_hex(8),
                max_running=max_running,
                max_queued=max_queued,
            ) as runs,
            _scheduled(runs, every_hours) as scheduler,
        ):
            yield RunningDiscovery(_service(DiscoveryServicer(runs)), runs, scheduler=scheduler)
    finally:
        await opening.__aexit__(None, None, None)


@asynccontextmanager
async def _scheduled(runs: Runs, every_hours: float) -> AsyncIterator[DiscoveryScheduler | None]:
    """Runs the scheduler while the context is open, where one is wanted."""
    if not every_hours:
        yield None
        return
    scheduler = DiscoveryScheduler(
        runs,
        every=timedelta(hours=every_hours),
        now=_now,
        pause=asyncio.sleep,
        random=random.random,
    )
    task = asyncio.create_task(scheduler.run(), name="schedule-discoveries")
    try:
        yield scheduler
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, UnavailableError):
            await task


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _service(servicer: DiscoveryServicer) -> Service:
    return Service(
        full_name=DISCOVERY_SERVICE,
        add=discovery_pb2_grpc.add_DiscoveryServiceServicer_to_server,
        servicer=servicer,
    )


def _token(key: int) -> str:
    return base64.urlsafe_b64encode(str(key).encode()).decode().rstrip("=")


def _before(token: str) -> int | None:
    if not token:
        return None
    try:
        return int(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise invalid("page_token", "is no token of this list", rule="page_token.known") from None
