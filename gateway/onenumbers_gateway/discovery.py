"""Discovery: follows all servers of the mesh and hands out immutable snapshots of them."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Self

import grpc
import structlog

from onenumbers_gateway.instance import Instance
from onenumbers_gateway.model import MeshSnapshot, ServerSnapshot, ServerStatus
from onenumbers_gateway.reflection_client import ReflectedContract
from onenumbers_gateway.settings import GatewaySettings, Target

log = structlog.get_logger()

_RANK = {
    ServerStatus.SERVING: 0,
    ServerStatus.NOT_SERVING: 1,
    ServerStatus.UNREACHABLE: 2,
    ServerStatus.UNKNOWN: 3,
}


@dataclass(frozen=True, slots=True)
class KnownServer:
    """A server as a cache remembers it from an earlier run or another gateway."""

    name: str
    target: str
    contract: ReflectedContract


class Discovery:
    """Follows servers, as an async context manager; a MeshSource.

    Args:
        settings: Targets and times.
        known: Servers that a cache remembers; listed as stale until they are reached.
    """

    def __init__(self, settings: GatewaySettings, *, known: Mapping[str, KnownServer] | None = None) -> None:
        self._settings = settings
        self._known = dict(known or {})
        self._servers: dict[str, _Server] = {}
        self._snapshot = MeshSnapshot()
        self._changed = asyncio.Condition()
        self._pending = asyncio.Event()
        self._publisher: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        for target in self._settings.targets():
            self._add(target)
        self._publish()
        self._publisher = asyncio.create_task(self._keep_publishing(), name="discovery-publish")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._publisher is not None:
            self._publisher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._publisher
        await asyncio.gather(*(server.close() for server in self._servers.values()))

    def current(self) -> MeshSnapshot:
        """Returns the newest snapshot."""
        return self._snapshot

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[AsyncIterator[MeshSnapshot]]:
        """Yields the current snapshot at once, then each newer one; a slow reader skips to the newest."""

        async def snapshots() -> AsyncIterator[MeshSnapshot]:
            seen = -1
            while True:
                async with self._changed:
                    while self._snapshot.version <= seen:
                        await self._changed.wait()
                seen = self._snapshot.version
                yield self._snapshot

        iterator = snapshots()
        try:
            yield iterator
        finally:
            await iterator.aclose()  # type: ignore[attr-defined]

    def health(self) -> MeshSnapshot:
        """Returns the newest snapshot with the figures of the last checks, which alone make no new version."""
        return replace(self._snapshot, servers=tuple(server.snapshot() for server in self._ordered()))

    async def first_look(self, timeout_s: float) -> None:
        """Waits until every server was tried once, at most `timeout_s`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await asyncio.gather(*(server.tried() for server in self._ordered()))
        self._publish()
        await self._notify()

    async def refresh(self, name: str = "") -> dict[str, str]:
        """Looks at one server, or all, again; returns the failures by server name, with the reason."""
        servers = [server for server in self._ordered() if name in ("", server.target.name)]
        reasons = await asyncio.gather(*(server.refresh(self._settings.health_timeout_s * 2) for server in servers))
        self._publish()
        await self._notify()
        return {server.target.name: reason for server, reason in zip(servers, reasons, strict=True) if reason}

    def channel(self, name: str, *, avoid: grpc.aio.Channel | None = None) -> grpc.aio.Channel | None:
        """Returns a channel to a serving instance, another than `avoid` where there is one; None where none serves."""
        server = self._servers.get(name)
        return server.channel(avoid) if server is not None else None

    def use_registered(self, registered: Mapping[str, tuple[Target, ...]]) -> None:
        """Follows exactly these instances beside the configured ones, by server name.

        A name that is not configured is a server of its own. Once all its instances are gone its tools stay listed as
        unavailable until the gateway ends, like those of any other server that is away.
        """
        for name, targets in registered.items():
            if name == "gateway":
                continue
            if name not in self._servers:
                self._add(Target(name=name, host="", port=0))
            self._servers[name].use_registered(targets)
        for name, server in self._servers.items():
            if name not in registered:
                server.use_registered(())
        self._pending.set()

    def _ordered(self) -> list[_Server]:
        return list(self._servers.values())

    def _add(self, target: Target) -> None:
        known = self._known.get(target.name)
        if known is not None and target.host and known.target != target.address:
            # What lives at another address is another server, until it says otherwise.
            known = None
        self._servers[target.name] = _Server(target, self._settings, known, on_change=self._pending.set)

    def _publish(self) -> None:
        servers = tuple(server.snapshot() for server in self._ordered())
        if [_identity(item) for item in servers] == [_identity(item) for item in self._snapshot.servers]:
            return
        self._snapshot = MeshSnapshot(servers=servers, version=self._snapshot.version + 1)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _keep_publishing(self) -> None:
        while True:
            await self._pending.wait()
            # Changes of one moment (status, then contract) make one snapshot.
            await asyncio.sleep(0)
            self._pending.clear()
            before = self._snapshot.version
            self._publish()
            if self._snapshot.version != before:
                await self._notify()


def _identity(server: ServerSnapshot) -> ServerSnapshot:
    """The server without the figures that change with every check."""
    return replace(server, response_time_ms=None, last_check=None)


class _Server:
    """All instances behind one target."""

    def __init__(
        self, target: Target, settings: GatewaySettings, known: KnownServer | None, *, on_change: Callable[[], None]
    ) -> None:
        self.target = target
        self._settings = settings
        self._known = known
        self._on_change = on_change
        self._instances: dict[str, Instance] = {}
        """By host, those that the target names."""
        self._registered: dict[str, Instance] = {}
        """By address, those that registered themselves."""
        self._closing: set[asyncio.Task[None]] = set()
        self._resolved = asyncio.Event()
        self._reason = "its name was not looked up yet"
        self._turn = 0
        self._task: asyncio.Task[None] | None = None
        if not target.host:
            self._reason = "none of its instances is registered"
            self._resolved.set()
        elif _is_address(target.host):
            self._use([target.host])
        else:
            self._task = asyncio.create_task(self._keep_resolving(), name=f"resolve-{target.name}")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await asyncio.gather(*(instance.close() for instance in self._all()), *self._closing)

    def use_registered(self, targets: tuple[Target, ...]) -> None:
        wanted = {target.address: target for target in targets}
        for address in [address for address in self._registered if address not in wanted]:
            gone = self._registered.pop(address)
            if gone.contract is not None:
                # Its tools stay listed, as unavailable.
                self._known = KnownServer(self.target.name, self.target.address, gone.contract)
            task = asyncio.create_task(gone.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        for address, target in wanted.items():
            if address not in self._registered:
                self._registered[address] = self._instance(target.host, target.port)

    async def tried(self) -> None:
        await self._resolved.wait()
        await asyncio.gather(*(instance.tried.wait() for instance in self._all()))

    async def refresh(self, timeout_s: float) -> str:
        instances = self._all()
        if not instances:
            return self._reason
        try:
            async with asyncio.timeout(timeout_s):
                reasons = await asyncio.gather(*(instance.refresh() for instance in instances))
        except TimeoutError:
            return "no answer in time"
        return "" if "" in reasons else reasons[0]

    def channel(self, avoid: grpc.aio.Channel | None) -> grpc.aio.Channel | None:
        ready = [item.channel for item in self._all() if item.status is ServerStatus.SERVING]
        others = [item for item in ready if item is not avoid] or ready
        if not others:
            return None
        self._turn += 1
        return others[self._turn % len(others)]

    def snapshot(self) -> ServerSnapshot:
        instances = sorted(self._all(), key=lambda item: _RANK[item.status])
        best = instances[0] if instances else None
        serving = [item for item in instances if item.contract is not None and item.status is ServerStatus.SERVING]
        spoken = serving or [item for item in instances if item.contract is not None]
        contract = stale = None
        if spoken:
            # In a rolling deployment the newest contract is the one that stays.
            contract = max(spoken, key=lambda item: item.contract_time).contract
            stale = best is None or best.status is ServerStatus.UNREACHABLE
        elif self._known is not None:
            contract, stale = self._known.contract, True
        reason = best.reason if best is not None else self._reason
        if best is not None and best.contract_error:
            reason = f"{reason}; {best.contract_error}" if reason else best.contract_error
        return ServerSnapshot(
            name=self.target.name,
            target=self.target.address if self.target.host else "registered",
            endpoints=tuple(item.endpoint for item in self._all()),
            status=best.status if best is not None else ServerStatus.UNREACHABLE,
            reason=reason,
            response_time_ms=best.response_time_ms if best is not None else None,
            last_check=best.last_check if best is not None else None,
            services=contract.services if contract is not None else (),
            files=contract.files if contract is not None else (),
            descriptor_hash=contract.descriptor_hash if contract is not None else "",
            stale=bool(stale),
        )

    def _all(self) -> list[Instance]:
        """All instances; one that is configured and registered too counts once."""
        configured = {(item.host, item.port) for item in self._instances.values()}
        others = [item for item in self._registered.values() if (item.host, item.port) not in configured]
        return [*self._instances.values(), *others]

    def _instance(self, host: str, port: int) -> Instance:
        return Instance(
            server=self.target.name, host=host, port=port, settings=self._settings, on_change=self._on_change
        )

    def _use(self, hosts: list[str]) -> None:
        for host in hosts:
            if host not in self._instances:
                self._instances[host] = self._instance(host, self.target.port)
        self._resolved.set()
        self._on_change()

    async def _keep_resolving(self) -> None:
        while True:
            hosts, reason = await self._resolve()
            if hosts and hosts != sorted(self._instances):
                gone = [self._instances.pop(host) for host in list(self._instances) if host not in hosts]
                self._use(hosts)
                await asyncio.gather(*(instance.close() for instance in gone))
            elif reason != self._reason:
                self._reason = reason
                self._on_change()
            self._resolved.set()
            await asyncio.sleep(self._settings.resolve_interval_s)

    async def _resolve(self) -> tuple[list[str], str]:
        try:
            async with asyncio.timeout(self._settings.health_timeout_s):
                found = await asyncio.get_running_loop().getaddrinfo(
                    self.target.host, self.target.port, type=socket.SOCK_STREAM
                )
        except (OSError, TimeoutError):
            # Instances that are known stay: a DNS server that is away says nothing about them.
            return [], f"the name {self.target.host} cannot be resolved"
        families = {family for family, *_ in found}
        wanted = socket.AF_INET if socket.AF_INET in families else socket.AF_INET6
        return sorted({str(address[0]) for family, _, _, _, address in found if family == wanted}), ""


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
