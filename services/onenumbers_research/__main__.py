"""Runs the research server: `python -m onenumbers_research`."""

from __future__ import annotations

import sys

from onenumbers_research.knowledge_client import KnowledgeClient
from onenumbers_research.model_slot import loading_model
from onenumbers_research.service import ResearchServicer, research_service
from onenumbers_research.settings import ResearchSettings
from onenumbers_runtime.channel import open_channel
from onenumbers_runtime.server import GrpcServer, run
from onenumbers_runtime.settings import SettingsError


async def serve(settings: ResearchSettings) -> None:
    """Serves until SIGTERM or SIGINT. It serves before the model is there: answers are passages until then."""
    async with open_channel(settings.knowledge_url, settings) as channel, loading_model(settings) as slot:
        servicer = ResearchServicer(knowledge=KnowledgeClient(channel, token=settings.token), slot=slot)
        async with GrpcServer(
            name="research", settings=settings, services=[research_service(servicer)], port=settings.port
        ) as server:
            await server.set_serving(True)
            await server.serve_until_signal()


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
