"""A hub on loopback with the headers of the real one: serves files, counts requests, and can cut or damage them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """What the hub holds and what it was asked for."""

    files: dict[str, bytes]
    """By path, such as "owner/repository/file.gguf"."""
    cuts: int = 0
    """How many downloads still end halfway."""
    damaged: bool = False
    """Whether the last byte is sent as another one."""
    ranges: list[str] = field(default_factory=list)
    """Range header of each download; "" without."""
    url: str = ""


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serves while the context is open."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments):
            pass

        def do_HEAD(self):
            self._answer(body=False)

        def do_GET(self):
            self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            owner, repository, *rest = self.path.strip("/").split("?")[0].split("/")
            data = hub.files.get(f"{owner}/{repository}/{'/'.join(rest[2:])}") if rest[:1] == ["resolve"] else None
            if data is None:
                self.send_response(404)
                self.send_header("X-Error-Code", "EntryNotFound")
                self.send_header("X-Repo-Commit", COMMIT)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            asked = self.headers.get("Range", "")
            start = int(asked.removeprefix("bytes=").split("-")[0] or 0) if asked else 0
            self.send_response(206 if asked else 200)
            digest = hashlib.sha256(data).hexdigest()
            sent = data[:-1] + bytes([data[-1] ^ 1]) if hub.damaged else data
            part = sent[start:]
            for name, value in (
                ("X-Repo-Commit", COMMIT),
                ("ETag", f'"{digest}"'),
                ("X-Linked-Etag", f'"{digest}"'),
                ("X-Linked-Size", str(len(data))),
                ("Accept-Ranges", "bytes"),
                ("Content-Length", str(len(part))),
            ):
                self.send_header(name, value)
            if asked:
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            self.end_headers()
            if not body:
                return
            hub.ranges.append(asked)
            if hub.cuts:
                hub.cuts -= 1
                self.wfile.write(part[: len(part) // 2])
                self.close_connection = True
                return
            self.wfile.write(part)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hub.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()
