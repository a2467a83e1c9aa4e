"""Writes the mutants of the copy in the working folder and learns which tests reach which function.

The tests must pass while it learns; loop.py proves that they pass without a mutant and fail with broken functions.
"""

from __future__ import annotations

from pathlib import Path

from mutmut.__main__ import (
    collect_or_load_stats,
    copy_also_copy_files,
    copy_src_dir,
    create_mutants,
    setup_source_paths,
    store_lines_covered_by_tests,
)
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.workers.isolation import get_mutant_runner

if __name__ == "__main__":
    set_mutant_under_test("mutant_generation")
    Path("mutants").mkdir(exist_ok=True)
    copy_src_dir()
    copy_also_copy_files()
    setup_source_paths()
    store_lines_covered_by_tests()
    create_mutants(1)
    runner = get_mutant_runner(1)
    collect_or_load_stats(runner, mutants_caught_by_type_checker={}, apply_config_invalidation=True)
