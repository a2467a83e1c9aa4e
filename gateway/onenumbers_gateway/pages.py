"""Pages of the tool list, serialized once per catalog and then handed out as they are."""

from __future__ import annotations

import base64
import binascii
from collections import OrderedDict

from onenumbers.gateway.v1 import gateway_pb2 as pb
from onenumbers_gateway.catalog import Catalog, Tool
from onenumbers_runtime.errors import invalid

DEFAULT_SIZE = 1_000
LARGEST_SIZE = 5_000
_FRAME_BYTES = 64 * 1024
"""What a page needs beside its tools: names of servers, the token, tags; rounded up."""
_KEPT_PAGES = 256


class ToolPages:
    """Renders pages.

    Args:
        max_bytes: Largest page; a page ends early rather than being lost on the way.
    """

    def __init__(self, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes - _FRAME_BYTES
        self._catalog = Catalog()
        self._servers: tuple[str, ...] = ()
        self._messages: dict[str, pb.Tool] = {}
        self._pages: OrderedDict[tuple[int, str, str, str], bytes] = OrderedDict()

    def use(self, catalog: Catalog, servers: tuple[str, ...]) -> None:
        """Renders from another catalog from now on."""
        self._catalog, self._servers = catalog, servers
        self._messages.clear()
        self._pages.clear()

    def message(self, tool: Tool) -> pb.Tool:
        """Returns a tool as a message, made once per catalog."""
        found = self._messages.get(tool.name)
        if found is None:
            found = self._messages[tool.name] = tool.message()
        return found

    def page(self, request: pb.ListToolsRequest) -> bytes:
        """Returns a ListToolsResponse, serialized.

        Raises:
            InvalidArgumentError: The page token was not given out for this list.
        """
        size = min(request.page_size or DEFAULT_SIZE, LARGEST_SIZE)
        key = (size, request.page_token, request.server, request.tag)
        page = self._pages.get(key)
        if page is None:
            page = self._render(size, _after(request.page_token), request.server, request.tag)
            self._pages[key] = page
            if len(self._pages) > _KEPT_PAGES:
                self._pages.popitem(last=False)
        return page

    def _render(self, size: int, after: str, server: str, tag: str) -> bytes:
        matching = [
            tool
            for tool in self._catalog.tools
            if server in ("", tool.server) and (not tag or tag in tool.definition.tags)
        ]
        rest = [tool for tool in matching if tool.name > after]
        response = pb.ListToolsResponse(
            total=len(matching), servers=self._servers, catalog_version=self._catalog.version
        )
        used = 0
        for tool in rest[:size]:
            message = self.message(tool)
            used += message.ByteSize() + 8
            if response.tools and used > self._max_bytes:
                break
            response.tools.append(message)
        if len(response.tools) < len(rest):
            response.next_page_token = _token(response.tools[-1].name)
        return response.SerializeToString()


def _token(name: str) -> str:
    """The token is the last name of the page: it stays right when tools come and go."""
    return base64.urlsafe_b64encode(f"after:{name}".encode()).decode().rstrip("=")


def _after(token: str) -> str:
    if not token:
        return ""
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (binascii.Error, ValueError, UnicodeDecodeError):
        text = ""
    if not text.startswith("after:"):
        raise invalid("page_token", "is not one that this gateway gave out", rule="page_token.known")
    return text.removeprefix("after:")
