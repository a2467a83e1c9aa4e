"""Checks a text claim by claim: calculations by the utilities, meanings and facts by the knowledge base.

No model decides anything here: verdicts come from numbers and words, by rules that the method of each claim names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from onenumbers_research.claims.calculation_client import CalculationClient
from onenumbers_research.claims.calculation_verdicts import (
    CalculationJudgement,
    Outcome,
    RefusedError,
    judge_calculation,
    judge_sum,
    not_calculated,
)
from onenumbers_research.claims.calculations import Calculation
from onenumbers_research.claims.calibration import Calibration, Model, with_verdict
from onenumbers_research.claims.empirical_claims import CATEGORY, SCIENTIFIC, judge_empirical
from onenumbers_research.claims.evidence import Place
from onenumbers_research.claims.meaning_claims import judge_meaning, read_meaning
from onenumbers_research.claims.reading import MAX_CLAIMS, Claim, Kind, Verdict, read_claim, split
from onenumbers_research.claims.search import ClaimSearch
from onenumbers_research.together import together
from onenumbers_runtime.errors import invalid

_OWN = 40
_ITSELF = 20
_OTHERS = 30
_FACTS = 40
"""Passages that are read for a claim: on its number and words, on its number, on its words, on evidence."""
_AT_ONCE = 4
"""Claims that are checked at the same time."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A claim and what became of it."""

    claim: Claim
    verdict: Verdict
    reason: str
    quantities: Mapping[str, float]
    evidence: Sequence[Place] = ()
    outcomes: Sequence[Outcome] = field(default=())


class ClaimValidator:
    """Checks claims.

    Args:
        calculations: Client of the utilities server.
        search: Client of the knowledge server.
        calibration: Limits of the verdicts and the models of the confidence.
    """

    def __init__(self, *, calculations: CalculationClient, search: ClaimSearch, calibration: Calibration) -> None:
        self._calculations = calculations
        self._search = search
        self._calibration = calibration

    async def check_text(
        self, text: str, *, field_name: str, sources: Sequence[str] = (), number: int | None = None
    ) -> list[Checked]:
        """Returns the claims of a text with their verdicts, in their order.

        Args:
            text: The text.
            field_name: Name of the request's field, for errors.
            sources: Kinds of sources to look at; all when empty.
            number: The number that claims are about which name none.

        Raises:
            InvalidArgumentError: The text holds no claim, or too many.
            UnavailableError: A server that is needed is down.
        """
        claims = [read_claim(part) for part in split(text)]
        if not claims:
            raise invalid(field_name, "has to hold at least one word", rule="text.claims")
        if len(claims) > MAX_CLAIMS:
            raise invalid(
                field_name,
                f"holds {len(claims)} claims; at most {MAX_CLAIMS} are checked at once",
                rule="text.max_claims",
            )
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(claim: Claim) -> Checked:
            async with gate:
                return await self.check(claim, sources=sources, number=number)

        return await together([one(claim) for claim in claims])

    async def check(self, claim: Claim, *, sources: Sequence[str] = (), number: int | None = None) -> Checked:
        """Returns what became of one claim."""
        if claim.language != "en":
            reason = f'the rules that read claims are for English; this one seems to be in "{claim.language}"'
            return self._unread(claim, reason)
        if claim.kind is Kind.CALCULATION and claim.calculation is not None:
            return await self._calculation(claim, claim.calculation)
        if claim.kind is Kind.EMPIRICAL:
            return await self._empirical(claim, sources)
        if claim.kind is Kind.MEANING or number is not None:
            return await self._meaning(claim, sources, number)
        return self._unread(claim, "it states nothing of a number, a calculation or the evidence")

    def confidence(self, checked: Checked) -> float:
        """Returns the probability that the verdict is right, by the model of the claim's kind."""
        return self._model(checked).confidence(with_verdict(checked.quantities, checked.verdict.value))

    def formula(self, checked: Checked) -> str:
        """Returns how the confidence was computed, and from which quantities."""
        about, model = self._calibration.fitted, self._model(checked)
        if checked.claim.kind is Kind.CALCULATION:
            return (
                "share of right verdicts among the labelled calculations with this verdict, one right and one wrong "
                "case added (docs/validation.md)"
            )
        return (
            f"logistic model, fitted on {about.get('claims', 0)} labelled claims, of {model.formula()} "
            "(quantities; held-out accuracy and Brier score stand in docs/validation.md)"
        )

    def _model(self, checked: Checked) -> Model:
        # What no kind fits is looked at as a meaning: there the quantities are those of a claim that nothing covers.
        kind = checked.claim.kind if checked.claim.kind is not Kind.OTHER else Kind.MEANING
        return self._calibration.models[kind.value]

    def _unread(self, claim: Claim, reason: str) -> Checked:
        return Checked(claim, Verdict.NOT_COVERED, reason, {"words": float(len(claim.text.split()))})

    async def _calculation(self, claim: Claim, asked: Calculation) -> Checked:
        outcomes: list[Outcome] = []
        judgement: CalculationJudgement
        if asked.missing:
            judgement = not_calculated(asked, asked.missing)
        elif asked.operation == "sum":
            judgement = judge_sum(asked)
        else:
            try:
                outcomes = await self._calculations.outcomes(asked)
                judgement = judge_calculation(asked, outcomes)
            except RefusedError as error:
                judgement = not_calculated(asked, f"the utilities refuse it: {error}")
        return Checked(claim, _verdict(judgement.supported), judgement.reason, judgement.quantities, outcomes=outcomes)

    async def _meaning(self, claim: Claim, sources: Sequence[str], number: int | None) -> Checked:
        read = read_meaning(claim.text, number)
        numbers = [item for item in read.numbers if item <= 9999]
        query = f"{read.position} {' '.join(map(str, read.numbers))} {read.words}".strip()
        # The documents on the number itself, whatever words the claim chooses: in its position, or of its life path.
        itself = f"{read.position or 'life path'} {' '.join(map(str, read.numbers))}".strip()
        own, named, others = await together(
            [
                self._search.find(query, limit=_OWN, numbers=numbers, sources=sources),
                self._search.find(itself, limit=_ITSELF, numbers=numbers, sources=sources),
                self._search.find(f"{read.position} {read.words}".strip(), limit=_OTHERS, sources=sources),
            ]
        )
        own = list({item.passage_id: item for item in (*own, *named)}.values())
        # Reading the passages is work for the processor: not on the event loop.
        judgement = await asyncio.to_thread(judge_meaning, read, own, others, self._calibration.limits)
        meaning = Claim(claim.text, Kind.MEANING, claim.language)
        return Checked(
            meaning, _verdict(judgement.supported), judgement.reason, judgement.quantities, judgement.evidence
        )

    async def _empirical(self, claim: Claim, sources: Sequence[str]) -> Checked:
        lists = await together(
            [
                self._search.find(claim.text, limit=_FACTS, sources=kinds, categories=[CATEGORY])
                for kinds in _facts_from(sources)
            ]
        )
        found = {item.passage_id: item for passages in lists for item in passages}
        judgement = await asyncio.to_thread(judge_empirical, claim.text, list(found.values()), self._calibration.limits)
        return Checked(claim, _verdict(judgement.supported), judgement.reason, judgement.quantities, judgement.evidence)


def _facts_from(sources: Sequence[str]) -> list[Sequence[str]]:
    """Returns the sources of each search for facts: the scientific ones first, then all that were asked for."""
    if not sources:
        return [[SCIENTIFIC], []]
    return [[SCIENTIFIC], sources] if SCIENTIFIC in sources else [sources]


def _verdict(supported: bool | None) -> Verdict:
    if supported is None:
        return Verdict.NOT_COVERED
    return Verdict.SUPPORTED if supported else Verdict.CONTRADICTED
