"""`onenumbers models`: the local models, in a process of their own, which native code may crash without harm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from onenumbers_cli import exec_child
from onenumbers_cli.errors import CommandError, Exit


def run_models(command: str, *, data_dir: Path | None, as_json: bool = False) -> int:
    """Runs a command of `python -m onenumbers_models` with our standard streams; returns its exit status."""
    environment = dict(os.environ)
    if data_dir is not None:
        environment["MCP_DATA_DIR"] = str(data_dir.absolute())
    return run_module([command, *(["--json"] if as_json else [])], environment)


def check_models(*, data_dir: Path | None) -> list[str]:
    """Returns one line for each model that the settings name and that is not there.

    Raises:
        CommandError: The settings are wrong.
    """
    program = [sys.executable, "-m", "onenumbers_models", "list", "--json"]
    environment = dict(os.environ) | ({"MCP_DATA_DIR": str(data_dir.absolute())} if data_dir is not None else {})
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if done.returncode != 0:
        raise CommandError(done.stderr.strip() or f"ended with status {done.returncode}", Exit.USAGE)
    rows = json.loads(done.stdout)["models"]
    return [f"{row['kind']}: {row['setting']}: {row['state']}" for row in rows if row["state"] not in ("there", "off")]


def run_module(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Runs `python -m onenumbers_models`; it does not outlive us. A status of 128 + N stands for signal N."""
    program = [sys.executable, "-m", "onenumbers_models", *arguments]
    wrapper = [sys.executable, "-I", "-S", exec_child.__file__, str(os.getpid())]
    done = subprocess.run([*wrapper, *program], env=environment, check=False)  # noqa: S603 - our own modules
    return done.returncode if done.returncode >= 0 else 128 - done.returncode
