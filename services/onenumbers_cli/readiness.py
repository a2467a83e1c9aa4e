"""Whether the mesh answers: asked as a client would, over HTTP through the edge."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable

_SERVING = "SERVER_STATUS_SERVING"
_STARTING = "starting"


def missing_servers(
    host: str, port: int, servers: Iterable[str], *, token: str | None = None, timeout_s: float = 2.0
) -> dict[str, str]:
    """Returns the servers that do not serve through the edge yet, with the reason; "edge" while it does not answer.

    Args:
        host: Host of the edge as clients on this machine reach it.
        port: Port of the edge.
        servers: Servers that have to serve.
        token: Bearer token of the mesh.
        timeout_s: Longest time for the answer.
    """
    names = list(servers)
    connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
    try:
        connection.request("GET", "/health", headers={"Authorization": f"Bearer {token}"} if token else {})
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException):
        return dict.fromkeys(["edge", *names], _STARTING)
    finally:
        connection.close()
    if response.status in (http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN):
        return {"edge": "refuses the mesh's own token"}
    try:
        health = json.loads(body)["servers"]
        return {
            name: str(health.get(name, {}).get("reason") or _STARTING)
            for name in names
            if health.get(name, {}).get("status") != _SERVING
        }
    except (ValueError, KeyError, AttributeError, TypeError):
        # The edge answers, and has no route to the gateway yet.
        return dict.fromkeys(["gateway", *names], _STARTING)
