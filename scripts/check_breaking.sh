#!/usr/bin/env bash
# Compares the contract with the main branch's (or, on main itself, with the commit before): a change that breaks a
# client built against it fails. Does nothing where there is nothing to compare with.
set -euo pipefail
cd "$(dirname "$0")/.."
buf=${BUF:-.venv/bin/buf}
for base in origin/main main HEAD~1; do
  commit=$(git rev-parse --quiet --verify "$base^{commit}") || continue
  [ "$commit" = "$(git rev-parse HEAD)" ] && git diff --quiet HEAD -- protos && continue
  git cat-file -e "$commit:buf.yaml" 2>/dev/null || continue
  echo "contract: compared with $base"
  exec "$buf" breaking --against ".git#ref=$commit"
done
echo "contract: nothing earlier to compare with"
