"""The confidence: fitted on the training half, reported on the held-out half, and never a constant."""

import json
import sys
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from onenumbers_research.calculation_client import CalculationClient
from onenumbers_research.calibration import calibration, fit, from_json, with_verdict
from onenumbers_research.claims import read_claim
from onenumbers_research.validating import ClaimValidator
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
    text = files("onenumbers_research").joinpath("claims_data", name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


MEASURED = read("measured_claims.jsonl")
HELD_OUT = [row for row in MEASURED if row["half"] == "held_out"]


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
    """Accuracy and Brier score of the held-out half, in all and by kind, as the page prints them."""
    assert report.summary_row("held-out half", HELD_OUT) in PAGE
    for kind in KINDS:
        row = report.summary_row(f"held-out, {kind}", [row for row in HELD_OUT if row["kind"] == kind])
        assert row in PAGE
    for name, count, mean, share in report.reliability(HELD_OUT):
        assert f"| {name} | {count} | {mean:.3f} | {share:.3f} |" in PAGE


def test_held_out_verdicts_are_far_better_than_the_most_frequent_one(report):
    most = max(sum(row["verdict"] == verdict for row in HELD_OUT) for verdict in report.VERDICTS)
    assert report.score(HELD_OUT).accuracy >= 0.8
    assert most / len(HELD_OUT) <= 0.4


def test_confidence_is_what_the_stored_model_gives():
    for row in MEASURED:
        model = calibration().models[row["read_as"]]
        assert model.confidence(with_verdict(row["quantities"], row["found"])) == pytest.approx(row["confidence"])


def test_no_two_different_situations_share_a_confidence():
    for kind in KINDS:
        situations: dict[tuple, float] = {}
        for row in MEASURED:
            if row["read_as"] == kind:
                situations[(row["found"], *sorted(row["quantities"].items()))] = row["confidence"]
        assert len(situations) > 15
        assert len(set(situations.values())) == len(situations)


def test_the_weights_are_those_that_the_training_half_gives():
    """Fitting again on what was measured gives the stored coefficients; the held-out half takes no part."""
    for kind in KINDS:
        rows = [row for row in MEASURED if row["half"] == "training" and row["read_as"] == kind]
        later = sum(row["lot"] == "later" for row in rows)
        again = fit(
            [with_verdict(row["quantities"], row["found"]) for row in rows],
            [row["found"] == row["verdict"] for row in rows],
            penalty=calibration().fitted["penalties"][kind],
            weights=[(len(rows) - later) / later if row["lot"] == "later" else 1.0 for row in rows],
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
