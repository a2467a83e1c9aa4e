"""Formulas for documents that show a method by examples without a rule that can be read.

First small formulas are tried on the examples; where that leaves a doubt, the model drafts from the prose. What is
found is registered only without doubt; otherwise it is proposed, and the finding says why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

import numpy as np

from onenumbers_research.discovery.definitions import BuiltIn
from onenumbers_research.discovery.drafting import Drafted, Drafter
from onenumbers_research.discovery.extraction import Candidate, identifier
from onenumbers_research.discovery.formula_trees import Rows, Tree
from onenumbers_research.discovery.input_quantities import quantities_of
from onenumbers_research.discovery.methods import LEAST_EXAMPLES, Method, every_quantity, examples_of, inputs_of
from onenumbers_research.discovery.sample_inputs import random_rows
from onenumbers_research.discovery.synthesis import Search as Found
from onenumbers_research.discovery.synthesis import synthesize
from onenumbers_research.runs.records import Search

ENOUGH_EXAMPLES: Final = 3
"""Examples without which what was found by trying is only proposed."""
MOST_BY_CHANCE: Final = 0.05
"""Formulas that may be expected to fit by chance, at most."""
_OTHERS: Final = 12
"""Random inputs by which formulas that fit are told apart."""
_USUAL_NUMBERS: Final = (2, 3, 9)


@dataclass(frozen=True, slots=True)
class Derived:
    """What was found for a method."""

    candidate: Candidate | None
    """None where nothing gives every result."""
    search: Search
    doubts: tuple[str, ...]
    """Why it is only proposed; why nothing was found, where there is no candidate."""
    told: str
    """How it was found, in words."""


class Derivation:
    """Finds formulas for the documents of one run.

    Args:
        built_in: Where the letters of names come from.
        drafter: The model's part.
        seed: What random inputs are drawn from.
    """

    def __init__(self, *, built_in: BuiltIn, drafter: Drafter, seed: str) -> None:
        self._built_in = built_in
        self._drafter = drafter
        self._seed = seed

    async def derive(self, method: Method) -> Derived:
        """Returns the formula that a method's examples show, or why there is none.

        Raises:
            MeshError: The utilities server does not answer.
        """
        if len({item.expected for item in method.examples}) == 1:
            return Derived(None, Search(), ("all worked examples have one result, and a constant is no method",), "")
        rows = await self._rows(method)
        if rows is None:
            return Derived(None, Search(), ("a name of the examples has no letters that can be counted",), "")
        found = await asyncio.to_thread(_tried, method, rows)
        doubts = _doubts(method, found.fits[0], found, least=ENOUGH_EXAMPLES) if found.fits else ()
        if found.fits and not doubts:
            return _derived(method, found.fits[0], found, (), None, 0)
        drafted = await self._drafter.draft(method, method.quantities)
        fitting = [tree for tree in drafted.trees if _gives(tree, rows, method)]
        if fitting:
            # The draft that was written most often, and of those the first.
            tree = max(fitting, key=fitting.count)
            doubts = _doubts(method, tree, found, least=LEAST_EXAMPLES, rows=rows, drafts=set(drafted.trees))
            return _derived(method, tree, found, doubts, drafted, len(fitting))
        if found.fits:
            return _derived(method, found.fits[0], found, doubts, drafted, 0)
        nothing = f"none of the {found.tried} small formulas that were tried gives every result"
        return Derived(None, _search(found, found.chance(), drafted, 0), (nothing, _of_model(drafted, 0)), "")

    async def _rows(self, method: Method) -> dict[str, Rows] | None:
        random = Random(f"{self._seed} {method.title}")  # noqa: S311 - a sample, no secret
        rows: list[Any] = [item.inputs for item in method.examples]
        rows += random_rows(method.inputs, random)[:_OTHERS]
        names = list(dict.fromkeys(row["name"] for row in rows if "name" in row))
        letters = await self._built_in.letters(names)
        if any(name not in letters for name in names):
            return None
        return quantities_of(rows, letters)


def _tried(method: Method, rows: dict[str, Rows]) -> Found:
    """Tries what the sentences speak of, and where nothing fits, everything that the inputs are made of."""
    expected = [item.expected for item in method.examples]
    spoken = {name: rows[name] for name in method.quantities}
    first = synthesize(spoken, expected, numbers=method.numbers, functions=method.functions)
    if first.fits:
        return first
    every = {name: rows[name] for name in every_quantity(method.inputs)}
    second = synthesize(every, expected, numbers=(*method.numbers, *_USUAL_NUMBERS))
    return replace(second, tried=first.tried + second.tried)


def _gives(tree: Tree, rows: dict[str, Rows], method: Method) -> bool:
    values = tree.evaluate(rows)
    expected = np.array([item.expected for item in method.examples], dtype=np.int64)
    return bool((values[: len(expected)] == expected).all() and (values != values[0]).any())


def _doubts(
    method: Method,
    tree: Tree,
    found: Found,
    *,
    least: int,
    rows: dict[str, Rows] | None = None,
    drafts: set[Tree] | None = None,
) -> tuple[str, ...]:
    """Returns why a formula that gives every result may still not be the one that was meant."""
    doubts: list[str] = []
    results = {item.expected for item in method.examples}
    if len(method.examples) < least:
        doubts.append(f"{len(method.examples)} worked examples are too few: {least} are needed")
    if len(results) <= len(tree.numbers):
        doubts.append(
            f"the examples have {len(results)} different results, and the formula {len(tree.numbers)} numbers of its "
            "own: there must be more of the former"
        )
    others = found.fits if rows is None else _unlike(tree, found.fits, rows)
    count = found.fitting - (rows is None)
    if (rows is None and count) or (rows is not None and others):
        other = others[-1] if rows is None else others[0]
        doubts.append(f"another formula that is not larger gives the same results, such as {other.formula()}")
    chance = found.chance(drafts)
    if chance > MOST_BY_CHANCE:
        doubts.append(f"{chance:.2g} of what was tried is expected to give these results by chance")
    return tuple(doubts)


def _unlike(tree: Tree, fits: Sequence[Tree], rows: dict[str, Rows]) -> list[Tree]:
    own = tree.evaluate(rows)
    return [fit for fit in fits if fit.size <= tree.size and (fit.evaluate(rows) != own).any()]


def _derived(
    method: Method, tree: Tree, found: Found, doubts: Sequence[str], drafted: Drafted | None, fitting: int
) -> Derived:
    inputs = inputs_of(tree.quantities, method.inputs)
    by_model = fitting > 0
    candidate = Candidate(
        utility_id=identifier(method.title),
        title=method.title[:200],
        description=" ".join(method.sentences)[:4000],
        inputs=inputs,
        formula=tree.formula(),
        examples=examples_of(method.examples, inputs),
        origin="model" if by_model else "examples",
        quote=" ".join(method.sentences)[:300],
    )
    tried = f"found by trying {found.tried} small formulas on the worked examples"
    if drafted is None:
        told = f"{tried}; the only one of its size that gives every result"
    else:
        told = _of_model(drafted, fitting) if by_model else f"{tried}; {_of_model(drafted, fitting)}"
    chance = found.chance(set(drafted.trees) if by_model and drafted is not None else None)
    return Derived(candidate, _search(found, chance, drafted, fitting), tuple(doubts), told)


def _of_model(drafted: Drafted, fitting: int) -> str:
    if not drafted.model:
        return f"no model took part: {drafted.reason}"
    told = f"of {drafted.written} drafts of the model {drafted.model} {fitting or 'none'} gave every result"
    return f"{told} ({drafted.reason})" if drafted.reason else told


def _search(found: Found, chance: float, drafted: Drafted | None, fitting: int) -> Search:
    return Search(
        formulas_tried=found.tried,
        formulas_fitting=found.fitting,
        expected_by_chance=chance,
        model=drafted.model if drafted is not None else "",
        drafts=drafted.written if drafted is not None else 0,
        drafts_reproducing=fitting,
    )
