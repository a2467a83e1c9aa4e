"""What a caller is told when the database fails."""

from __future__ import annotations

from typing import Self

from sqlalchemy.exc import DBAPIError

from onenumbers_runtime.errors import UnavailableError


class translated:  # noqa: N801 - reads as a word in `with`
    """Turns failures of the database into a status that a caller understands."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, DBAPIError):
            text = str(error.orig)
            if "locked" in text or "busy" in text:
                raise UnavailableError(
                    "the document store is locked by another process", reason="STORE_LOCKED", retry_after=1.0
                ) from error
            if "full" in text or "disk I/O" in text or "readonly" in text or "unable to open" in text:
                raise UnavailableError(
                    "the document store cannot be written: is the disk full?", reason="STORE_UNAVAILABLE"
                ) from error
