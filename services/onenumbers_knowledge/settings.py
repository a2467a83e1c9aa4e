"""Settings of the knowledge server."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from onenumbers_models.settings import ModelSettings

_SCHEMES = ("sqlite:///", "sqlite+aiosqlite:///")


class KnowledgeSettings(ModelSettings):
    """What the knowledge server reads from the environment."""

    port: int = Field(5001, ge=0, le=65535, validation_alias="MCP_KNOWLEDGE_PORT")
    """Port to listen on; 0 takes a free one."""
    database_url: str = Field("", validation_alias="DATABASE_URL")
    """Document store: "sqlite:///PATH"; a file in the data folder when empty."""
    load_corpus: bool = Field(True, validation_alias="MCP_LOAD_CORPUS")
    """Whether the starter corpus is loaded at start."""

    @model_validator(mode="after")
    def _check_database(self) -> Self:
        if self.database_url and not self.database_url.startswith(_SCHEMES):
            raise ValueError("DATABASE_URL must be sqlite:///PATH: other databases are not served")
        return self

    @property
    def store_path(self) -> Path:
        """File of the document store."""
        for scheme in _SCHEMES:
            if self.database_url.startswith(scheme):
                return Path(self.database_url.removeprefix(scheme))
        return self.data_dir / "knowledge" / "documents.sqlite"

    @property
    def index_path(self) -> Path:
        """File that the index is kept in between two runs."""
        return self.store_path.with_name("index.faiss")
