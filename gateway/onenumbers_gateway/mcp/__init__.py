"""The MCP face: the tools of the mesh for agents, on the official SDK."""
