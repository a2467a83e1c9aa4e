"""Keeps pages of other sites away from a mesh on loopback, which asks nobody who they are.

A browser sends some requests for any page without asking first (a POST of text, a form), and a page whose name is made
to resolve to this machine (DNS rebinding) may even read the answers. Both tell themselves by a header that a page
cannot forge: Origin, and the name under which the mesh was called. The MCP endpoint asks for the same by itself.
"""

from __future__ import annotations

import json
from typing import Final, TypeAlias

from envoy.config.route.v3 import route_components_pb2

_NAMES: Final = r"(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(:\d{1,5})?"
_PERMISSION_DENIED: Final = 7

Route: TypeAlias = route_components_pb2.Route


def refuse_foreign_origins() -> Route:
    """Returns the route that answers 403 to requests of pages that do not come from this machine."""
    route = _refusal("requests of pages of other sites are refused: this mesh listens on loopback without a token")
    # Absent is not foreign: only browsers send it.
    route.match.headers.add(name="origin", present_match=True)
    route.match.headers.add(name="origin", invert_match=True).string_match.safe_regex.regex = rf"https?://{_NAMES}"
    return route


def refuse_foreign_names() -> Route:
    """Returns the route that answers 403 to HTTP requests under a name that is not this machine's."""
    route = _refusal("this mesh listens on loopback: call it as localhost, 127.0.0.1 or [::1]")
    route.match.headers.add(name=":authority", invert_match=True).string_match.safe_regex.regex = _NAMES
    return route


def _refusal(message: str) -> Route:
    route = Route()
    route.match.prefix = "/"
    route.direct_response.status = 403
    body = {"code": _PERMISSION_DENIED, "message": message, "details": []}
    route.direct_response.body.inline_string = json.dumps(body)
    header = route.response_headers_to_add.add()
    header.header.key, header.header.value = "content-type", "application/json"
    header.append_action = header.OVERWRITE_IF_EXISTS_OR_ADD
    return route
