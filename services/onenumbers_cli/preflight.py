"""What is checked before anything is started: ports, and that no other mesh uses the data folder."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


class PreflightError(Exception):
    """The mesh cannot start; the message is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Port:
    """A port that a part of the mesh is about to listen on."""

    part: str
    host: str
    number: int
    setting: str
    """Option or variable that changes it."""


def check_ports(ports: Iterable[Port]) -> None:
    """Binds each port for a moment.

    Raises:
        PreflightError: One is taken, wanted twice, or its address is not of this machine.
    """
    seen: dict[int, Port] = {}
    for port in ports:
        twin = seen.setdefault(port.number, port)
        if twin is not port:
            raise PreflightError(
                f"port {port.number} is wanted by {twin.part} and by {port.part}: change {port.setting}"
            )
        family = socket.AF_INET6 if ":" in port.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # As servers do: a port in TIME_WAIT is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((port.host, port.number))
                probe.listen(1)
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    message = (
                        f"port {port.number} on {port.host} is taken, and {port.part} needs it: stop what listens "
                        f"there, or choose another with {port.setting}"
                    )
                else:
                    message = f"{port.part} cannot listen on {port.host}:{port.number}: {error.strerror}"
                raise PreflightError(message) from None


@contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Holds the data folder while the context is open.

    Raises:
        PreflightError: Another mesh holds it, or it cannot be written.
    """
    path = data_dir / "run" / "up.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = path.open("a+")
    except OSError as error:
        raise PreflightError(f"the data folder {data_dir} cannot be used: {error.strerror}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise PreflightError(
                f"a mesh already runs on {data_dir} (process {holder}): stop it, or choose another --data-dir"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
