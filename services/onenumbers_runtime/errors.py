"""Errors that a caller may see. Pure: the domain raises them and knows nothing of gRPC.

MeshError
├── InvalidArgumentError      the request breaks a rule; names the field and the rule
├── NotFoundError             what was named does not exist
├── AlreadyExistsError        what was to be made exists
├── FailedPreconditionError   the state of the system forbids it; a retry alone does not help
├── OutOfRangeError           past the end
├── AbortedError              lost against a concurrent change; a retry may help
├── ResourceExhaustedError    a limit was reached; says when to try again where that is known
├── UnauthenticatedError      no credentials, or wrong ones
├── PermissionDeniedError     right credentials without the right
├── UnimplementedError        the operation does not exist here
├── UnavailableError          a part is down or starting; a retry may help
├── DeadlineExceededError     out of time
└── DataLossError             stored data is damaged
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

ERROR_DOMAIN = "onenumbers.mesh"
"""Domain of every google.rpc.ErrorInfo of ours."""


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One field that breaks one rule."""

    field: str
    """Path from the request, such as "profiles[3].name"."""
    description: str
    """What is wrong, for a reader; completes the sentence "the field ..."."""
    rule: str = ""
    """Identifier of the rule, such as "date.exists"."""


class MeshError(Exception):
    """Base of all errors that a caller may see.

    Args:
        message: One line, safe to show to a client.
        reason: Stable identifier in UPPER_SNAKE_CASE, for programs.
        violations: Fields that break rules.
        metadata: Facts for programs, such as the names nearest to an unknown one.
        retry_after: Seconds after which a retry may succeed.
    """

    code: ClassVar[str] = "UNKNOWN"
    """Name of the gRPC status code."""

    def __init__(
        self,
        message: str,
        *,
        reason: str,
        violations: Sequence[FieldViolation] = (),
        metadata: Mapping[str, str] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.violations = tuple(violations)
        self.metadata = dict(metadata or {})
        self.retry_after = retry_after


class InvalidArgumentError(MeshError):
    """The request breaks a rule."""

    code = "INVALID_ARGUMENT"


class NotFoundError(MeshError):
    """What was named does not exist."""

    code = "NOT_FOUND"


class AlreadyExistsError(MeshError):
    """What was to be made exists."""

    code = "ALREADY_EXISTS"


class FailedPreconditionError(MeshError):
    """The state of the system forbids it."""

    code = "FAILED_PRECONDITION"


class OutOfRangeError(MeshError):
    """Past the end."""

    code = "OUT_OF_RANGE"


class AbortedError(MeshError):
    """Lost against a concurrent change."""

    code = "ABORTED"


class ResourceExhaustedError(MeshError):
    """A limit was reached."""

    code = "RESOURCE_EXHAUSTED"


class UnauthenticatedError(MeshError):
    """No credentials, or wrong ones."""

    code = "UNAUTHENTICATED"


class PermissionDeniedError(MeshError):
    """Right credentials without the right."""

    code = "PERMISSION_DENIED"


class UnimplementedError(MeshError):
    """The operation does not exist here."""

    code = "UNIMPLEMENTED"


class UnavailableError(MeshError):
    """A part is down or starting."""

    code = "UNAVAILABLE"


class DeadlineExceededError(MeshError):
    """Out of time."""

    code = "DEADLINE_EXCEEDED"


class DataLossError(MeshError):
    """Stored data is damaged."""

    code = "DATA_LOSS"


def invalid(
    field: str,
    description: str,
    *,
    rule: str,
    reason: str = "INVALID_FIELD",
    metadata: Mapping[str, str] | None = None,
) -> InvalidArgumentError:
    """Returns the error for one field that breaks one rule; its message names both."""
    return InvalidArgumentError(
        f"{field}: {description}",
        reason=reason,
        violations=(FieldViolation(field=field, description=description, rule=rule),),
        metadata=metadata,
    )
