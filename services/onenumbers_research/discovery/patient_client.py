"""Calls that a run makes in the background: with a timeout each, and again while the server is away."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final, NoReturn

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from onenumbers_research.discovery.definitions import Refused
from onenumbers_runtime.calls import outgoing_metadata
from onenumbers_runtime.errors import FailedPreconditionError, UnavailableError

_LIMIT_S: Final = 30.0
PATIENCE: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts while a server does not answer: a restart must not end a run."""
_REFUSALS: Final = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.UNIMPLEMENTED,
}
_AWAY: Final = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


class PatientClient:
    """Calls one server.

    Args:
        server: What it is called in errors.
        token: Bearer token that it asks for, or None.
        patience: Seconds between attempts while it does not answer.
    """

    def __init__(self, server: str, *, token: str | None, patience: Sequence[float]) -> None:
        self._server = server
        self._token = token
        self._patience = tuple(patience)

    async def _call(self, method: Any, request: Message) -> Any:
        """Returns the response.

        Raises:
            Refused: The server says that the request cannot be met.
            UnavailableError: It does not answer.
            FailedPreconditionError: It answers otherwise, such as that the token is wrong.
        """
        for pause in (*self._patience, None):
            try:
                return await method(request, timeout=_LIMIT_S, metadata=outgoing_metadata(self._token))
            except grpc.aio.AioRpcError as error:
                if error.code() in _AWAY and pause is not None:
                    await asyncio.sleep(pause)
                    continue
                self._raise(error)
        raise UnavailableError(f"the {self._server} server does not answer", reason="SERVER_UNAVAILABLE")

    def _raise(self, error: grpc.aio.AioRpcError) -> NoReturn:
        if error.code() in _REFUSALS:
            raise _refused(error) from error
        if error.code() in _AWAY:
            raise UnavailableError(
                f"the {self._server} server does not answer", reason="SERVER_UNAVAILABLE", retry_after=5.0
            ) from error
        raise FailedPreconditionError(
            f"the {self._server} server refused a call with {error.code().name}", reason="SERVER_REFUSED"
        ) from error


def _refused(error: grpc.aio.AioRpcError) -> Refused:
    reason, metadata, violations = error.code().name, {}, []
    for key, value in error.trailing_metadata() or ():
        if key != "grpc-status-details-bin" or not isinstance(value, bytes):
            continue
        for detail in status_pb2.Status.FromString(value).details:
            info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
            if detail.Unpack(info):
                reason, metadata = info.reason, dict(info.metadata)
            elif detail.Unpack(bad):
                violations = [(item.field, item.description) for item in bad.field_violations]
    return Refused(error.details() or error.code().name, reason=reason, metadata=metadata, violations=violations)
