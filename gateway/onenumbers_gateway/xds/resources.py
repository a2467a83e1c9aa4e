"""What is pushed to Envoy: resources by type and name, with a version that is a digest of their content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message

_PREFIX = "type.googleapis.com/"
CLUSTER = f"{_PREFIX}envoy.config.cluster.v3.Cluster"
ENDPOINTS = f"{_PREFIX}envoy.config.endpoint.v3.ClusterLoadAssignment"
LISTENER = f"{_PREFIX}envoy.config.listener.v3.Listener"
ROUTES = f"{_PREFIX}envoy.config.route.v3.RouteConfiguration"


@dataclass(frozen=True, slots=True)
class ResourceSet:
    """Resources of one type by name. Equal content has an equal version, also after a restart."""

    items: Mapping[str, bytes]
    version: str

    @classmethod
    def of(cls, items: Mapping[str, bytes]) -> ResourceSet:
        """Returns the set of serialized resources."""
        digest = hashlib.sha256()
        for name in sorted(items):
            for part in (name.encode(), items[name]):
                digest.update(len(part).to_bytes(8))
                digest.update(part)
        return cls(items=dict(sorted(items.items())), version=digest.hexdigest()[:16])

    @classmethod
    def build(cls, messages: Iterable[tuple[str, Message]]) -> ResourceSet:
        """Returns the set of resources given as messages."""
        return cls.of({name: message.SerializeToString(deterministic=True) for name, message in messages})

    def merged(self, other: Mapping[str, bytes]) -> ResourceSet:
        """Returns this set with those of `other` that it lacks."""
        return self if other.keys() <= self.items.keys() else ResourceSet.of({**other, **self.items})

    def packed(self, type_url: str) -> list[AnyMessage]:
        """Returns the resources as a discovery response carries them."""
        return [AnyMessage(type_url=type_url, value=data) for data in self.items.values()]


@dataclass(frozen=True, slots=True)
class Plan:
    """Envoy's whole configuration for one snapshot of the mesh."""

    snapshot_version: int
    clusters: ResourceSet
    endpoints: ResourceSet
    listeners: ResourceSet
    routes: ResourceSet
    left_out: Mapping[str, str]
    """Servers and services that are not (or not as JSON) served, with the reason."""
