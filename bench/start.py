"""Time from `onenumbers up` to ready, and resident memory of the whole mesh.

Usage: python bench/start.py [--rounds N] [--data-dir DIR]

The first start prepares models and corpus and is not counted.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import psutil
from running import machine, median, mesh, write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data-dir", type=Path)
    options = parser.parse_args()
    seconds, memory, parts = [], [], {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.data_dir or Path(scratch) / "data"
        with mesh(folder) as first:
            prepared = first.start_s
        for _ in range(options.rounds):
            with mesh(folder) as ours:
                seconds.append(ours.start_s)
                root = psutil.Process(ours.pid)
                parts = {}
                for one in (root, *root.children(recursive=True)):
                    # Proportional shares, so that pages that several processes map are counted once.
                    share = one.memory_full_info().pss / 2**20
                    words = one.cmdline()
                    name = next((word for word in words if word.startswith("onenumbers_")), Path(words[0]).name)
                    parts[name] = parts.get(name, 0.0) + share
                memory.append(sum(parts.values()))
    rows = ["| Part | Memory, MB (PSS) |", "|---|---|"]
    rows += [f"| {name} | {share:.0f} |" for name, share in sorted(parts.items(), key=lambda item: -item[1])]
    rows.append(f"| whole mesh | {median(memory):.0f} |")
    text = (
        f"## Start and memory\n\n`python bench/start.py --rounds {options.rounds}`, {machine()}.\n\n"
        f"From `onenumbers up` to every server serving: {median(seconds):.1f} s "
        f"({min(seconds):.1f}-{max(seconds):.1f}); the very first start, with conversion of the model and embedding "
        f"of the corpus, {prepared:.1f} s.\n\n" + "\n".join(rows)
    )
    write_table("start", text)


if __name__ == "__main__":
    main()
