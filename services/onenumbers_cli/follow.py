"""The logs of all children on the terminal, line by line, for `onenumbers up --verbose`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

_LOOK_S = 0.2
_CHUNK_BYTES = 256 * 1024


class Follower:
    """Reads what was added to log files since the last look.

    Args:
        logs: Log file by name.
        show: Told the name and one line.
    """

    def __init__(self, logs: Mapping[str, Path], show: Callable[[str, str], None]) -> None:
        self._logs = logs
        self._show = show
        self._offsets = {name: _size(log) for name, log in logs.items()}
        self._rests = dict.fromkeys(logs, b"")

    async def run(self) -> None:
        """Follows until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(_LOOK_S)

    def look(self) -> None:
        """Shows the lines that are complete by now."""
        for name, line in list(self._lines()):
            self._show(name, line)

    def _lines(self) -> Iterable[tuple[str, str]]:
        for name, log in self._logs.items():
            size = _size(log)
            if size < self._offsets[name]:  # it was rotated
                self._offsets[name], self._rests[name] = 0, b""
            if size == self._offsets[name]:
                continue
            with log.open("rb") as file:
                file.seek(self._offsets[name])
                added = file.read(_CHUNK_BYTES)
            self._offsets[name] += len(added)
            *lines, self._rests[name] = (self._rests[name] + added).split(b"\n")
            for line in lines:
                yield name, line.decode(errors="replace")


def _size(log: Path) -> int:
    try:
        return log.stat().st_size
    except OSError:
        return 0
