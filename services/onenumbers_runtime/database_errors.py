"""What a caller is told when the database fails: a status, and no text of the database's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import structlog
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from onenumbers_runtime.errors import DataLossError, MeshError, UnavailableError

log = structlog.get_logger()

_SQLITE_LOCKED: Final = {5, 6}
_SQLITE_DAMAGED: Final = {11, 26}
_SQLITE_FULL: Final = {13}
_POSTGRESQL_LOCKED: Final = {"55P03", "40001", "40P01"}
"""Lock not available, serialization failure, deadlock."""
_POSTGRESQL_DAMAGED: Final = {"XX001", "XX002"}
_POSTGRESQL_FULL: Final = {"53100"}
_RETRY_S: Final = 1.0
_RETRY_FULL_S: Final = 30.0


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turns failures of the database into a status that a caller understands.

    Errors of the code that asks (a constraint, a value out of range) stay as they are.

    Args:
        what: What is kept, as the message names it: "the document store".

    Raises:
        UnavailableError: STORE_LOCKED, STORE_FULL, or STORE_UNAVAILABLE: it is gone, or cannot be read or written.
        DataLossError: STORE_DAMAGED.
    """
    try:
        yield
    except (IntegrityError, DataError):
        raise
    except (DBAPIError, PoolTimeoutError, OSError) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        status = _status(what, reason)
        log.warning("database_failed", what=what, reason=status.reason, error=_line(reason))
        raise status from error


def _status(what: str, error: Any) -> MeshError:
    # The low byte of SQLite's extended codes is the primary one.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    state = getattr(error, "sqlstate", None) or ""
    if code in _SQLITE_LOCKED or state in _POSTGRESQL_LOCKED or isinstance(error, PoolTimeoutError):
        return UnavailableError(f"{what} is locked by another change", reason="STORE_LOCKED", retry_after=_RETRY_S)
    if code in _SQLITE_FULL or state in _POSTGRESQL_FULL:
        return UnavailableError(
            f"{what} cannot be written: the disk is full", reason="STORE_FULL", retry_after=_RETRY_FULL_S
        )
    if code in _SQLITE_DAMAGED or state in _POSTGRESQL_DAMAGED:
        return DataLossError(f"{what} is damaged: bring it back from a copy", reason="STORE_DAMAGED")
    return UnavailableError(f"{what} cannot be read or written now", reason="STORE_UNAVAILABLE", retry_after=_RETRY_S)


def _line(error: Any) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
