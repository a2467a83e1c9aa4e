"""The documents of rules and of earlier features are true of what stands."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from onenumbers_utilities.numerology import objects
from onenumbers_utilities.numerology.chaldean import RULES, chaldean_birth
from onenumbers_utilities.numerology.compatibility import WEIGHTS
from onenumbers_utilities.numerology.favourable_dates import ReasonKind
from onenumbers_utilities.numerology.groupings import CONVENTION_TABLE, cheiro, concord
from onenumbers_utilities.numerology.kua import KuaFormula, YearTurn, kua
from onenumbers_utilities.numerology.lo_shu import GridDigits, lo_shu_grid
from onenumbers_utilities.numerology.names import read_name
from onenumbers_utilities.numerology.native_letters import native_letters
from onenumbers_utilities.numerology.phillips import phillips_chart
from onenumbers_utilities.numerology.transliteration_standards import STANDARDS
from onenumbers_utilities.numerology.vedic import vedic_numbers

ROOT = Path(__file__).resolve().parents[2]
RULES_DOCUMENT = (ROOT / "docs" / "rules-systems.md").read_text(encoding="utf-8")
FEATURES = (ROOT / "docs" / "original-features.md").read_text(encoding="utf-8")
PROTOS = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "protos" / "onenumbers").rglob("*.proto"))
SOURCES = "".join(
    path.read_text(encoding="utf-8") for path in (ROOT / "services" / "onenumbers_utilities").rglob("*.py")
)
BORN = date(1974, 9, 29)


def rules_in_force() -> dict[str, str]:
    """Returns the school of each rule, as results of calculations say it."""
    vedic = vedic_numbers(BORN, read_name("Ana"))
    numbers = [
        chaldean_birth(5).number,
        *(each.number for each in (vedic.mulank, vedic.bhagyank, vedic.namank)),
        *(kua(BORN, KuaFormula.MALE, turn).number for turn in YearTurn),
        objects.house_number("1"),
        *(objects.house_number("1", "2", rule) for rule in objects.UnitRule),
        objects.phone_number("123"),
        objects.plate_number("A1"),
        *(objects.business_name("Ana", table)[0] for table in objects.LetterValues),
        *(native_letters(name).number for name in ("דוד", "علي", "Άννα", "Анна")),
        concord(1, 2),
        cheiro(1, 2),
    ]
    found = {each.rule_id: each.school.name for each in numbers}
    found |= dict.fromkeys(RULES.values(), "CHEIRO")
    found |= {lo_shu_grid(BORN, each).rule_id: "LO_SHU" for each in list(GridDigits)[:2]}
    found[lo_shu_grid(BORN, GridDigits.WITH_KUA, formula=KuaFormula.MALE).rule_id] = "LO_SHU"
    found[phillips_chart(BORN).rule_id] = "PHILLIPS"
    found["compatibility.convention_score"] = "CONVENTION"
    for kind in ReasonKind:
        own = kind.name.startswith("PERSONAL_DAY")
        found[f"favourable_dates.{kind.value}"] = "CONVENTION" if own else "CHEIRO"
    return found


def test_every_rule_is_documented_with_its_school_and_no_other():
    assert dict(re.findall(r"^\| `([a-z_.]+)` \| ([A-Z_]+) \|", RULES_DOCUMENT, re.MULTILINE)) == rules_in_force()


def test_every_standard_is_documented_with_its_script_its_publisher_and_who_writes_it():
    rows = re.findall(r"^\| `TRANSLITERATION_(\w+)` \| (\w+): .+ \| (.+) \| (.+) \|$", RULES_DOCUMENT, re.MULTILINE)
    assert rows == [
        (
            each.name,
            standard.script,
            standard.source,
            f"library {standard.library.value}, `{standard.map}`" if standard.library else "table of this software",
        )
        for each, standard in STANDARDS.items()
    ]


def test_the_published_table_and_weights_are_those_in_force():
    rows = re.findall(r"^\| [1-9] \| (.+) \|$", RULES_DOCUMENT, re.MULTILINE)
    assert tuple(tuple(int(points) for points in row.split(" | ")) for row in rows) == CONVENTION_TABLE
    plain = " ".join(RULES_DOCUMENT.split())
    for position, weight in WEIGHTS.items():
        name = position.value.replace("_", " ").replace("chaldean", "Chaldean")
        assert f"{name} {weight}" in plain


def test_all_63_features_have_an_answer():
    rows = re.findall(r"^\| (\d+) \| .+ \| (.+) \|$", FEATURES, re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 64))
    for number, answer in rows:
        assert re.search(r"\b([Dd]one right|[Rr]eplaced|[Rr]efused)\b", answer), number
        assert "refused" not in answer.lower() or "because" in answer, f"{number} is refused without a reason"


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([A-Za-z_.]+)`", FEATURES))))
def test_what_the_features_name_exists(name):
    if "." in name:
        rule, _, method = name.partition(".")
        assert name in SOURCES or (rule in SOURCES and f'"{method}"' in SOURCES)
    else:
        assert f'name: "{name}"' in PROTOS or f"{name} = " in PROTOS or f" {name} = " in SOURCES or name == "as_of"
