"""What is known of the call being served: request id, trace, deadline. Travels on to the calls that it makes."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass

REQUEST_ID = "x-request-id"
TRACEPARENT = "traceparent"
AUTHORIZATION = "authorization"

_SANE_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}\Z")
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})\Z")


@dataclass(frozen=True, slots=True)
class CallInfo:
    """The call being served."""

    request_id: str
    trace_id: str
    """32 hexadecimal digits (W3C Trace Context)."""
    trace_flags: str
    deadline: float | None
    """Moment of `time.monotonic()` at which the call ends, or None."""

    def remaining(self) -> float | None:
        """Returns the seconds left, at least 0, or None without a deadline."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())


_current: ContextVar[CallInfo | None] = ContextVar("onenumbers_call", default=None)


def current_call() -> CallInfo | None:
    """Returns the call being served in this task, or None outside of one."""
    return _current.get()


def enter_call(info: CallInfo) -> None:
    """Makes `info` the call of this task. Each call runs in a task of its own, so nothing needs to be undone."""
    _current.set(info)


def read_call(metadata: Iterable[tuple[str, str | bytes]] | None, time_remaining: float | None) -> CallInfo:
    """Reads a call from its metadata; makes up what is missing or not sane."""
    request_id = trace_id = ""
    flags = "01"
    for key, value in metadata or ():
        if key == REQUEST_ID and isinstance(value, str) and _SANE_ID.match(value):
            request_id = value
        elif key == TRACEPARENT and isinstance(value, str) and (match := _TRACEPARENT.match(value)):
            trace_id, flags = match[1], match[3]
    return CallInfo(
        request_id=request_id or secrets.token_hex(8),
        trace_id=trace_id if trace_id.strip("0") else secrets.token_hex(16),
        trace_flags=flags,
        deadline=None if time_remaining is None else time.monotonic() + time_remaining,
    )


def outgoing_metadata(token: str | None = None) -> tuple[tuple[str, str], ...]:
    """Returns the metadata of a call made on behalf of the one being served: its id, its trace, our token."""
    pairs: list[tuple[str, str]] = []
    if (info := _current.get()) is not None:
        pairs.append((REQUEST_ID, info.request_id))
        pairs.append((TRACEPARENT, f"00-{info.trace_id}-{secrets.token_hex(8)}-{info.trace_flags}"))
    if token is not None:
        pairs.append((AUTHORIZATION, f"Bearer {token}"))
    return tuple(pairs)


def outgoing_timeout(limit: float) -> float:
    """Returns the timeout of a call made on behalf of the one being served: what is left of it, at most `limit`."""
    info = _current.get()
    remaining = info.remaining() if info is not None else None
    return limit if remaining is None else min(limit, remaining)
