"""Exit statuses, and failed calls as lines for a person."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2


class Exit(enum.IntEnum):
    """What a script learns from the exit status."""

    OK = 0
    FAILED = 1
    """The call failed in another way than those below; or the mesh is not healthy."""
    USAGE = 2
    """Wrong options or settings."""
    UNAVAILABLE = 3
    """The mesh or the tool's server cannot be reached."""
    NOT_FOUND = 4
    INVALID = 5
    """Wrong arguments of a tool."""
    DEADLINE = 6


EXIT_HELP = (
    "Exit status: 0 done; 1 the call failed; 2 wrong usage or settings; 3 the mesh or a server is not reachable; "
    "4 not found; 5 invalid arguments; 6 no answer in time."
)

_EXITS = {
    grpc.StatusCode.UNAVAILABLE: Exit.UNAVAILABLE,
    grpc.StatusCode.NOT_FOUND: Exit.NOT_FOUND,
    grpc.StatusCode.INVALID_ARGUMENT: Exit.INVALID,
    grpc.StatusCode.DEADLINE_EXCEEDED: Exit.DEADLINE,
}


class CommandError(Exception):
    """A command failed; the message is for a person, one line or a few."""

    def __init__(self, message: str, status: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.status = status


def explain(error: grpc.RpcError, target: str) -> CommandError:
    """Returns a failed call as lines: the status, what is wrong with which field, and what to do."""
    code: grpc.StatusCode = error.code()
    details: str = error.details() or ""
    if code is grpc.StatusCode.UNAVAILABLE and "failed to connect" in details.lower():
        return CommandError(f"nothing answers on {target}: start the mesh with `onenumbers up`", Exit.UNAVAILABLE)
    lines = [f"{code.name}: {details}"]
    lines += [f"  {field}: {description}" for field, description in _violations(error)]
    if code is grpc.StatusCode.UNAUTHENTICATED:
        lines.append("  set MCP_AUTH_TOKEN or MCP_AUTH_TOKEN_FILE to the mesh's token")
    return CommandError("\n".join(lines), _EXITS.get(code, Exit.FAILED))


def _violations(error: grpc.RpcError) -> Iterator[tuple[str, str]]:
    metadata: Any = error.trailing_metadata() or ()
    for key, value in metadata:
        if key != "grpc-status-details-bin":
            continue
        try:
            details = status_pb2.Status.FromString(value).details
        except DecodeError:
            return
        for detail in details:
            bad = error_details_pb2.BadRequest()
            if detail.Unpack(bad):
                yield from ((item.field, item.description) for item in bad.field_violations)
