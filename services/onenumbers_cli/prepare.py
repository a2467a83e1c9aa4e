"""Models before the servers start: their first preparation takes a while, and its progress should be seen."""

from __future__ import annotations

from onenumbers_cli.mesh import Layout
from onenumbers_cli.models import run_module
from onenumbers_cli.output import err


def prepare_models(layout: Layout) -> None:
    """Runs the preparation where no model was prepared yet; a failure is reported and stops nothing.

    Without models the knowledge server says so in its health, and the research server answers with passages alone.
    """
    data_dir = layout.edge.data_dir.absolute()
    if not {"knowledge", "research"} & layout.servers.keys() or any((data_dir / "models").glob("*.gguf")):
        return
    err.print("preparing the local models (once)")
    status = run_module(["prepare", "--data-dir", str(data_dir)], layout.environment)
    if status != 0:
        err.print(f"the models could not be prepared (status {status}); the mesh starts without", style="yellow")
