"""From a snapshot of the mesh to Envoy's configuration, without what Envoy has refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import structlog

from onenumbers.gateway.v1 import gateway_pb2
from onenumbers_gateway.model import Endpoint, MeshSnapshot, ServerSnapshot
from onenumbers_gateway.xds import resources
from onenumbers_gateway.xds.clusters import (
    GATEWAY,
    GATEWAY_HTTP,
    build_assignment,
    build_cluster,
    cluster_name,
    has_addresses,
)
from onenumbers_gateway.xds.contract import Contract, ContractError, Method, files_of, read_contract
from onenumbers_gateway.xds.listener import LISTENER, build_listener
from onenumbers_gateway.xds.resources import Plan, ResourceSet
from onenumbers_gateway.xds.routes import INFRASTRUCTURE, ROUTES, build_routes
from onenumbers_gateway.xds.settings import EdgeSettings
from onenumbers_gateway.xds.transcoding import build_transcoder

_log = structlog.get_logger(__name__)

_GATEWAY_SERVICE = "onenumbers.gateway.v1.GatewayService"

ContractKey = tuple[str, str]
"""Server and descriptor hash: a new contract gets a new chance."""


@dataclass(slots=True)
class Quarantine:
    """What Envoy has refused, and what has to be tried again on its own.

    Envoy refuses an update as a whole. Where its message names the service or server, that one is kept out. Where
    it names nobody, every contract that was never accepted is suspected: all are kept out, then let in one by one.
    """

    services: dict[tuple[ContractKey, str], str] = field(default_factory=dict)
    """Services without JSON, with Envoy's message."""
    contracts: dict[ContractKey, str] = field(default_factory=dict)
    """Servers without JSON, with Envoy's message."""
    clusters: dict[tuple[str, tuple[Endpoint, ...]], str] = field(default_factory=dict)
    """Servers that cannot be reached at all, with Envoy's message."""
    accepted: set[ContractKey] = field(default_factory=set)
    waiting: list[ContractKey] = field(default_factory=list)
    """Suspects that have not had their own try yet."""
    on_trial: ContractKey | None = None

    def forget(self, alive: set[ContractKey], clusters: set[tuple[str, tuple[Endpoint, ...]]]) -> None:
        """Drops what is known of contracts and instances that are gone."""
        self.services = {key: reason for key, reason in self.services.items() if key[0] in alive}
        self.contracts = {key: reason for key, reason in self.contracts.items() if key in alive}
        self.clusters = {key: reason for key, reason in self.clusters.items() if key in clusters}
        self.accepted &= alive
        self.waiting = [key for key in self.waiting if key in alive]


class Planner:
    """Builds plans. Keeps contracts that were read, owners of services, and the quarantine."""

    def __init__(self, settings: EdgeSettings) -> None:
        self._settings = settings
        self._listeners = ResourceSet.build([(LISTENER, build_listener(settings))])
        self._contracts: dict[ContractKey, Contract | ContractError] = {}
        self._owners: dict[str, str] = {}
        self._quarantine = Quarantine()
        self._routes: tuple[object, ResourceSet, dict[str, str]] | None = None
        self._snapshot = MeshSnapshot()
        self._own = read_contract(files_of(gateway_pb2.DESCRIPTOR), [_GATEWAY_SERVICE])

    def plan(self, snapshot: MeshSnapshot) -> Plan:
        """Returns the configuration for a snapshot."""
        self._snapshot = snapshot
        self._quarantine.forget(
            {_key(server) for server in snapshot.servers},
            {(server.name, server.endpoints) for server in snapshot.servers},
        )
        left_out: dict[str, str] = {}
        usable = [server for server in snapshot.servers if self._usable(server, left_out)]
        clusters, endpoints = self._reachability(usable)
        routes, routes_left_out = self._build_routes(usable)
        return Plan(
            snapshot_version=snapshot.version,
            clusters=clusters,
            endpoints=endpoints,
            listeners=self._listeners,
            routes=routes,
            left_out={**left_out, **routes_left_out},
        )

    def accept(self) -> bool:
        """Notes that Envoy took the newest plan; returns whether a suspect is let in and a new plan is due."""
        quarantine = self._quarantine
        quarantine.accepted |= {key for key in map(_key, self._snapshot.servers) if key not in quarantine.contracts}
        quarantine.on_trial = None
        if not quarantine.waiting:
            return False
        quarantine.on_trial = quarantine.waiting.pop(0)
        quarantine.contracts.pop(quarantine.on_trial, None)
        return True

    def reject(self, type_url: str, detail: str) -> bool:
        """Notes that Envoy refused the newest plan; returns whether something can be left out and a new plan is due."""
        if type_url in (resources.CLUSTER, resources.ENDPOINTS):
            return self._reject_clusters(detail)
        if type_url == resources.ROUTES:
            return self._reject_services(detail) or self._suspect_contracts(detail)
        return False

    def _reject_clusters(self, detail: str) -> bool:
        fresh = [
            (server.name, server.endpoints)
            for server in self._snapshot.servers
            if cluster_name(server.name) in detail and (server.name, server.endpoints) not in self._quarantine.clusters
        ]
        self._quarantine.clusters.update(dict.fromkeys(fresh, detail))
        return bool(fresh)

    def _reject_services(self, detail: str) -> bool:
        named = []
        for server in self._snapshot.servers:
            for service in server.services:
                entry = (_key(server), service)
                if (
                    service in detail
                    and self._owners.get(service) == server.name
                    and entry not in self._quarantine.services
                ):
                    named.append(entry)
        # "pkg.Foo" is also found in a message about "pkg.FooBar": the longest name is the one that was meant.
        longest = [
            entry for entry in named if not any(entry[1] != other[1] and entry[1] in other[1] for other in named)
        ]
        self._quarantine.services.update(dict.fromkeys(longest, detail))
        return bool(longest)

    def _suspect_contracts(self, detail: str) -> bool:
        quarantine = self._quarantine
        if quarantine.on_trial is not None:
            quarantine.contracts[quarantine.on_trial] = detail
            quarantine.on_trial = None
            return True
        suspects = [
            key
            for key in map(_key, self._snapshot.servers)
            if key not in quarantine.accepted and key not in quarantine.contracts
        ]
        quarantine.contracts.update(dict.fromkeys(suspects, detail))
        if len(suspects) > 1:
            quarantine.waiting.extend(suspects)
        return bool(suspects)

    def _usable(self, server: ServerSnapshot, left_out: dict[str, str]) -> bool:
        reason = self._quarantine.clusters.get((server.name, server.endpoints))
        if reason is None:
            bad = next((item for item in server.endpoints if not item.host or not 0 < item.port < 65536), None)
            reason = f"{bad.host}:{bad.port} is no address" if bad is not None else None
        if reason is not None:
            left_out[server.name] = reason
        return reason is None and bool(server.services)

    def _reachability(self, servers: list[ServerSnapshot]) -> tuple[ResourceSet, ResourceSet]:
        settings = self._settings
        gateway = (Endpoint(settings.gateway_host, settings.gateway_port),)
        gateway_http = (Endpoint(settings.gateway_host, settings.gateway_http_port),)
        members: dict[str, tuple[Endpoint, ...]] = {GATEWAY: gateway, GATEWAY_HTTP: gateway_http}
        members.update((cluster_name(server.name), server.endpoints) for server in servers)
        clusters = [
            (name, build_cluster(name, endpoints, settings, http1=name == GATEWAY_HTTP))
            for name, endpoints in members.items()
        ]
        assignments = [
            (name, build_assignment(name, endpoints)) for name, endpoints in members.items() if has_addresses(endpoints)
        ]
        return ResourceSet.build(clusters), ResourceSet.build(assignments)

    def _build_routes(self, servers: list[ServerSnapshot]) -> tuple[ResourceSet, dict[str, str]]:
        owners = self._assign_owners(servers)
        identity = (tuple(owners.items()), tuple(map(_key, servers)), *self._blocked())
        # Health changes often, contracts seldom: descriptors are put together only when they changed.
        if self._routes is not None and self._routes[0] == identity:
            return self._routes[1], self._routes[2]
        left_out: dict[str, str] = {}
        contracts = dict(self._read_contracts(servers, left_out))
        services = [_GATEWAY_SERVICE, *self._transcoded(owners, servers, left_out)]
        transcodable = {"": self._own} | {
            name: contract for name, contract in contracts.items() if self._blocked_contract(name, servers) is None
        }
        transcoder, conflicts = build_transcoder(transcodable, services)
        left_out.update((name, f"no JSON: {reason}") for name, reason in conflicts.items())
        methods: dict[str, list[Method]] = {_GATEWAY_SERVICE: list(self._own.methods)}
        for service, server in owners.items():
            contract = contracts.get(server)
            methods[service] = [item for item in contract.methods if item.service == service] if contract else []
        events = None
        if any(method.server_streaming for name in transcoder.services for method in methods[name]):
            events, _ = build_transcoder(transcodable, transcoder.services, server_sent_events=True)
        configuration = build_routes(
            self._settings,
            owners=[
                (_GATEWAY_SERVICE, self._own.methods, GATEWAY),
                *((service, methods[service], cluster_name(server)) for service, server in owners.items()),
            ],
            gateway_methods=self._own.methods,
            transcoder=transcoder,
            events_transcoder=events,
        )
        built = ResourceSet.build([(ROUTES, configuration)])
        self._routes = (identity, built, left_out)
        return built, left_out

    def _assign_owners(self, servers: list[ServerSnapshot]) -> Mapping[str, str]:
        """Gives each service to one server; who has it keeps it as long as it offers it."""
        offered = {server.name: frozenset(server.services) for server in servers}
        kept = {service: name for service, name in self._owners.items() if service in offered.get(name, ())}
        for server in servers:
            for service in server.services:
                if service != _GATEWAY_SERVICE and service not in INFRASTRUCTURE:
                    kept.setdefault(service, server.name)
        self._owners = kept
        return kept

    def _read_contracts(
        self, servers: list[ServerSnapshot], left_out: dict[str, str]
    ) -> Iterator[tuple[str, Contract]]:
        alive = set(map(_key, servers))
        self._contracts = {key: value for key, value in self._contracts.items() if key in alive}
        for server in servers:
            key = _key(server)
            if key not in self._contracts:
                try:
                    wanted = frozenset(server.services) - {_GATEWAY_SERVICE, *INFRASTRUCTURE}
                    self._contracts[key] = read_contract(server.files, wanted)
                except ContractError as error:
                    self._contracts[key] = error
            contract = self._contracts[key]
            if isinstance(contract, ContractError):
                left_out[server.name] = f"no JSON: {contract}"
            else:
                yield server.name, contract

    def _transcoded(
        self, owners: Mapping[str, str], servers: list[ServerSnapshot], left_out: dict[str, str]
    ) -> Iterator[str]:
        keys = {server.name: _key(server) for server in servers}
        for service, server in owners.items():
            reason = self._quarantine.services.get((keys[server], service))
            if reason is None:
                yield service
            else:
                left_out[service] = f"no JSON: {reason}"
        for server, key in keys.items():
            if key in self._quarantine.contracts:
                left_out[server] = f"no JSON: {self._quarantine.contracts[key]}"

    def _blocked(self) -> tuple[frozenset[object], frozenset[object]]:
        return frozenset(self._quarantine.services), frozenset(self._quarantine.contracts)

    def _blocked_contract(self, name: str, servers: list[ServerSnapshot]) -> str | None:
        key = next(_key(server) for server in servers if server.name == name)
        return self._quarantine.contracts.get(key)


def _key(server: ServerSnapshot) -> ContractKey:
    return server.name, server.descriptor_hash
