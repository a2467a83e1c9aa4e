#!/usr/bin/env bash
# Pins what pyproject.toml asks for: requirements.txt runs the mesh, requirements-dev.txt also tests it.
# Plain requirements files, installed with --no-deps; uv only compiles them.
set -euo pipefail
cd "$(dirname "$0")/.."
compile() {
  uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate \
    --override requirements.override.txt --no-emit-package onenumbers-mesh "$@"
  # What the overrides switch off would only confuse a reader.
  sed -i "/sys_platform == 'never'/d" "${@: -1}"
}
compile pyproject.toml --extra all -o requirements.txt
compile pyproject.toml --extra dev -c requirements.txt -o requirements-dev.txt
