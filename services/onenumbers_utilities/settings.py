"""Settings of the utilities server."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator
from sqlalchemy import URL

from onenumbers_runtime.database import DatabaseError, database_url
from onenumbers_runtime.settings import MeshSettings
from onenumbers_utilities.registry.store import default_path


class UtilitiesSettings(MeshSettings):
    """What the utilities server reads from the environment."""

    port: int = Field(5002, ge=0, le=65535, validation_alias="MCP_UTILITIES_PORT")
    """Port to listen on; 0 takes a free one."""
    database_url: str = Field("", validation_alias="DATABASE_URL")
    """Where registered utilities are kept: sqlite:///PATH or postgresql://...; a file in the data folder when empty."""
    registry_cpu_s: float = Field(1.0, gt=0, le=30, validation_alias="MCP_REGISTRY_CPU_SECONDS")
    """Processor time in seconds that one evaluation of a registered formula may take."""
    registry_memory_mib: int = Field(256, ge=64, le=4096, validation_alias="MCP_REGISTRY_MEMORY_MIB")
    """Memory in MiB that the process of registered formulas may use beyond what it starts with."""
    registry_workers: int = Field(1, ge=1, le=64, validation_alias="MCP_REGISTRY_WORKERS")
    """Processes that evaluate registered formulas, and so evaluations at once."""

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, value: str) -> str:
        try:
            database_url(value, default=Path())
        except DatabaseError as error:
            raise ValueError(str(error).removeprefix("DATABASE_URL ")) from None
        return value

    @property
    def store_url(self) -> URL:
        """Where registered utilities are kept."""
        return database_url(self.database_url, default=default_path(self.data_dir))
