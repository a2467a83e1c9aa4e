"""Runs the utilities server: `python -m onenumbers_utilities`."""

from __future__ import annotations

import sys

from onenumbers_runtime.server import GrpcServer, run
from onenumbers_runtime.settings import SettingsError
from onenumbers_utilities.clock import today
from onenumbers_utilities.service import UtilitiesServicer, utilities_service
from onenumbers_utilities.settings import UtilitiesSettings


async def serve(settings: UtilitiesSettings) -> None:
    """Serves until SIGTERM or SIGINT. There is nothing to load, so it is ready as soon as it listens."""
    servicer = UtilitiesServicer(clock=today, max_response_bytes=settings.max_message_bytes)
    async with GrpcServer(
        name="utilities", settings=settings, services=[utilities_service(servicer)], port=settings.port
    ) as server:
        await server.set_serving(True)
        await server.serve_until_signal()


def main() -> int:
    """Returns the exit status: 2 for settings that are wrong and for a taken port."""
    try:
        settings = UtilitiesSettings.load()
    except SettingsError as error:
        sys.stderr.write(f"utilities: {error}\n")
        return 2
    return run(lambda: serve(settings), settings=settings, server="utilities")


if __name__ == "__main__":
    sys.exit(main())
