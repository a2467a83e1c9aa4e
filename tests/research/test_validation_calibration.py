"""The confidence: fitted on the training half, reported on the held-out half, and never a constant."""

import hashlib
import json
import sys
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from onenumbers_research.claims.calculation_client import CalculationClient
from onenumbers_research.claims.calibration import calibration, counted, fit, from_json, with_verdict
from onenumbers_research.claims.reading import read_claim
from onenumbers_research.claims.validating import ClaimValidator
from onenumbers_runtime.testing import running
from onenumbers_utilities.dates_service import DateNumbersServicer, date_numbers_service
from onenumbers_utilities.names_service import NameNumbersServicer, name_numbers_service
from onenumbers_utilities.objects_service import ObjectNumbersServicer, object_numbers_service
from onenumbers_utilities.service import UtilitiesServicer, utilities_service
from onenumbers_utilities.systems_service import NumberSystemsServicer, number_systems_service

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")
KINDS = ("calculation", "meaning", "empirical")


def read(name: str) -> list[dict]:
    text = files("onenumbers_research.claims").joinpath("records", name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


MEASURED = read("measured_claims.jsonl")
HELD_OUT = [row for row in MEASURED if row["half"] == "held_out"]
FRESH = [row for row in HELD_OUT if row["lot"] == "fresh"]
"""Claims that nothing was corrected on."""
TRAINING_ALONE = ("extra", "calibration")
"""Lots of which no claim is held out."""


@pytest.fixture(scope="module")
def report():
    """The module that writes the page."""
    sys.path.insert(0, str(ROOT / "bench"))
    try:
        import validation_report
    finally:
        sys.path.remove(str(ROOT / "bench"))
    return validation_report


def test_every_labelled_claim_was_measured():
    labels = {row["id"]: row for row in read("labelled_claims.jsonl")}
    assert {row["id"] for row in MEASURED} == labels.keys()
    for row in MEASURED:
        assert {name: row[name] for name in labels[row["id"]]} == labels[row["id"]]


def test_the_page_gives_the_figures_of_what_was_measured(report):
    """Accuracy and Brier score of the held-out half and of its unseen claims, by kind, as the page prints them."""
    for name, rows in (("held-out half", HELD_OUT), ("held-out fresh claims", FRESH)):
        assert report.summary_row(name, rows) in PAGE
        for kind in KINDS:
            row = report.summary_row(f"{name}, {kind}", [row for row in rows if row["kind"] == kind])
            assert row in PAGE
        for bin_name, count, mean, share in report.reliability(rows):
            assert f"| {bin_name} | {count} | {mean:.3f} | {share:.3f} |" in PAGE


def test_the_halves_are_drawn_by_the_hash_of_the_text():
    """Within a kind and a verdict, and within the fresh lot for itself, claims go in turn to the halves."""
    strata: dict[tuple, list[dict]] = {}
    for row in read("labelled_claims.jsonl"):
        if row["lot"] in TRAINING_ALONE:
            assert row["half"] == "training"
        else:
            strata.setdefault((row["lot"] == "fresh", row["kind"], row["verdict"]), []).append(row)
    assert len(strata) == 18
    for rows in strata.values():
        ordered = sorted(rows, key=lambda row: hashlib.sha256(row["claim"].encode()).hexdigest())
        assert [row["half"] for row in ordered] == [("held_out", "training")[place % 2] for place in range(len(rows))]


def test_the_held_out_half_has_at_least_forty_unseen_claims_of_each_kind():
    assert len(HELD_OUT) >= 200
    for kind in KINDS:
        assert sum(row["kind"] == kind for row in FRESH) >= 40


def test_no_claim_stands_twice():
    texts = [row["claim"] for row in read("labelled_claims.jsonl")]
    assert len(set(texts)) == len(texts)


def test_held_out_verdicts_are_far_better_than_the_most_frequent_one(report):
    most = max(sum(row["verdict"] == verdict for row in HELD_OUT) for verdict in report.VERDICTS)
    assert report.score(HELD_OUT).accuracy >= 0.8
    assert most / len(HELD_OUT) <= 0.4


def test_confidence_is_what_the_stored_model_gives():
    for row in MEASURED:
        model = calibration().models[row["read_as"]]
        assert model.confidence(with_verdict(row["quantities"], row["found"])) == pytest.approx(row["confidence"])


def test_no_two_different_situations_share_a_confidence():
    for kind in ("meaning", "empirical"):
        situations: dict[tuple, float] = {}
        for row in MEASURED:
            if row["read_as"] == kind:
                situations[(row["found"], *sorted(row["quantities"].items()))] = row["confidence"]
        assert len(situations) > 100
        assert len(set(situations.values())) >= 0.95 * len(situations)


def test_a_calculation_is_as_sure_as_the_number_of_cases_with_its_verdict_allows():
    for verdict in ("supported", "contradicted", "not_covered"):
        rows = [row for row in MEASURED if row["read_as"] == "calculation" and row["found"] == verdict]
        cases = [row for row in rows if row["half"] == "training"]
        right = sum(row["found"] == row["verdict"] for row in cases)
        for row in rows:
            assert row["confidence"] == pytest.approx((right + 1) / (len(cases) + 2))


def test_counting_comes_near_to_certainty_with_cases_alone():
    few, many = counted(["supported"] * 3, [True] * 3), counted(["supported"] * 300, [True] * 300)
    assert few.confidence(with_verdict({}, "supported")) == pytest.approx(4 / 5)
    assert many.confidence(with_verdict({}, "supported")) == pytest.approx(301 / 302)
    assert many.confidence(with_verdict({}, "contradicted")) == pytest.approx(1 / 2)


def test_the_weights_are_those_that_the_training_half_gives():
    """Fitting again on what was measured gives the stored coefficients; the held-out half takes no part."""
    for kind in KINDS:
        rows = [row for row in MEASURED if row["half"] == "training" and row["read_as"] == kind]
        right = [row["found"] == row["verdict"] for row in rows]
        later = sum(row["lot"] == "calibration" for row in rows)
        if kind == "calculation":
            again = counted([row["found"] for row in rows], right)
        else:
            again = fit(
                [with_verdict(row["quantities"], row["found"]) for row in rows],
                right,
                penalty=calibration().fitted["penalties"][kind],
                weights=[(len(rows) - later) / later if row["lot"] == "calibration" else 1.0 for row in rows],
            )
        stored = calibration().models[kind]
        assert again.names == stored.names
        assert again.weights == pytest.approx(stored.weights, abs=1e-6)
        assert again.constant == pytest.approx(stored.constant, abs=1e-6)


def test_a_calibration_reads_back_what_it_wrote():
    assert from_json(calibration().to_json()) == calibration()


async def test_calculations_are_judged_today_as_they_were_measured():
    """The utilities run for real; verdict and quantities of every labelled calculation are the measured ones."""

    def clock() -> date:
        return date(2026, 1, 31)

    services = [
        utilities_service(UtilitiesServicer(clock=clock, max_response_bytes=4 << 20)),
        name_numbers_service(NameNumbersServicer(clock=clock)),
        date_numbers_service(DateNumbersServicer(clock=clock)),
        number_systems_service(NumberSystemsServicer(clock=clock)),
        object_numbers_service(ObjectNumbersServicer()),
    ]
    async with running(services) as (_, channel):
        validator = ClaimValidator(
            calculations=CalculationClient(channel, token=None), search=None, calibration=calibration()
        )
        rows = [row for row in MEASURED if row["read_as"] == "calculation"]
        assert len(rows) >= 100
        for row in rows:
            checked = await validator.check(read_claim(row["claim"]))
            assert checked.verdict.value == row["found"], row["claim"]
            assert dict(checked.quantities) == pytest.approx(row["quantities"])
            assert validator.confidence(checked) == pytest.approx(row["confidence"])
