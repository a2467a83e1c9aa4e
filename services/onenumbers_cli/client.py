"""A client of the running mesh: one channel to the edge, with a deadline on every call."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import grpc

from onenumbers_cli.errors import CommandError, Exit, explain
from onenumbers_runtime.settings import MeshSettings, SettingsError, target

T = TypeVar("T")

MAX_MESSAGE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Connection:
    """Where the mesh is, and how long to wait for it."""

    target: str
    timeout_s: float
    token: str | None


def default_target() -> str:
    """Returns where `onenumbers up` listens with the present environment."""
    return f"{os.environ.get('MCP_EDGE_HOST') or '127.0.0.1'}:{os.environ.get('MCP_EDGE_PORT') or '8000'}"


def connection(address: str | None, timeout_s: float, token_file: Path | None = None) -> Connection:
    """Returns the connection for the options of a command. It opens nothing.

    Raises:
        CommandError: A setting is wrong.
    """
    try:
        token = MeshSettings.load(**({"auth_token_file": token_file} if token_file else {})).token
    except SettingsError as error:
        raise CommandError(str(error), Exit.USAGE) from None
    return Connection(target(address) if address else default_target(), timeout_s, token)


class MeshClient:
    """Calls the mesh. Made by `connected`."""

    def __init__(self, channel: grpc.Channel, to: Connection) -> None:
        self.channel = channel
        self._to = to

    def call(self, method: Callable[..., T], request: Any) -> T:
        """Makes a unary call.

        Raises:
            CommandError: It failed.
        """
        try:
            return method(request, timeout=self._to.timeout_s, metadata=self.metadata)
        except grpc.RpcError as error:
            raise explain(error, self._to.target) from None

    def stream(self, method: Callable[..., Iterator[T]], request: Any) -> Iterator[T]:
        """Yields the messages of a server stream.

        Raises:
            CommandError: It failed.
        """
        try:
            yield from method(request, timeout=self._to.timeout_s, metadata=self.metadata)
        except grpc.RpcError as error:
            raise explain(error, self._to.target) from None

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What every call carries."""
        return (("authorization", f"Bearer {self._to.token}"),) if self._to.token is not None else ()


@contextmanager
def connected(to: Connection) -> Iterator[MeshClient]:
    """Opens a channel while the context is open."""
    options = [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ]
    with grpc.insecure_channel(to.target, options=options) as channel:
        yield MeshClient(channel, to)
