"""Settings of the research server."""

from __future__ import annotations

from pydantic import Field

from onenumbers_models.settings import ModelSettings


class ResearchSettings(ModelSettings):
    """What the research server reads from the environment."""

    port: int = Field(5000, ge=0, le=65535, validation_alias="MCP_RESEARCH_PORT")
    """Port to listen on; 0 takes a free one."""
    knowledge_url: str = Field("127.0.0.1:5001", validation_alias="MCP_KNOWLEDGE_URL")
    """Target of the knowledge server."""
    utilities_url: str = Field("127.0.0.1:5002", validation_alias="MCP_UTILITIES_URL")
    """Target of the utilities server."""
    discovery_every_hours: float = Field(0.0, ge=0, le=8760, validation_alias="MCP_DISCOVERY_EVERY_HOURS")
    """Hours from one scheduled discovery of utilities to the next; 0 schedules none."""
