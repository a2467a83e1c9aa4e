"""One Envoy's ADS stream as a state machine: requests go in, what is to be sent comes out. No input or output here.

Clusters and their endpoints go first, with the old clusters still among them. When Envoy has taken both, the listener
and the routes follow. When it has taken those, the old clusters are removed. In any other order calls would fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from envoy.service.discovery.v3 import discovery_pb2

from onenumbers_gateway.xds import resources
from onenumbers_gateway.xds.resources import Plan, ResourceSet

Reject = Callable[[str, str], None]


@dataclass(slots=True)
class _Subscription:
    """What Envoy has asked for and been sent, of one type."""

    names: frozenset[str] = frozenset()
    nonce: str = ""
    sent: ResourceSet | None = None
    in_flight: bool = False
    due: bool = True
    """An answer is owed even when nothing changed."""
    acked: str = ""
    rejected: str = ""

    def settled(self, version: str) -> bool:
        """Tells whether Envoy has taken this version and waits for nothing."""
        return self.acked == version and not self.in_flight and not self.due


@dataclass(slots=True)
class AdsStream:
    """State of one stream. `reject` is called with the type and Envoy's message when it refuses something."""

    reject: Reject
    _subscriptions: dict[str, _Subscription] = field(default_factory=dict)
    _counter: int = 0

    def receive(self, request: discovery_pb2.DiscoveryRequest) -> None:
        """Takes a request: a subscription, an acknowledgement, or a refusal."""
        subscription = self._subscriptions.get(request.type_url)
        if subscription is None:
            subscription = self._subscriptions[request.type_url] = _Subscription()
        names = frozenset(request.resource_names)
        if names - subscription.names:
            subscription.due = True
        subscription.names = names
        if not request.response_nonce or request.response_nonce != subscription.nonce:
            # The first request of a stream is answered whatever it says; others answer something that is history.
            return
        subscription.in_flight = False
        sent = subscription.sent.version if subscription.sent else ""
        if request.HasField("error_detail"):
            subscription.rejected = sent
            self.reject(request.type_url, request.error_detail.message)
        elif request.version_info == sent:
            subscription.acked = sent

    def step(self, plan: Plan) -> Iterator[discovery_pb2.DiscoveryResponse]:
        """Yields what can be sent now to bring Envoy to the plan."""
        retired = not self._settled(resources.ROUTES, plan.routes)
        clusters = self._with_retired(resources.CLUSTER, plan.clusters) if retired else plan.clusters
        endpoints = self._with_retired(resources.ENDPOINTS, plan.endpoints) if retired else plan.endpoints
        for response in self._send(resources.CLUSTER, clusters):
            # After a change of clusters Envoy waits for endpoints, even for the same ones.
            if resources.ENDPOINTS in self._subscriptions:
                self._subscriptions[resources.ENDPOINTS].due = True
            yield response
        yield from self._send(resources.ENDPOINTS, endpoints)
        if self._settled(resources.CLUSTER, clusters) and self._endpoints_settled(endpoints):
            yield from self._send(resources.LISTENER, plan.listeners)
            yield from self._send(resources.ROUTES, plan.routes)

    def done(self, plan: Plan) -> bool:
        """Tells whether Envoy has taken the whole plan."""
        return (
            self._settled(resources.CLUSTER, plan.clusters)
            and self._endpoints_settled(plan.endpoints)
            and self._settled(resources.LISTENER, plan.listeners)
            and self._settled(resources.ROUTES, plan.routes)
        )

    def _send(self, type_url: str, wanted: ResourceSet) -> Iterator[discovery_pb2.DiscoveryResponse]:
        subscription = self._subscriptions.get(type_url)
        if subscription is None or subscription.in_flight or subscription.rejected == wanted.version:
            return
        if subscription.sent is not None and subscription.sent.version == wanted.version and not subscription.due:
            return
        self._counter += 1
        subscription.nonce = str(self._counter)
        subscription.sent = wanted
        subscription.in_flight = True
        subscription.due = False
        yield discovery_pb2.DiscoveryResponse(
            version_info=wanted.version,
            resources=wanted.packed(type_url),
            type_url=type_url,
            nonce=subscription.nonce,
        )

    def _settled(self, type_url: str, wanted: ResourceSet) -> bool:
        subscription = self._subscriptions.get(type_url)
        return subscription is not None and subscription.settled(wanted.version)

    def _endpoints_settled(self, wanted: ResourceSet) -> bool:
        if not wanted.items:
            return True
        subscription = self._subscriptions.get(resources.ENDPOINTS)
        return (
            subscription is not None
            and subscription.names >= wanted.items.keys()
            and subscription.settled(wanted.version)
        )

    def _with_retired(self, type_url: str, wanted: ResourceSet) -> ResourceSet:
        subscription = self._subscriptions.get(type_url)
        if subscription is None or subscription.sent is None or subscription.rejected == subscription.sent.version:
            return wanted
        return wanted.merged(subscription.sent.items)
