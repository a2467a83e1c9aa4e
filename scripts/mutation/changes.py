"""What each mutant changes, read from the files that the tool has written."""

from __future__ import annotations

import ast
import difflib
import json
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path("src/onenumbers_utilities/numerology")
"""Where the mutated package lies, below the tool's folder "mutants"."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one function."""

    name: str
    """As the tool calls it: "onenumbers_utilities.numerology.primitives.x_ds__mutmut_3"."""
    module: str
    """Of numerology/."""
    before: str
    """The line that changed, without its indentation."""
    after: str
    text_only: bool
    """Whether nothing but a text changed, by a letter case or by XX around it."""

    @property
    def short(self) -> str:
        """Returns "ds #3"."""
        function, _, number = self.name.rpartition(".")[2].rpartition("__mutmut_")
        return f"{function.removeprefix('x_').replace('xǁ', '').replace('ǁ', '.')} #{number}"

    @property
    def function(self) -> str:
        """Returns the function's name as the statistics of the tool have it."""
        return self.name.rpartition("__mutmut_")[0]


class _Blank(ast.NodeTransformer):
    """Empties every text, so that changes of texts alone are no change."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant("") if isinstance(node.value, str) else node


def _functions(path: Path) -> dict[str, ast.FunctionDef]:
    tree = ast.parse(path.read_text())
    return {
        node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and "__mutmut_" in node.name
    }


def _lines(function: ast.FunctionDef) -> list[str]:
    """Returns the lines of a function without its name, which differs from mutant to mutant."""
    return [line.strip() for line in ast.unparse(function).replace(function.name, "", 1).splitlines()]


def _shape(function: ast.FunctionDef) -> list[str]:
    """Returns what a function does apart from its texts: defaults of arguments and statements."""
    return [
        ast.dump(_Blank().visit(ast.parse(ast.unparse(each))))
        for each in (*function.args.defaults, *filter(None, function.args.kw_defaults), *function.body)
    ]


def mutants_of(module: str) -> list[Mutant]:
    """Returns the mutants of a module in the order of the file."""
    path = SOURCES / f"{module}.py"
    meta = path.with_name(path.name + ".meta")
    if not meta.exists():
        return []
    functions, found, originals = _functions(path), [], {}
    for name in json.loads(meta.read_text())["exit_code_by_key"]:
        mangled = name.rpartition(".")[2]
        base = mangled.rpartition("__mutmut_")[0]
        original = functions[base + "__mutmut_orig"]
        if base not in originals:
            originals[base] = _lines(original), _shape(original)
        lines, shape = originals[base]
        changed = _lines(functions[mangled])
        pairs = [line for line in difflib.ndiff(lines, changed) if line[:2] in ("- ", "+ ")]
        found.append(
            Mutant(
                name=name,
                module=module,
                before=" ".join(line[2:] for line in pairs if line.startswith("-")),
                after=" ".join(line[2:] for line in pairs if line.startswith("+")),
                text_only=_shape(functions[mangled]) == shape,
            )
        )
    return found
