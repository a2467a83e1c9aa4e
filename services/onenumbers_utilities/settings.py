"""Settings of the utilities server."""

from __future__ import annotations

from pydantic import Field

from onenumbers_runtime.settings import MeshSettings


class UtilitiesSettings(MeshSettings):
    """What the utilities server reads from the environment."""

    port: int = Field(5002, ge=0, le=65535, validation_alias="MCP_UTILITIES_PORT")
    """Port to listen on; 0 takes a free one."""
