"""Settings of the knowledge server."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator
from sqlalchemy import URL

from onenumbers_models.settings import ModelSettings
from onenumbers_runtime.database import DatabaseError, database_url


class KnowledgeSettings(ModelSettings):
    """What the knowledge server reads from the environment."""

    port: int = Field(5001, ge=0, le=65535, validation_alias="MCP_KNOWLEDGE_PORT")
    """Port to listen on; 0 takes a free one."""
    database_url: str = Field("", validation_alias="DATABASE_URL")
    """Documents: sqlite:///PATH, or postgresql://... that servers share; a file in the data folder when empty."""
    load_corpus: bool = Field(True, validation_alias="MCP_LOAD_CORPUS")
    """Whether the starter corpus is loaded at start."""

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
        """Where the document store is."""
        return database_url(self.database_url, default=self.data_dir / "knowledge" / "documents.sqlite")

    @property
    def store_file(self) -> Path | None:
        """File of the document store; None where it is a database that servers share."""
        url = self.store_url
        return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None

    @property
    def index_path(self) -> Path:
        """File that this server's index is kept in between two runs."""
        file = self.store_file
        return file.with_name("index.faiss") if file is not None else self.data_dir / "knowledge" / "index.faiss"
