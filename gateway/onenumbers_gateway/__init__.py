"""The gateway: discovers the tools of all servers, and serves them as gRPC, REST, MCP and by name."""

import onenumbers_runtime  # noqa: F401  # before gRPC, whose settings it makes
