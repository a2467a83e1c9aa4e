"""Filters on metadata: types are kept apart, lists match by an item, and a missing key matches nothing."""

import pytest

from onenumbers_knowledge.index.filters import Filters, MetadataRule
from onenumbers_knowledge.storage.index_source import IndexEntry

METADATA = {
    "year": 1990,
    "rating": 4.5,
    "checked": True,
    "language": "en",
    "tags": ["old", "rare", 7],
    "author": {"name": "Decoz", "born": "1950-01-01"},
    "nothing": None,
}


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        (MetadataRule(("year",), any_of=(1990,)), True),
        (MetadataRule(("year",), any_of=(1990.0,)), True),
        (MetadataRule(("year",), any_of=("1990",)), False),
        (MetadataRule(("checked",), any_of=(True,)), True),
        (MetadataRule(("checked",), any_of=(1,)), False),
        (MetadataRule(("year",), any_of=(True,)), False),
        (MetadataRule(("language",), any_of=("de", "en")), True),
        (MetadataRule(("tags",), any_of=("rare",)), True),
        (MetadataRule(("tags",), any_of=("new",)), False),
        (MetadataRule(("tags",), least=6, greatest=8), True),
        (MetadataRule(("year",), least=1980, greatest=1990), True),
        (MetadataRule(("year",), least=1991), False),
        (MetadataRule(("language",), least=1), False),
        (MetadataRule(("author", "born"), least="1949-12-31", greatest="1950-12-31"), True),
        (MetadataRule(("author", "name"), any_of=("Decoz",)), True),
        (MetadataRule(("author", "name", "first"), any_of=("Decoz",)), False),
        (MetadataRule(("author",), any_of=("Decoz",)), False),
        (MetadataRule(("absent",), any_of=(1,)), False),
        (MetadataRule(("absent",), present=False), True),
        (MetadataRule(("absent",), present=True), False),
        (MetadataRule(("nothing",), present=True), True),
        (MetadataRule(("year",), present=False), False),
    ],
)
def test_a_rule_compares_values_of_one_type(rule, matches):
    assert rule.match(METADATA) is matches
    entry = IndexEntry(1, "d", "cycles", "modern", "", (7,), METADATA)
    assert Filters(metadata=(rule,)).match(entry) is matches
    assert not Filters(metadata=(rule, MetadataRule(("year",), any_of=(1,)))).match(entry), "all rules must hold"
