"""Prints the counts of each module and writes the mutants that no test noticed."""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from pathlib import Path

from changes import SOURCES, mutants_of

COLUMNS = ("killed", "survived", "no tests", "time limit", "crashed", "not run")


def main() -> None:
    """Reads the verdicts; a mutant tested twice counts with its last one."""
    os.chdir("mutants")
    path = Path(os.environ["MUTATION_VERDICTS"])
    verdicts = {each["name"]: each["verdict"] for each in map(json.loads, path.read_text().splitlines())}
    modules = os.environ["MUTATION_MODULES"].split()
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    left: list[str] = []
    for module in modules:
        for mutant in mutants_of(module):
            verdict = verdicts.get(mutant.name, "not run")
            counts[module][verdict] += 1
            if verdict not in ("killed", "not run"):
                kind = "text" if mutant.text_only else "code"
                left.append(f"{module}\t{verdict}\t{kind}\t{mutant.short}\t{mutant.before}\t{mutant.after}")
    rows = [*counts.items(), ("total", sum(counts.values(), Counter()))]
    print("| Module | Mutants |" + "".join(f" {column.capitalize()} |" for column in COLUMNS))
    print("|---|---|" + "---|" * len(COLUMNS))
    for module, found in rows:
        print(f"| `{module}` | {found.total()} |" + "".join(f" {found[column]} |" for column in COLUMNS))
    listed = path.with_name("left.tsv")
    listed.write_text("\n".join(left) + "\n")
    print("\nmutants that were not killed, one a line:", listed)
    missing = {each.stem for each in SOURCES.glob("*.py.meta")} - {f"{module}.py" for module in modules}
    if missing:
        print("modules left out:", ", ".join(sorted(name.removesuffix(".py") for name in missing)))


if __name__ == "__main__":
    main()
