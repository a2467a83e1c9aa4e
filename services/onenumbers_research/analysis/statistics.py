"""Tests of counts against known rates. Formulas are scipy's where it has them; docs/research-statistics.md names all.

Every figure is a function of its input: simulations start from one seed, so the same counts have the same answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

CONFIDENCE: Final = 0.95
LEAST_EXPECTED: Final = 5.0
"""Smallest expected count for which the chi-square distribution is relied on (Cochran's rule)."""
SIMULATIONS: Final = 9_999
"""Samples of a simulated probability, whose standard error near 0.05 is then 0.002."""
_SEED: Final = 1908
_Z: Final = float(stats.norm.ppf((1 + CONFIDENCE) / 2))


@dataclass(frozen=True, slots=True)
class RateTest:
    """A count of cases against a known rate."""

    observed: int
    cases: int
    rate: float
    """The known rate, 0-1."""
    p_value: float
    """Exact two-sided binomial probability: of all counts that are at most as likely as the observed one."""
    effect_size: float
    """Cohen's h."""
    low: float
    """Lower end of the 95 % Wilson interval of the observed rate."""
    high: float

    @property
    def expected(self) -> float:
        """Cases x rate."""
        return self.cases * self.rate


@dataclass(frozen=True, slots=True)
class DistributionTest:
    """Pearson's chi-square test of one sample."""

    chi_square: float
    degrees_of_freedom: int
    p_value: float
    smallest_expected: float
    cramers_v: float
    simulations: int
    """0 where the chi-square distribution was used."""

    @property
    def test(self) -> str:
        """Name of the test."""
        if self.simulations:
            return f"Pearson's chi-square, probability from {self.simulations} simulated samples"
        return "Pearson's chi-square"


def rate_test(observed: int, cases: int, rate: float) -> RateTest:
    """Tests a count by the exact binomial distribution.

    Args:
        observed: 0 to `cases`.
        cases: At least 1.
        rate: 0-1.
    """
    low, high = wilson(observed, cases)
    p_value = float(stats.binomtest(observed, cases, rate).pvalue)
    return RateTest(observed, cases, rate, p_value, cohens_h(observed / cases, rate), low, high)


def wilson(observed: int, cases: int) -> tuple[float, float]:
    """Returns the 95 % Wilson score interval (Wilson 1927), without continuity correction."""
    rate = observed / cases
    middle = rate + _Z * _Z / (2 * cases)
    half = _Z * math.sqrt(rate * (1 - rate) / cases + _Z * _Z / (4 * cases * cases))
    scale = 1 + _Z * _Z / cases
    # Rounding can put an end a hair beyond 0 or 1, or inside of an observed rate of 0 or 1.
    low = 0.0 if not observed else max(0.0, (middle - half) / scale)
    return low, 1.0 if observed == cases else min(1.0, (middle + half) / scale)


def cohens_h(first: float, second: float) -> float:
    """Returns 2 asin(sqrt(first)) - 2 asin(sqrt(second)): 0.2 is small, 0.5 medium, 0.8 large (Cohen 1988)."""
    return 2 * math.asin(math.sqrt(first)) - 2 * math.asin(math.sqrt(second))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Returns probabilities corrected by Holm's step-down method (1979), in the order given."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return tuple(adjusted)


def distribution_test(observed: Sequence[int], rates: Sequence[float]) -> DistributionTest | None:
    """Tests all values at once against known rates.

    Args:
        observed: Counts by value.
        rates: Rates by value; they sum to 1. Values with the rate 0 must have no count, and take no part.

    Returns:
        The test, or None where there are no cases or only one value is possible.
    """
    kept = [(count, rate) for count, rate in zip(observed, rates, strict=True) if rate > 0]
    counts = np.array([count for count, _ in kept], dtype=np.float64)
    shares = np.array([rate for _, rate in kept], dtype=np.float64)
    shares /= shares.sum()
    cases, freedom = int(counts.sum()), len(kept) - 1
    if not cases or not freedom:
        return None
    expected = shares * cases
    statistic = float(((counts - expected) ** 2 / expected).sum())
    smallest = float(expected.min())
    if smallest >= LEAST_EXPECTED:
        p_value, simulations = float(stats.chi2.sf(statistic, freedom)), 0
    else:
        p_value, simulations = _simulated(statistic, cases, shares), SIMULATIONS
    return DistributionTest(
        statistic, freedom, p_value, smallest, math.sqrt(statistic / (cases * freedom)), simulations
    )


def _simulated(statistic: float, cases: int, shares: np.ndarray) -> float:
    """Returns the share of simulated samples whose statistic is at least as large, the observed one among them."""
    expected = shares * cases
    samples = np.random.default_rng(_SEED).multinomial(cases, shares, size=SIMULATIONS)
    simulated = ((samples - expected) ** 2 / expected).sum(axis=1)
    # Sums of the same counts in another order may differ in their last bit.
    reached = int((simulated >= statistic * (1 - 1e-12)).sum())
    return (reached + 1) / (SIMULATIONS + 1)
