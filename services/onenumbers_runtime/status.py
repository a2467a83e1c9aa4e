"""Errors as google.rpc.Status: the one place where they become gRPC."""

from __future__ import annotations

import math
from typing import Any, NoReturn

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc.aio import AioRpcError, ServicerContext

from onenumbers_runtime.errors import ERROR_DOMAIN, MeshError

DETAILS_KEY = "grpc-status-details-bin"
"""Trailing metadata that carries a google.rpc.Status."""


def _packed(detail: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(detail)
    return packed


def code_number(code: str) -> int:
    """Returns the number of a status code's name."""
    number: int = grpc.StatusCode[code].value[0]
    return number


def to_status(error: MeshError) -> status_pb2.Status:
    """Returns the error with its details: ErrorInfo always, BadRequest and RetryInfo where there are some."""
    details = [_packed(error_details_pb2.ErrorInfo(reason=error.reason, domain=ERROR_DOMAIN, metadata=error.metadata))]
    if error.violations:
        bad_request = error_details_pb2.BadRequest(
            field_violations=[
                error_details_pb2.BadRequest.FieldViolation(
                    field=violation.field, description=violation.description, reason=violation.rule
                )
                for violation in error.violations
            ]
        )
        details.append(_packed(bad_request))
    if error.retry_after is not None:
        retry_info = error_details_pb2.RetryInfo()
        fraction, whole = math.modf(error.retry_after)
        retry_info.retry_delay.seconds = int(whole)
        retry_info.retry_delay.nanos = int(fraction * 1e9)
        details.append(_packed(retry_info))
    return status_pb2.Status(code=code_number(error.code), message=error.message, details=details)


def internal_status(request_id: str) -> status_pb2.Status:
    """Returns what a client learns of an unexpected exception: the request id to ask about, and nothing else."""
    info = error_details_pb2.ErrorInfo(reason="INTERNAL", domain=ERROR_DOMAIN, metadata={"request_id": request_id})
    return status_pb2.Status(
        code=code_number("INTERNAL"),
        message="internal error",
        details=[_packed(info), _packed(error_details_pb2.RequestInfo(request_id=request_id))],
    )


def status_of_call(error: AioRpcError) -> status_pb2.Status:
    """Returns the status with which an upstream call failed, details unchanged."""
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            status = status_pb2.Status.FromString(value)
            if status.code == error.code().value[0]:
                return status
    return status_pb2.Status(code=error.code().value[0], message=error.details() or "")


_CODES = {code.value[0]: code for code in grpc.StatusCode}


async def abort_with(context: ServicerContext[Any, Any], status: status_pb2.Status) -> NoReturn:
    """Ends the call with a status and its details; keeps the trailing metadata that was set before."""
    trailing = tuple(context.trailing_metadata() or ())
    await context.abort(
        _CODES.get(status.code, grpc.StatusCode.UNKNOWN),
        status.message,
        trailing_metadata=(*trailing, (DETAILS_KEY, status.SerializeToString())),
    )
