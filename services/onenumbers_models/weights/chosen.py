"""The models that `onenumbers models use` chose, kept in the data folder; the environment wins over them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from onenumbers_models.errors import ModelError
from onenumbers_models.weights.sources import Kind
from onenumbers_runtime.settings import default_data_dir

FIELDS: dict[Kind, str] = {"embedding": "embedding_model", "generation": "generation_model"}
VARIABLES: dict[Kind, str] = {"embedding": "MCP_EMBEDDING_MODEL", "generation": "MCP_GENERATION_MODEL"}


def chosen_file(data_dir: Path) -> Path:
    """Returns where the choice is kept."""
    return data_dir / "models" / "chosen.json"


def read_chosen(data_dir: Path) -> dict[str, str]:
    """Returns the chosen models by field of the settings; nothing where the file is not there or no choice of ours."""
    try:
        found = json.loads(chosen_file(data_dir).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {field: found[field] for field in FIELDS.values() if isinstance(found.get(field), str)}


def write_chosen(data_dir: Path, kind: Kind, spec: str) -> None:
    """Keeps a choice.

    Raises:
        ModelError: The data folder cannot be written.
    """
    path = chosen_file(data_dir)
    now = read_chosen(data_dir) | {FIELDS[kind]: spec}
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")
        scratch.replace(path)
    except OSError as error:
        raise ModelError(f"the choice cannot be kept in {path.parent}: {error.strerror}") from None


class ChosenSource(PydanticBaseSettingsSource):
    """Gives the chosen models to the settings, below the environment and above the defaults."""

    def __init__(self, settings: type[BaseSettings]) -> None:
        super().__init__(settings)

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - the base's form
        """Returns nothing: all fields are given at once."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Returns the chosen models by the names of their variables."""
        state = self.current_state
        folder = state.get("data_dir") or state.get("MCP_DATA_DIR") or default_data_dir()
        found = read_chosen(Path(folder))
        # Whatever of the two names a value above has, ours must not stand beside it.
        return {
            VARIABLES[kind]: found[field]
            for kind, field in FIELDS.items()
            if field in found and field not in state and VARIABLES[kind] not in state
        }
