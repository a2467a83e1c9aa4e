"""Runs the gateway: `python -m onenumbers_gateway`."""

from __future__ import annotations

import sys

from onenumbers_gateway.app import running_gateway
from onenumbers_gateway.settings import GatewaySettings
from onenumbers_gateway.xds.settings import EdgeSettings
from onenumbers_runtime.server import run, wait_for_signal
from onenumbers_runtime.settings import SettingsError


async def serve(settings: GatewaySettings, edge: EdgeSettings) -> None:
    """Serves until SIGTERM or SIGINT."""
    async with running_gateway(settings, edge):
        await wait_for_signal()


def main() -> int:
    """Returns the exit status: 2 for settings that are wrong and for a taken port."""
    try:
        settings, edge = GatewaySettings.load(), EdgeSettings.load()
    except SettingsError as error:
        sys.stderr.write(f"gateway: {error}\n")
        return 2
    return run(lambda: serve(settings, edge), settings=settings, server="gateway")


if __name__ == "__main__":
    sys.exit(main())
