"""Two methods of AnalysisService: validation of a theory and of an interpretation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from onenumbers.research.v1 import analysis_pb2 as pb
from onenumbers_research.citations import of_place
from onenumbers_research.claims.reading import Kind, Verdict
from onenumbers_research.claims.validating import Checked, ClaimValidator

_KINDS = {
    Kind.OTHER: pb.CLAIM_KIND_UNSPECIFIED,
    Kind.CALCULATION: pb.CLAIM_KIND_CALCULATION,
    Kind.MEANING: pb.CLAIM_KIND_MEANING,
    Kind.EMPIRICAL: pb.CLAIM_KIND_EMPIRICAL,
}
_VERDICTS = {
    Verdict.SUPPORTED: pb.CLAIM_VERDICT_SUPPORTED,
    Verdict.CONTRADICTED: pb.CLAIM_VERDICT_CONTRADICTED,
    Verdict.NOT_COVERED: pb.CLAIM_VERDICT_NOT_COVERED,
}
_RULES = {
    Kind.OTHER: "No claim that could be checked was read.",
    Kind.CALCULATION: "Verdict: the number is compared with what every documented method of the utilities gives.",
    Kind.MEANING: "Verdict: the claim's words and themes are looked for in the sentences of documents on the number, "
    "on their opposites, and on other numbers.",
    Kind.EMPIRICAL: "Verdict: the claim's words and figures are looked for in the documents on evidence; for effects "
    "on people in those of scientific sources alone.",
}


class ValidationMethods:
    """Adds the two methods to a servicer, which hands `validator` to this class's constructor.

    Args:
        validator: Checks the claims.
    """

    def __init__(self, *, validator: ClaimValidator) -> None:
        self._validator = validator

    async def ValidateNumerologyTheory(
        self,
        request: pb.ValidateNumerologyTheoryRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.ValidateNumerologyTheoryResponse:
        """Checks a theory claim by claim."""
        found = await self._validator.check_text(request.theory, field_name="theory", sources=list(request.sources))
        return pb.ValidateNumerologyTheoryResponse(claims=self._claims(found))

    async def ValidateInterpretation(
        self,
        request: pb.ValidateInterpretationRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.ValidateInterpretationResponse:
        """Checks an interpretation of a number claim by claim."""
        found = await self._validator.check_text(
            request.interpretation, field_name="interpretation", number=request.number
        )
        return pb.ValidateInterpretationResponse(claims=self._claims(found))

    def _claims(self, found: Sequence[Checked]) -> list[pb.CheckedClaim]:
        return [self._claim(item) for item in found]

    def _claim(self, item: Checked) -> pb.CheckedClaim:
        read = item.claim
        claim = pb.CheckedClaim(
            text=read.text,
            kind=_KINDS[read.kind],
            verdict=_VERDICTS[item.verdict],
            confidence=self._validator.confidence(item),
            method=f"{_RULES[read.kind]} Confidence: {self._validator.formula(item)}.",
            evidence=[of_place(number, place) for number, place in enumerate(item.evidence, start=1)],
            reason=item.reason,
            quantities=item.quantities,
            language=read.language,
        )
        claimed = read.calculation.claimed if read.calculation is not None else None
        for outcome in item.outcomes:
            claim.calculations.add(
                tool=outcome.tool,
                rule_id=outcome.rule_id,
                school=outcome.school,
                value=outcome.value,
                chain=outcome.chain,
                agrees=outcome.value is not None and outcome.value == claimed,
            )
        return claim
