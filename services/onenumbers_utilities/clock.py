"""What day it is, read in one place so that a test can say another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from typing import Final

Clock = Callable[[], date]
"""Returns today's date."""

_EARLIEST_ZONE: Final = timezone(timedelta(hours=14))
"""Where a day begins first on earth: a birth date is in the future only when it is in the future everywhere."""


def today() -> date:
    """Returns the latest date that is today somewhere."""
    return datetime.now(_EARLIEST_ZONE).date()
