"""Models before the servers start: their first preparation takes a while, and its progress should be seen."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from onenumbers_cli.mesh import Layout
from onenumbers_cli.models import run_module
from onenumbers_cli.output import err

_VARIABLES = ("MCP_EMBEDDING_MODEL", "MCP_GENERATION_MODEL")


def prepare_models(layout: Layout) -> None:
    """Runs the preparation unless it has succeeded for the same settings; a failure is reported and stops nothing.

    Without models the knowledge server says so in its health, and the research server answers with passages alone.
    """
    if not {"knowledge", "research"} & layout.servers.keys():
        return
    data_dir = layout.edge.data_dir.absolute()
    # Beside the models, so that who deletes them deletes it too.
    stamp = data_dir / "models" / "prepared"
    wanted = _signature(layout)
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return
    err.print("preparing the local models (once)")
    status = run_module(["prepare", "--data-dir", str(data_dir)], layout.environment)
    if status != 0:
        err.print(f"the models could not be prepared (status {status}); the mesh starts without", style="yellow")
        return
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(wanted, encoding="utf-8")


def _signature(layout: Layout) -> str:
    chosen = layout.edge.data_dir.absolute() / "models" / "chosen.json"
    try:
        runtime = version("llama-cpp-python")
    except PackageNotFoundError:
        runtime = "none"
    return "".join(
        f"{line}\n"
        for line in (
            runtime,
            *(f"{name}={layout.environment.get(name, '')}" for name in _VARIABLES),
            chosen.read_text(encoding="utf-8") if chosen.is_file() else "",
        )
    )
