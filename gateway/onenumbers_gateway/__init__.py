"""The gateway: discovers the tools of all servers, and serves them as gRPC, REST, MCP and by name."""
