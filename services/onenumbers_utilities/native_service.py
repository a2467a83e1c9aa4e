"""The servicer of NativeLettersService: converts, calls the domain, converts back."""
# ruff: noqa: N802 - gRPC names the methods of a servicer after the contract.

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from onenumbers.utilities.v1 import native_pb2 as pb
from onenumbers.utilities.v1 import native_pb2_grpc
from onenumbers_runtime.server import Service
from onenumbers_utilities.convert import number
from onenumbers_utilities.explained import Explained
from onenumbers_utilities.numerology.native_letters import NativeSystem, native_letters
from onenumbers_utilities.request_options import explain_of

_SYSTEMS: Final = {each: pb.NativeSystem.Value(f"NATIVE_SYSTEM_{each.name}") for each in NativeSystem}
_CHOSEN: Final[Mapping[int, NativeSystem | None]] = {
    pb.NATIVE_SYSTEM_UNSPECIFIED: None,
    **{value: each for each, value in _SYSTEMS.items()},
}


class NativeLettersServicer(native_pb2_grpc.NativeLettersServiceServicer):
    """Serves the numbers of names in their own letters."""

    async def CalculateNativeLetters(
        self,
        request: pb.CalculateNativeLettersRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.CalculateNativeLettersResponse:
        """Counts a name in its own letters."""
        found = native_letters(request.name, _CHOSEN[request.system], explain=explain_of(request))
        return pb.CalculateNativeLettersResponse(
            result=number(found.number),
            system=_SYSTEMS[found.system],
            script=found.script,
            source=found.source,
            words=[
                pb.NativeWord(
                    text=word.text,
                    total=word.total,
                    letters=[
                        pb.NativeLetter(letter=each.letter, counted_as=each.counted_as, value=each.value)
                        for each in word.letters
                    ],
                )
                for word in found.words
            ],
        )


def native_letters_service(servicer: NativeLettersServicer) -> Service:
    """Returns the service to register with a server."""
    return Service(
        full_name=pb.DESCRIPTOR.services_by_name["NativeLettersService"].full_name,
        add=native_pb2_grpc.add_NativeLettersServiceServicer_to_server,
        servicer=Explained(servicer),
    )
