#!/usr/bin/env bash
# Says in one line what a machine lacks, before anything is installed.
set -euo pipefail

python="${1:-python3}"
command -v "$python" >/dev/null || { echo "Python 3.11 or newer is needed, and $python is not there (set PYTHON=...)" >&2; exit 1; }
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  { echo "Python 3.11 or newer is needed, $("$python" --version 2>&1) is older: make PYTHON=python3.12 ..." >&2; exit 1; }
"$python" -c 'import venv, ensurepip' 2>/dev/null ||
  { echo "Python's venv module is missing: install it (Debian and Ubuntu: apt install python3-venv)" >&2; exit 1; }
for compiler in "${CXX:-}" c++ g++ clang++; do
  [ -n "$compiler" ] && command -v "$compiler" >/dev/null && exit 0
done
echo "a C/C++ compiler is needed for llama.cpp: install one (Debian and Ubuntu: apt install build-essential)" >&2
exit 1
