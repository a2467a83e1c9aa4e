"""How well claims are checked: fits limits and confidence on one half of the labelled claims and reports the other.

Usage: python bench/validation.py [--fit [--limits] | --refit] [--data-dir DIR]

Runs the utilities and the knowledge server with the starter corpus and the default embedding model, checks every
claim of claims/records/labelled_claims.jsonl, and writes docs/validation.md and claims/records/measured_claims.jsonl (what was
measured for each claim). With --fit the models of the confidence are first fitted on the training half and written to
claims/records/calibration.json, with --limits after the limits of the verdicts; with --refit only the models, on what was
measured before. With --data-dir the embedded corpus is kept for the next run.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from validation_report import PAGE, report

from onenumbers.knowledge.v1 import knowledge_pb2, knowledge_pb2_grpc
from onenumbers_knowledge.collection import Collection
from onenumbers_knowledge.ingestion.loading import load_corpus, load_embedder
from onenumbers_knowledge.service import KnowledgeServicer, knowledge_service
from onenumbers_knowledge.settings import KnowledgeSettings
from onenumbers_knowledge.storage.store import open_store
from onenumbers_research.claims import validating
from onenumbers_research.claims.calculation_client import CalculationClient
from onenumbers_research.claims.calibration import Calibration, Limits, Model, counted, fit, from_json, with_verdict
from onenumbers_research.claims.empirical_claims import judge_empirical
from onenumbers_research.claims.meaning_claims import judge_meaning
from onenumbers_research.claims.reading import Kind, read_claim
from onenumbers_research.claims.search import ClaimSearch
from onenumbers_research.claims.validating import ClaimValidator
from onenumbers_runtime.testing import running
from onenumbers_utilities.dates_service import DateNumbersServicer, date_numbers_service
from onenumbers_utilities.names_service import NameNumbersServicer, name_numbers_service
from onenumbers_utilities.objects_service import ObjectNumbersServicer, object_numbers_service
from onenumbers_utilities.service import UtilitiesServicer, utilities_service
from onenumbers_utilities.systems_service import NumberSystemsServicer, number_systems_service

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "services" / "onenumbers_research" / "claims" / "records"
KINDS = ("calculation", "meaning", "empirical")
HOW = (
    "calculations by counting, one right and one wrong case added to each verdict; the other kinds by a logistic model of right or wrong, L2 penalty by ten-fold "
    "cross-validation, Newton's method, one added right and one added wrong case, the calibration lot as heavy as the "
    "others together"
)
CALIBRATION = "calibration"
"""Lot of the training half that was written when the rules were done."""
PENALTIES = (0.3, 1.0, 3.0, 10.0, 30.0)
GRID = {
    "meaning": {"agree": (0.4, 0.45, 0.5), "oppose": (0.45, 0.5, 0.6), "elsewhere": (0.6, 0.7), "absent": (0.34, 0.5)},
    "empirical": {"fact": (0.45, 0.5, 0.55), "passage": (0.7, 0.8), "unknown": (0.4, 0.5)},
}


def digest(text: str) -> str:
    """Returns the hash by whose order claims go in turn to the held-out and to the training half."""
    return hashlib.sha256(text.encode()).hexdigest()


def labelled() -> list[dict[str, str]]:
    """Returns the labelled claims."""
    return [json.loads(line) for line in (DATA / "labelled_claims.jsonl").read_text(encoding="utf-8").splitlines()]


@asynccontextmanager
async def servers(folder: Path) -> AsyncIterator[tuple[Any, Any]]:
    """Yields channels to a utilities server and to a knowledge server with the corpus."""

    def clock() -> date:
        return date(2026, 1, 31)

    services = [
        utilities_service(UtilitiesServicer(clock=clock, max_response_bytes=4 << 20)),
        name_numbers_service(NameNumbersServicer(clock=clock)),
        date_numbers_service(DateNumbersServicer(clock=clock)),
        number_systems_service(NumberSystemsServicer(clock=clock)),
        object_numbers_service(ObjectNumbersServicer()),
    ]
    settings = KnowledgeSettings.load(data_dir=folder)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(settings.store_url))
        embedder = await load_embedder(settings)
        stack.push_async_callback(embedder.close)
        collection = Collection(store, index_path=settings.index_path)
        await collection.open(embedder)
        stack.push_async_callback(collection.close)
        await load_corpus(collection)
        _, utilities = await stack.enter_async_context(running(services))
        _, knowledge = await stack.enter_async_context(running([knowledge_service(KnowledgeServicer(collection))]))
        yield utilities, knowledge


class Recorder:
    """Keeps what the judges were given, so that limits can be tried without searching again."""

    def __init__(self) -> None:
        self.given: dict[str, tuple[Any, ...]] = {}

    def meaning(self, read: Any, own: Any, others: Any, limits: Limits) -> Any:
        """Judges a meaning and keeps its inputs."""
        self.given[read.text] = ("meaning", read, own, others)
        return judge_meaning(read, own, others, limits)

    def empirical(self, text: str, passages: Any, limits: Limits) -> Any:
        """Judges a claim about the world and keeps its inputs."""
        self.given[text] = ("empirical", text, passages)
        return judge_empirical(text, passages, limits)


def verdict_of(given: Sequence[Any], limits: Limits) -> tuple[str, dict[str, float]]:
    """Returns the verdict of the recorded inputs under other limits, with its quantities."""
    judged = judge_meaning(*given[1:], limits) if given[0] == "meaning" else judge_empirical(*given[1:], limits)
    name = {None: "not_covered", True: "supported", False: "contradicted"}[judged.supported]
    return name, judged.quantities


def best_limits(claims: Sequence[Mapping[str, str]], given: Mapping[str, Sequence[Any]], limits: Limits) -> Limits:
    """Returns the limits with the most right verdicts on the training half, chosen one after the other.

    The calibration lot takes no part: it has to stay unseen by everything that decides verdicts. Of equal values the one
    in force stays.
    """
    for kind, grid in GRID.items():
        rows = [
            row
            for row in claims
            if row["half"] == "training" and row["lot"] != CALIBRATION and given.get(row["claim"], ("",))[0] == kind
        ]

        def right(tried: Limits, rows: Sequence[Mapping[str, str]] = rows) -> int:
            return sum(verdict_of(given[row["claim"]], tried)[0] == row["verdict"] for row in rows)

        top = right(limits)
        for name, values in grid.items():
            for value in values:
                tried = replace(limits, **{name: value})
                if tried != limits and (found := right(tried)) > top:
                    top, limits = found, tried
    return limits


async def measure(folder: Path, calibration: Calibration) -> tuple[list[dict[str, Any]], Recorder, dict[str, int]]:
    """Returns what was measured for each labelled claim, the judges' inputs, and the size of the corpus."""
    recorder = Recorder()
    validating.judge_meaning, validating.judge_empirical = recorder.meaning, recorder.empirical
    rows = []
    async with servers(folder) as (utilities, knowledge):
        validator = ClaimValidator(
            calculations=CalculationClient(utilities, token=None),
            search=ClaimSearch(knowledge, token=None),
            calibration=calibration,
        )
        for row in labelled():
            checked = await validator.check(read_claim(row["claim"]))
            kind = checked.claim.kind if checked.claim.kind is not Kind.OTHER else Kind.MEANING
            rows.append(
                {
                    **row,
                    "read_as": kind.value,
                    "found": checked.verdict.value,
                    "quantities": dict(checked.quantities),
                }
            )
        stub: Any = knowledge_pb2_grpc.KnowledgeServiceStub(knowledge)
        stats = await stub.GetDocumentStats(knowledge_pb2.GetDocumentStatsRequest())
        corpus = {"documents": int(stats.documents), "passages": int(stats.passages)}
    return rows, recorder, corpus


def measured_before() -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Returns what was measured before, with the labels as they are now, and the size of the corpus then."""
    stored = json.loads((DATA / "calibration.json").read_text(encoding="utf-8"))["fitted"]
    lines = (DATA / "measured_claims.jsonl").read_text(encoding="utf-8").splitlines()
    found = {row["id"]: row for row in map(json.loads, lines)}
    rows = [
        {**row, **{name: found[row["id"]][name] for name in ("read_as", "found", "quantities")}} for row in labelled()
    ]
    return rows, {name: int(stored[name]) for name in ("documents", "passages")}


def fitted(rows: Sequence[Mapping[str, Any]], limits: Limits, about: Mapping[str, object]) -> Calibration:
    """Returns the models of the confidence, fitted on the training half.

    The calibration lot counts as much as all others together: the errors of the others were corrected, so they look
    easier than what comes next.
    """
    models: dict[str, Model] = {}
    penalties: dict[str, float] = {}
    for kind in KINDS:
        chosen = [row for row in rows if row["half"] == "training" and row["read_as"] == kind]
        if kind == "calculation":
            models[kind] = counted([row["found"] for row in chosen], [row["found"] == row["verdict"] for row in chosen])
            continue
        penalties[kind] = min(PENALTIES, key=lambda penalty: cross_validated(chosen, penalty))
        models[kind] = fit_rows(chosen, penalties[kind])
    return Calibration(limits, models, {**about, "penalties": penalties})


def fit_rows(rows: Sequence[Mapping[str, Any]], penalty: float) -> Model:
    """Returns the model of some claims, with the calibration lot as heavy as the others together."""
    later = sum(row["lot"] == CALIBRATION for row in rows)
    weight = (len(rows) - later) / later if later else 1.0
    return fit(
        [with_verdict(row["quantities"], row["found"]) for row in rows],
        [row["found"] == row["verdict"] for row in rows],
        penalty=penalty,
        weights=[weight if row["lot"] == CALIBRATION else 1.0 for row in rows],
    )


def cross_validated(rows: Sequence[Mapping[str, Any]], penalty: float) -> float:
    """Returns the Brier score of some claims, each tenth of them judged by the model of the others.

    It is that of the calibration lot, or of all claims of a kind that has none in it. The tenths are drawn by the hash
    of the text.
    """
    ordered = sorted(rows, key=lambda row: digest(str(row["claim"])))
    counted = [row["lot"] == CALIBRATION for row in ordered]
    if not any(counted):
        counted = [True] * len(ordered)
    total = 0.0
    for fold in range(10):
        model = fit_rows([row for number, row in enumerate(ordered) if number % 10 != fold], penalty)
        for number, row in enumerate(ordered):
            if number % 10 == fold and counted[number]:
                said = model.confidence(with_verdict(row["quantities"], row["found"]))
                total += (said - (row["found"] == row["verdict"])) ** 2
    return total / sum(counted)


def main() -> None:
    """Measures, fits where asked to, and writes the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fit", action="store_true", help="fit the confidence on the training half first")
    parser.add_argument("--limits", action="store_true", help="choose the limits on the training half before that")
    parser.add_argument("--data-dir", type=Path, help="folder that keeps the embedded corpus")
    parser.add_argument("--refit", action="store_true", help="fit the confidence again on what was measured before")
    options = parser.parse_args()
    path = DATA / "calibration.json"
    calibration = from_json(path.read_text()) if path.exists() else Calibration(Limits(), {}, {})
    if options.refit:
        rows, corpus = measured_before()
        limits = calibration.limits
    else:
        with tempfile.TemporaryDirectory() as scratch:
            rows, recorder, corpus = asyncio.run(measure(options.data_dir or Path(scratch), calibration))
        limits = best_limits(rows, recorder.given, calibration.limits) if options.limits else calibration.limits
        for row in rows:
            if row["claim"] in recorder.given:
                row["found"], row["quantities"] = verdict_of(recorder.given[row["claim"]], limits)
    if options.fit or options.refit:
        about = {
            "claims": sum(row["half"] == "training" for row in rows),
            "half": "training",
            "how": HOW,
            **corpus,
        }
        calibration = fitted(rows, limits, about)
        path.write_text(calibration.to_json(), encoding="utf-8")
    for row in rows:
        quantities = with_verdict(row["quantities"], row["found"])
        row["confidence"] = calibration.models[row["read_as"]].confidence(quantities)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (DATA / "measured_claims.jsonl").write_text(text, encoding="utf-8")
    (ROOT / "docs" / "validation.md").write_text(report(rows, calibration, corpus, PAGE), encoding="utf-8")


if __name__ == "__main__":
    main()
