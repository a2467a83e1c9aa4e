"""Generates the Python code of the contract into protos/gen, from nothing: stale files do not survive.

Usage: python scripts/gen_protos.py [--check]

With --check nothing is written; the exit status is 1 where the committed code is stale.
"""

from __future__ import annotations

import argparse
import filecmp
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
GENERATED = PROTOS / "gen"


def sources() -> list[Path]:
    """Returns the proto files of ours, and the one vendored file whose Python no package carries."""
    ours = sorted((PROTOS / "onenumbers").rglob("*.proto"))
    return [*ours, PROTOS / "vendor" / "buf" / "validate" / "validate.proto"]


def generate(target: Path) -> None:
    """Writes messages, services and type stubs of all sources below `target`."""
    import grpc_tools

    well_known = Path(grpc_tools.__file__).parent / "_proto"
    plugins = Path(sys.executable).parent
    command = [
        sys.executable, "-m", "grpc_tools.protoc",
        f"--proto_path={PROTOS / 'vendor'}", f"--proto_path={PROTOS}", f"--proto_path={well_known}",
        f"--plugin=protoc-gen-mypy={plugins / 'protoc-gen-mypy'}",
        f"--plugin=protoc-gen-mypy_grpc={plugins / 'protoc-gen-mypy_grpc'}",
        f"--python_out={target}", f"--mypy_out=quiet:{target}",
    ]  # fmt: skip
    ours = [str(path) for path in sources()]
    subprocess.run([*command, *ours], check=True)
    services = [path for path in ours if "service " in Path(path).read_text(encoding="utf-8") and "onenumbers" in path]
    subprocess.run(
        [*command[:-2], f"--grpc_python_out={target}", f"--mypy_grpc_out=quiet:{target}", *services],
        check=True,
    )
    # Namespace packages would do for Python, but type checkers and wheels want the folders named as packages.
    for folder in {parent for path in target.rglob("*.py") for parent in path.relative_to(target).parents}:
        if str(folder) != ".":
            (target / folder / "__init__.py").touch()


def differences(left: Path, right: Path) -> list[str]:
    """Returns the relative paths that are missing on one side or differ in content."""
    names = {p.relative_to(base) for base in (left, right) for p in base.rglob("*.py*") if "__pycache__" not in p.parts}
    return [
        str(name)
        for name in sorted(names)
        if not (
            (left / name).exists() and (right / name).exists() and filecmp.cmp(left / name, right / name, shallow=False)
        )
    ]


def main() -> int:
    """Generates, or checks; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--check", action="store_true", help="compare only; exit with 1 where the committed code is stale"
    )
    check: bool = parser.parse_args().check
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch)
        generate(fresh)
        if check:
            stale = differences(fresh, GENERATED)
            for name in stale:
                print(f"stale: protos/gen/{name} (run `make proto` and commit the result)", file=sys.stderr)
            return 1 if stale else 0
        shutil.rmtree(GENERATED, ignore_errors=True)
        shutil.copytree(fresh, GENERATED)
    print(f"generated {len(sources())} files into protos/gen")
    return 0


if __name__ == "__main__":
    sys.exit(main())
