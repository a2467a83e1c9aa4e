#!/usr/bin/env bash
# Runs the mutation test of numerology/: mutates a copy of the sources, runs the pure tests of tests/utilities on every
# mutant, and prints the counts of each module and the mutants that no test noticed (docs/mutation.md).
#
#   scripts/mutation.sh                       every module of numerology/, those that calculate first
#   scripts/mutation.sh primitives life_path  these modules only
#
# PYTHON            the project's interpreter; its packages are read, nothing is installed there (default .venv/bin/python)
# MUTATION_DIR      where the copy, the tool and the verdicts live; kept afterwards (default: a new temporary folder)
# MUTATION_RESUME   1 goes on with the copy and the verdicts that MUTATION_DIR has
# MUTATION_MINUTES  begins no mutant after so many minutes; what was not begun is "not run"
# MUTATION_SAMPLE   at most so many mutants of a module, drawn by chance, the same in every run
# MUTATION_ONLY     names of mutants, separated by spaces: only these are tested
# MUTATION_SKIP     names of tests, separated by spaces, that are left out
set -euo pipefail

root="$(cd "$(dirname "$0")/.." && pwd)"
python="${PYTHON:-$root/.venv/bin/python}"
work="${MUTATION_DIR:-$(mktemp -d)}"
mkdir -p "$work"
work="$(cd "$work" && pwd)"
copy="$work/copy"
parts="$root/scripts/mutation"
core="primitives reduction life_path name_numbers periods cycles planes inclusion transits chaldean lo_shu kua objects
  compatibility karmic vowels name_parts maturity bridges period_cycles timeline name_details minor attitude debt_report
  vedic phillips groupings comparison favourable_dates dates counting compounds names letters"

# The tool has an environment of its own.
tool="$work/tool"
[ -x "$tool/bin/mutmut" ] || { "$python" -m venv "$tool" && "$tool/bin/pip" install --quiet "mutmut==3.8.1"; }

if [ $# -gt 0 ]; then
  modules="$*"
else
  modules="$core"
  for file in "$root"/services/onenumbers_utilities/numerology/*.py; do
    module="$(basename "$file" .py)"
    case " $(echo $core) __init__ explanation_words " in *" $module "*) ;; *) modules="$modules $module" ;; esac
  done
fi
export MUTATION_MODULES="$(echo $modules)" MUTATION_VERDICTS="$work/verdicts.jsonl"

# The project's packages are named by PYTHONPATH, which reads no .pth file: the editable install stays unseen.
site="$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
export PYTHONDONTWRITEBYTECODE=1
unset PYTHONHOME

# What starts servers is left out; of the mixed suites, conftest_addition deselects what needs one.
pure_tests() { (cd "$copy" && find tests/utilities -name 'test_*.py' ! -name '*_service.py' ! -name test_service.py ! -name test_stream.py | sort); }

if [ "${MUTATION_RESUME:-}" != 1 ]; then
  rm -rf "$copy" "$work/verdicts.jsonl"
  # The sources are laid out under src/, which the tool leaves out of the names of modules.
  mkdir -p "$copy/src" "$copy/tests" "$copy/services"
  cp -R "$root/services/onenumbers_utilities" "$root/services/onenumbers_runtime" "$copy/src/"
  cp -R "$root/docs" "$root/protos" "$copy/"
  cp -R "$root/services/onenumbers_utilities" "$copy/services/"  # some tests read the text of the sources
  cp -R "$root/tests/utilities" "$copy/tests/"
  find "$copy" -name __pycache__ -prune -exec rm -rf {} +
  # Decorated functions are not mutated, and a cache would give a mutant the answers of the original.
  sed -i -E '/^@(lru_cache|cache)\b/d' "$copy"/src/onenumbers_utilities/numerology/*.py
  cat "$parts/conftest_addition.py" >> "$copy/tests/utilities/conftest.py"
  {
    echo '[tool.mutmut]'
    echo 'source_paths = ["src"]'
    printf 'only_mutate = ['; printf '"src/onenumbers_utilities/numerology/%s.py", ' $modules; echo ']'
    echo 'also_copy = ["docs", "protos", "services"]'
    printf 'pytest_add_cli_args_test_selection = ['; printf '"%s", ' $(pure_tests); echo ']'
    echo 'pytest_add_cli_args = ["--import-mode=importlib", "-p", "no:cacheprovider"]'
    # Each mutant starts from a process that has collected the tests and run none, so nothing is warm.
    echo 'process_isolation = "forkserver"'
    echo 'use_git_change_detection = false'
    echo 'track_dependencies = false'
    echo
    echo '[tool.pytest.ini_options]'
    echo 'asyncio_mode = "auto"'
    echo 'asyncio_default_fixture_loop_scope = "function"'
  } > "$copy/pyproject.toml"
  export PYTHONPATH="$copy/src:$copy/protos/gen:$site"
  cd "$copy"
  "$tool/bin/python" - "$copy" <<'PROOF'
import sys
from importlib.util import find_spec

origin = find_spec("onenumbers_utilities").origin
print("mutating", origin)
sys.exit(not origin.startswith(sys.argv[1] + "/"))
PROOF
  nice -n 19 "$tool/bin/python" "$parts/prepare.py" > "$work/run.log" 2>&1 || { tail -n 40 "$work/run.log"; exit 1; }
  cp "$copy/mutants/mutmut-stats.json" "$work/"
fi

cd "$copy/mutants"
export PYTHONPATH="$copy/mutants/src:$copy/protos/gen:$site:$parts"
# shellcheck disable=SC2046 # names of tests have no spaces
nice -n 19 "$tool/bin/python" "$parts/loop.py" $(pure_tests) >> "$work/run.log" 2>&1 || { tail -n 40 "$work/run.log"; exit 1; }
cd "$copy"
"$tool/bin/python" "$parts/report.py"
