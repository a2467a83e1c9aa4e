"""The statistics are those of textbooks: worked by hand, compared with scipy, and right about chance."""

import math
from collections import Counter

import numpy as np
import pytest
from scipy import stats

from onenumbers_research.analysis.patterns import analyse, analyse_pairs, uniform
from onenumbers_research.analysis.statistics import (
    LEAST_EXPECTED,
    SIMULATIONS,
    cohens_h,
    distribution_test,
    holm,
    rate_test,
    wilson,
)


def test_the_binomial_probability_is_the_one_worked_by_hand():
    """8 heads of 10: outcomes at most as likely are 0, 1, 2, 8, 9, 10 heads, (1 + 10 + 45) x 2 of 1,024."""
    assert rate_test(8, 10, 0.5).p_value == pytest.approx(112 / 1024)
    # An unfair rate: 3 of 3 with 1/4 is 1/64, and nothing else is as unlikely.
    assert rate_test(3, 3, 0.25).p_value == pytest.approx(1 / 64)
    assert rate_test(5, 10, 0.5).p_value == 1
    assert rate_test(5, 10, 0.5).expected == 5


def test_the_interval_is_wilsons():
    """1 of 10: (p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n), with z = 1.959964."""
    z, n, p = 1.959963984540054, 10, 0.1
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = wilson(1, 10)
    assert low == pytest.approx((middle - half) / (1 + z * z / n))
    assert high == pytest.approx((middle + half) / (1 + z * z / n))
    # Printed in Newcombe 1998 (method 3): 81 of 263 is 0.2553 to 0.3662.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    for observed, cases in ((0, 20), (20, 20), (7, 551), (1, 1), (50_000, 100_000)):
        reference = stats.binomtest(observed, cases).proportion_ci(0.95, method="wilson")
        assert wilson(observed, cases) == pytest.approx((reference.low, reference.high), abs=1e-12)
    assert wilson(0, 20)[0] == 0
    assert wilson(20, 20)[1] == 1


def test_cohens_h_is_the_difference_of_the_arcsines():
    """From 0.25 to 0.5: 2 asin(sqrt 0.5) = pi/2, 2 asin(sqrt 0.25) = pi/3."""
    assert cohens_h(0.5, 0.25) == pytest.approx(math.pi / 6)
    assert cohens_h(0.25, 0.5) == pytest.approx(-math.pi / 6)
    assert cohens_h(0.3, 0.3) == 0
    assert cohens_h(1, 0) == pytest.approx(math.pi)


def test_holm_steps_down_and_keeps_the_order():
    """0.01, 0.04, 0.03 of three: 0.03, then 2 x 0.03 = 0.06, then max(0.06, 0.04) = 0.06."""
    assert holm([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))
    assert holm([0.5, 0.9]) == (1.0, 1.0)
    assert holm([]) == ()
    assert holm([0.2]) == (0.2,)


def test_the_chi_square_is_the_one_worked_by_hand():
    """60 throws of a die: 5, 8, 9, 8, 10, 20: (25 + 4 + 1 + 4 + 0 + 100) / 10 = 13.4, five degrees of freedom."""
    found = distribution_test([5, 8, 9, 8, 10, 20], [1 / 6] * 6)
    assert found.chi_square == pytest.approx(13.4)
    assert found.degrees_of_freedom == 5
    assert found.smallest_expected == pytest.approx(10)
    assert found.cramers_v == pytest.approx(math.sqrt(13.4 / (60 * 5)))
    assert (found.simulations, found.test) == (0, "Pearson's chi-square")
    reference = stats.chisquare([5, 8, 9, 8, 10, 20])
    assert (found.chi_square, found.p_value) == pytest.approx((reference.statistic, reference.pvalue))


def test_small_expected_counts_are_simulated_and_the_simulation_says_what_enumeration_says():
    """Three cases and three values: all 27 outcomes can be listed, and the simulated probability agrees."""
    rates = [0.5, 0.3, 0.2]
    observed = [0, 1, 2]

    def statistic(counts):
        return sum((count - 3 * rate) ** 2 / (3 * rate) for count, rate in zip(counts, rates, strict=True))

    exact = 0.0
    for one in range(4):
        for two in range(4 - one):
            counts = (one, two, 3 - one - two)
            ways = math.factorial(3) / math.prod(math.factorial(count) for count in counts)
            if statistic(counts) >= statistic(observed) - 1e-9:
                exact += ways * math.prod(rate**count for rate, count in zip(rates, counts, strict=True))
    found = distribution_test(observed, rates)
    assert found.simulations == SIMULATIONS
    assert found.smallest_expected < LEAST_EXPECTED
    assert found.p_value == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / SIMULATIONS))
    assert distribution_test(observed, rates) == found, "the same counts have the same answer"


def test_values_that_cannot_occur_take_no_part_and_nothing_to_compare_is_no_test():
    assert distribution_test([30, 0, 30], [0.5, 0.0, 0.5]).degrees_of_freedom == 1
    assert distribution_test([0, 0], [0.5, 0.5]) is None
    assert distribution_test([7], [1.0]) is None


@pytest.mark.parametrize("cases", [40, 400])
def test_chance_alone_is_called_significant_as_often_as_it_should_be(cases):
    """500 random populations of uniform dates: p < 0.05 in at most about one in twenty, for each of the tests.

    The chi-square and its simulation are near 5 %; the exact binomial is below it, for its counts are whole numbers.
    The bounds are four standard errors (0.0097 each) around 5 %.
    """
    random = np.random.default_rng(20_170_101)
    values = (*range(1, 10), 11, 22, 33)
    shares = np.array([4057, 1683, 4059, 2947, 4058, 3776, 4058, 4059, 4057, 2374, 1113, 283]) / 36_524
    rates = dict(zip(values, shares.tolist(), strict=True))
    runs = 500
    found = Counter()
    for _ in range(runs):
        people = [("", int(value)) for value in random.choice(values, size=cases, p=shares)]
        pattern = analyse(7, people, values, rates)
        found["binomial"] += pattern.p_value < 0.05
        found["chi-square"] += pattern.distribution.p_value < 0.05
        found["any value after Holm"] += min(each.adjusted for each in pattern.values) < 0.05
        found["interval misses"] += not pattern.low <= rates[7] <= pattern.high
        found["pairs"] += analyse_pairs(7, people, rates).p_value < 0.05
    error = math.sqrt(0.05 * 0.95 / runs)
    rate = {name: count / runs for name, count in found.items()}
    assert abs(rate["chi-square"] - 0.05) <= 4 * error, rate
    for name in ("binomial", "pairs", "any value after Holm", "interval misses"):
        assert rate[name] <= 0.05 + 4 * error, rate
    assert rate["binomial"] > 0.005, rate
    assert rate["pairs"] > 0.005, rate


def test_a_real_difference_is_found():
    """A third of the people have 7, a ninth should."""
    people = [("", 7)] * 100 + [("", value) for value in (1, 2, 3, 4, 5, 6, 8, 9) for _ in range(25)]
    pattern = analyse(7, people, range(1, 10), uniform(range(1, 10)))
    assert (pattern.observed, pattern.cases, pattern.expected) == (100, 300, pytest.approx(300 / 9))
    assert pattern.p_value < 1e-20
    assert pattern.low > 1 / 9
    assert pattern.effect_size == pytest.approx(cohens_h(1 / 3, 1 / 9))
    assert pattern.distribution.p_value < 1e-20


def test_fields_are_corrected_together():
    people = [("music", 1)] * 10 + [("art", 1)] * 2 + [("art", 2)] * 10 + [("few", 1)] * 9 + [("", 2)] * 3
    pattern = analyse(1, people, (1, 2), {1: 0.5, 2: 0.5})
    assert [(each.field, each.observed, each.cases) for each in pattern.fields] == [("art", 2, 12), ("music", 10, 10)]
    alone = [rate_test(2, 12, 0.5).p_value, rate_test(10, 10, 0.5).p_value]
    assert [each.adjusted for each in pattern.fields] == pytest.approx(list(holm(alone)))


def test_without_base_rates_nothing_is_tested():
    pattern = analyse(1, [("", 1), ("", 2)], (1, 2), None)
    assert (pattern.test, pattern.effect_measure, pattern.distribution) == ("none", "", None)
    assert math.isnan(pattern.p_value)
    assert math.isnan(pattern.effect_size)
    assert all(math.isnan(each.adjusted) for each in pattern.values)
    assert (pattern.low, pattern.high) == pytest.approx(wilson(1, 2))


def test_pairs_are_counted_and_their_probability_is_that_of_the_people():
    """Five people, three in the triad 1-5-7 (one by the master 22 -> no: 22 is 4): three pairs of ten."""
    rates = uniform(range(1, 10))
    people = [("", 1), ("", 5), ("", 7), ("", 22), ("", 9)]
    pattern = analyse_pairs(5, people, rates)
    assert (pattern.observed, pattern.cases) == (3, 10)
    assert pattern.expected == pytest.approx(10 / 9)
    assert pattern.p_value == rate_test(3, 5, 1 / 3).p_value
    assert (pattern.low, pattern.high) == pytest.approx(tuple(end**2 for end in wilson(3, 5)))
    assert [(each.number, each.observed) for each in pattern.values] == [(1, 3), (2, 1), (3, 1)]
