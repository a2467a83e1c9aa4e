"""Runs the research server: `python -m onenumbers_research`."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from onenumbers_models.generation.statistics import GenerationCollector
from onenumbers_research.analysis.population import MAX_BYTES
from onenumbers_research.analysis.service import AnalysisServicer, analysis_service
from onenumbers_research.claims.calculation_client import CalculationClient
from onenumbers_research.claims.calibration import calibration
from onenumbers_research.claims.search import ClaimSearch
from onenumbers_research.claims.validating import ClaimValidator
from onenumbers_research.knowledge_client import KnowledgeClient
from onenumbers_research.model_slot import ModelSlot, loading_model
from onenumbers_research.runs.metrics import RunCollector
from onenumbers_research.runs.service import RunningDiscovery, running_discovery
from onenumbers_research.service import ResearchServicer, research_service
from onenumbers_research.settings import ResearchSettings
from onenumbers_research.utilities_client import UtilitiesClient
from onenumbers_runtime.channel import open_channel
from onenumbers_runtime.health import Health
from onenumbers_runtime.server import GrpcServer, run
from onenumbers_runtime.settings import SettingsError

REASONING = "onenumbers.research.v1.Reasoning"
"""Name under which the health service reports the model: answers are passages while it does not serve."""


SCHEDULER = "onenumbers.research.v1.DiscoveryScheduler"
"""Name under which the health service reports whether the last scheduled discovery succeeded, where there are any."""


@asynccontextmanager
async def _reporting(slot: ModelSlot, discovery: RunningDiscovery, server: GrpcServer) -> AsyncIterator[None]:
    """Keeps the health and the metrics of the model and of the runs up to date while the context is open."""
    changes: asyncio.Queue[tuple[str, bool, str]] = asyncio.Queue()

    async def follow() -> None:
        while True:
            name, serving, reason = await changes.get()
            await server.set_serving(serving, name, reason=reason)

    server.metrics.registry.register(GenerationCollector(slot.statistics, slot.restarts))
    slot.on_serving(lambda serving, reason: changes.put_nowait((REASONING, serving, reason)))
    if discovery.runs is not None:
        server.metrics.registry.register(RunCollector(discovery.runs, discovery.scheduler))
    if discovery.scheduler is not None:
        discovery.scheduler.on_outcome(lambda serving, reason: changes.put_nowait((SCHEDULER, serving, reason)))
    task = asyncio.create_task(follow(), name="report-model")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def serve(settings: ResearchSettings) -> None:
    """Serves until SIGTERM or SIGINT. It serves before the model is there: answers are passages until then."""
    async with (
        open_channel(settings.knowledge_url, settings) as knowledge_channel,
        open_channel(settings.utilities_url, settings) as utilities_channel,
        loading_model(settings) as slot,
        running_discovery(
            data_dir=settings.data_dir,
            knowledge=knowledge_channel,
            utilities=utilities_channel,
            token=settings.token,
            model=slot,
            every_hours=settings.discovery_every_hours,
        ) as discovery,
    ):
        knowledge = KnowledgeClient(knowledge_channel, token=settings.token)
        utilities = UtilitiesClient(utilities_channel, token=settings.token)
        validator = ClaimValidator(
            calculations=CalculationClient(utilities_channel, token=settings.token),
            search=ClaimSearch(knowledge_channel, token=settings.token),
            calibration=calibration(),
        )
        services = [
            research_service(ResearchServicer(knowledge=knowledge, slot=slot)),
            analysis_service(
                AnalysisServicer(
                    utilities=utilities,
                    knowledge=knowledge,
                    validator=validator,
                    max_bytes=min(MAX_BYTES, settings.upload_max_bytes),
                )
            ),
            discovery.service,
        ]
        reported = (REASONING, SCHEDULER) if discovery.scheduler is not None else (REASONING,)
        health = Health((*(service.full_name for service in services), *reported))
        async with GrpcServer(
            name="research", settings=settings, services=services, port=settings.port, health=health
        ) as server:
            for service in services:
                served = service is not discovery.service or discovery.runs is not None
                await server.set_serving(served, service.full_name, reason="" if served else discovery.reason)
            await server.set_serving(True, "")
            async with _reporting(slot, discovery, server):
                try:
                    await server.serve_until_signal()
                finally:
                    # Before the server drains: those who watch a run would keep it open.
                    await discovery.stop()


def main() -> int:
    """Returns the exit status: 2 for settings that are wrong and for a taken port."""
    try:
        settings = ResearchSettings.load()
    except SettingsError as error:
        sys.stderr.write(f"research: {error}\n")
        return 2
    return run(lambda: serve(settings), settings=settings, server="research")


if __name__ == "__main__":
    sys.exit(main())
