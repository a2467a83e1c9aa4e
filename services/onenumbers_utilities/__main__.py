"""Runs the utilities server: `python -m onenumbers_utilities`."""

from __future__ import annotations

import sys

from onenumbers_runtime.server import GrpcServer, run
from onenumbers_runtime.settings import SettingsError
from onenumbers_utilities.clock import today
from onenumbers_utilities.compatibility_service import CompatibilityServicer, compatibility_service
from onenumbers_utilities.counting_service import CountingServicer, counting_service
from onenumbers_utilities.dates_service import DateNumbersServicer, date_numbers_service
from onenumbers_utilities.names_service import NameNumbersServicer, name_numbers_service
from onenumbers_utilities.native_service import NativeLettersServicer, native_letters_service
from onenumbers_utilities.objects_service import ObjectNumbersServicer, object_numbers_service
from onenumbers_utilities.registry_service import running_registry
from onenumbers_utilities.service import UtilitiesServicer, utilities_service
from onenumbers_utilities.settings import UtilitiesSettings
from onenumbers_utilities.systems_service import NumberSystemsServicer, number_systems_service


async def serve(settings: UtilitiesSettings) -> None:
    """Serves until SIGTERM or SIGINT. Only the registry is loaded, so it is ready as soon as it listens."""
    servicer = UtilitiesServicer(clock=today, max_response_bytes=settings.max_message_bytes)
    services = [
        utilities_service(servicer),
        name_numbers_service(NameNumbersServicer(clock=today)),
        date_numbers_service(DateNumbersServicer(clock=today)),
        number_systems_service(NumberSystemsServicer(clock=today)),
        object_numbers_service(ObjectNumbersServicer()),
        compatibility_service(CompatibilityServicer(clock=today)),
        counting_service(CountingServicer()),
        native_letters_service(NativeLettersServicer()),
    ]
    async with (
        running_registry(
            url=settings.store_url,
            services=[service.full_name for service in services],
            max_response_bytes=settings.max_message_bytes,
            cpu_s=settings.registry_cpu_s,
            memory_bytes=settings.registry_memory_mib << 20,
            workers=settings.registry_workers,
        ) as registry,
        GrpcServer(
            name="utilities",
            settings=settings,
            services=[*services, registry.service],
            port=settings.port,
            # The registry shows a contract that changes while the server runs.
            generic_handlers=registry.handlers,
            reflection=False,
        ) as server,
    ):
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
