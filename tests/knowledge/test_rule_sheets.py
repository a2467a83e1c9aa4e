"""The worked examples of the rule sheets that give no figures in their front matter: their sentences hold in the code.

Each entry makes sentences of its sheet from what the calculators give; a sheet that says something else lacks them.
"""

from collections.abc import Callable, Iterator
from datetime import date

import pytest

from onenumbers_knowledge.ingestion.corpus_files import read_corpus
from onenumbers_utilities.numerology.attitude import attitude
from onenumbers_utilities.numerology.bridges import bridges
from onenumbers_utilities.numerology.chaldean import CompoundMethod, chaldean_name
from onenumbers_utilities.numerology.grids import LineState
from onenumbers_utilities.numerology.kua import KuaFormula, YearTurn, kua, lunar_new_year
from onenumbers_utilities.numerology.life_path import life_path
from onenumbers_utilities.numerology.lo_shu import GridDigits, lo_shu_grid
from onenumbers_utilities.numerology.name_details import cornerstones, rational_thought
from onenumbers_utilities.numerology.name_numbers import expression, mark_name, personality, soul_urge
from onenumbers_utilities.numerology.names import read_name
from onenumbers_utilities.numerology.options import NumerologyOptions
from onenumbers_utilities.numerology.period_cycles import PeriodCycleTiming, cycle_starts, period_cycles
from onenumbers_utilities.numerology.phillips import phillips_chart
from onenumbers_utilities.numerology.planes import PlaneSystem, planes
from onenumbers_utilities.numerology.primitives import chain, ds, root
from onenumbers_utilities.numerology.transits import transits
from onenumbers_utilities.numerology.vedic import bhagyank, mulank, namank

FILES = {file.document.document_id: file for file in read_corpus()}
IOANA, POP = "Ioana Brândușa Țurcanu", "Maria Elena Pop"
AUTUMN, WINTER = date(1974, 9, 29), date(1968, 11, 14)
DEFAULTS = NumerologyOptions()
NO_EXAMPLE = {
    "cycle-boundaries": "tells who begins a cycle when",
    "intensity-points": "tells that the printed averages are those of one author",
    "names-of-the-world": "tells which names are read how",
    "which-name-to-use": "tells which name counts",
}
"""Sheets that calculate nothing, and what they do instead."""
COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven")


def total(name: str) -> int:
    return chaldean_name(read_name(name)).number.total


def first(name: str):
    return cornerstones(mark_name(read_name(name), DEFAULTS))


def full(grid) -> set[str]:
    return {"-".join(map(str, line.numbers)) for line in grid.lines if line.state is LineState.FULL}


def empty(grid) -> set[str]:
    return {"-".join(map(str, line.numbers)) for line in grid.lines if line.state is LineState.EMPTY}


def attitude_number() -> Iterator[str]:
    for day, month, named in ((29, 9, "September"), (14, 11, "November"), (19, 12, "December")):
        yield f"{day} {named}: {month} + {day} = {month + day}, which gives {attitude(day, month).value}"


def bridge_numbers() -> Iterator[str]:
    name = mark_name(read_name(IOANA), DEFAULTS)
    path, whole = life_path(WINTER, DEFAULTS), expression(name)
    heart, outer = soul_urge(name), personality(name)
    found = bridges(path, whole, heart, outer)
    yield f"has the life path {path.value} with the root {path.root} and the expression {whole.value} with the root"
    yield f"the root {whole.root}: the first bridge is {found.life_path_expression.value}"
    yield f"Her heart's desire is {heart.value} and her personality {outer.value}: the second bridge is "
    yield f"second bridge is {found.soul_urge_personality.value}."


def capstones() -> Iterator[str]:
    for name, words in (
        ("Ioana", "The capstone of Ioana is"),
        ("Andrei", "that of Andrei is"),
        ("George", "that of George is"),
    ):
        stone = first(name).capstone
        yield f"{words} {stone.letter}, value {stone.value}"


def chaldean_letters() -> Iterator[str]:
    found = chaldean_name(read_name("Radu Ionescu"))
    yield f"U 6 is {found.names[0].number}. I 1"
    yield f"U 6 is {found.names[1].number}. The total is {found.number.total}, and 4 + 3 = {found.number.root}"
    pop, smith = chaldean_name(read_name(POP)), chaldean_name(read_name("John Smith"))
    yield f"{' + '.join(str(part.number) for part in pop.names)} = {pop.number.total}, another number"
    yield f"the root is {pop.number.root}"
    assert smith.compound is not None
    assert smith.compound.meaning is not None
    parts = " + ".join(str(part.number) for part in smith.names)
    yield f"{parts} = {smith.number.total}, which borrows the meaning of 26"


def chaldean_names() -> Iterator[str]:
    one, two, three = (part.number for part in chaldean_name(read_name(IOANA)).names)
    yield f"1 + 7 + 1 + 5 + 1 = {one}. Brândușa, read as BRANDUSA, is {two}. "
    yield f"= {three}. The letter total is {total(IOANA)}, with the root {root(total(IOANA))}"


def chaldean_roots() -> Iterator[str]:
    pop = chaldean_name(read_name(POP), CompoundMethod.SUM_OF_ROOTS)
    one, two, three = pop.names
    yield f"{one.number} is {one.root}, {two.number} gives {two.root}, {three.number} gives {three.root}."
    yield f"The sum is {pop.number.total}, and 1 + 5 = {pop.number.root}."
    yield f"By the total of all letters the compound is {total(POP)}."
    radu = chaldean_name(read_name("Radu Ionescu"), CompoundMethod.SUM_OF_ROOTS)
    one, two = radu.names
    yield f"{one.number} gives {one.root}, {two.number} gives {two.root}, together {radu.number.total}."
    yield f"By the letter total it is {total('Radu Ionescu')}."


def chaldean_tables() -> Iterator[str]:
    yield f"3 + 5 + 1 + 2 + 3 + 5 + 3 = {total('Charles')} by Cheiro"


def cornerstone_letters() -> Iterator[str]:
    for name, words in ((IOANA, "the cornerstone is"), ("Ștefan", "For Ștefan it is")):
        stone = first(name).cornerstone
        yield f"{words} {stone.letter}"
        yield f"with the value {stone.value}"
    yield f"For Þóra it is {first('Þóra').cornerstone.letter}"


def essence_at_40() -> Iterator[str]:
    (year,) = transits(read_name(IOANA), AUTUMN, [40]).years
    values = [year.physical.value, year.mental.value, year.spiritual.value]
    yield f"the year 18 belongs to {year.physical.letter}."
    yield f"The values are {' + '.join(map(str, values))} = {year.essence.total}, and the essence"
    yield f"the essence is {year.essence.value} out of {year.essence.total}."


def first_vowels() -> Iterator[str]:
    for name, words in (
        ("Ioana", "the first vowel is"),
        ("Brândușa", "For Brândușa it is"),
        ("Ștefan", "For Ștefan it is"),
    ):
        yield f"{words} {first(name).first_vowel.letter}"
    yield f"For Yvonne the {first('Yvonne').first_vowel.letter} itself is the first vowel"
    yield f"for Yolanda it is {first('Yolanda').first_vowel.letter}."


def kua_numbers() -> Iterator[str]:
    def both(year: int) -> tuple[int, int]:
        man, woman = (kua(date(year, 6, 1), formula).number.value for formula in KuaFormula)
        return man, woman

    man, woman = both(1974)
    yield f"so s is {root(1974)}. A man has 11 - 3 = {man}, a woman 4 + 3 = {woman}."
    man, woman = both(1990)
    yield f"1990: s is {root(1990)}; a man has 10, which gives {man}; a woman 5, which becomes {woman}."
    man, woman = both(1985)
    yield f"1985: s is {root(1985)}; a man has {man}, a woman {woman}."


def kua_years() -> Iterator[str]:
    born, later = date(1985, 1, 20), date(1985, 2, 10)
    assert {kua(born, KuaFormula.MALE, turn).year for turn in YearTurn} == {1984}
    new_year = lunar_new_year(1985)
    yield f"New Year was on {new_year.day} February {new_year.year} and Lichun on 4 February"
    man, woman = (kua(born, formula).number.value for formula in KuaFormula)
    yield f"The root of 1984 is {root(1984)}: a man has 11 - 4 = {man}, a woman 4 + 4 = {woman}."
    solar, lunar = (kua(later, KuaFormula.MALE, turn).year for turn in (YearTurn.SOLAR, YearTurn.LUNAR))
    yield f"by the solar rule the year is {solar}, by the lunar rule still {lunar}."


def lo_shu() -> Iterator[str]:
    grid = lo_shu_grid(AUTUMN)
    yield ", ".join(str(cell.digit) for cell in grid.digits)
    yield f"Missing are {', '.join(map(str, grid.missing[:-1]))} and {grid.missing[-1]}."
    assert full(grid) == {"4-9-2"}
    yield "The top row 4, 9, 2 is complete."


def lo_shu_additions() -> Iterator[str]:
    plain, more = lo_shu_grid(AUTUMN), lo_shu_grid(AUTUMN, GridDigits.WITH_MULANK_AND_BHAGYANK)
    yield f"Missing are {', '.join(map(str, plain.missing[:-1]))} and {plain.missing[-1]}."
    yield f"The mulank is {mulank(AUTUMN).number.value} and the bhagyank {bhagyank(AUTUMN).number.value}."
    assert 5 not in more.missing
    grids = {formula: lo_shu_grid(AUTUMN, GridDigits.WITH_KUA, formula=formula) for formula in KuaFormula}
    diagonals = {formula: {"".join(sorted(line)) for line in full(grid)} for formula, grid in grids.items()}
    assert any("258" in line.replace("-", "") for line in diagonals[KuaFormula.MALE])
    assert not any("258" in line.replace("-", "") for line in diagonals[KuaFormula.FEMALE])
    yield f"For a man the kua number of 1974 is {kua(AUTUMN, KuaFormula.MALE).number.value}; now the diagonal 2-5-8"
    yield f"For a woman the kua is {kua(AUTUMN, KuaFormula.FEMALE).number.value}, and the diagonal stays open."


def lo_shu_rows() -> Iterator[str]:
    winter, autumn = lo_shu_grid(WINTER), lo_shu_grid(AUTUMN)
    (row,) = full(winter)
    yield f"The row {row} is full"
    (gap,) = empty(winter)
    yield f"The row {gap} is empty."
    (row,) = full(autumn)
    assert not empty(autumn)
    yield f"The row {row} is full, and no line is empty."


def namanks() -> Iterator[str]:
    one, two = (part.number for part in chaldean_name(read_name("Andrei Vlad")).names)
    found = namank(read_name("Andrei Vlad")).number
    yield f"I 1 is {one}; V 6, L 3, A 1, D 4 is {two}. The total is {found.total}, and the namank is {found.value}."
    yield f"Ana alone is 1 + 5 + 1 = {namank(read_name('Ana')).number.value}."


def no_33() -> Iterator[str]:
    parts = (chain(9), chain(29), chain(ds(1974)))
    yield f"9; 29, which gives {parts[1][1]}; 21, which gives {parts[2][1]}."
    assert chain(ds(1999)) == (28, 10, 1)
    yield "1999, has 28, then 10, then 1."


def goodwin_timing() -> Iterator[str]:
    second, third = cycle_starts(AUTUMN, PeriodCycleTiming.PERSONAL_YEAR_ONE)
    yield f"life path {life_path(AUTUMN, DEFAULTS).value}."
    yield f"The second cycle begins in {AUTUMN.year + second}, when the person turns {second}."
    yield f"The age of 56 is reached in {AUTUMN.year + 56}; the nearest is {AUTUMN.year + third}."


def period_cycle_ages() -> Iterator[str]:
    one, two, three = period_cycles(AUTUMN)
    yield f"The cycles are {one.number.value}, {two.number.value} and {three.number.value}."
    yield f"which gives {life_path(AUTUMN, DEFAULTS).value}. The first cycle ends at 36 - 5 = {one.end_age}"
    yield f"the second covers the ages {two.start_age} to {two.end_age}, and the third begins at {three.start_age}."


def phillips() -> Iterator[str]:
    chart = phillips_chart(WINTER)
    counts = {cell.number: cell.count for cell in chart.cells}
    yield f"The bottom row has {COUNTS[counts[1]]} 1 and {COUNTS[counts[4]]} 4; the middle row {COUNTS[counts[8]]} 8"
    yield f"Missing are {', '.join(map(str, chart.missing[:-1]))} and {chart.missing[-1]}."


def phillips_arrows() -> Iterator[str]:
    chart = phillips_chart(AUTUMN)
    (line,) = full(chart)
    assert not empty(chart)
    yield f"The bottom row {line} is full: practicality."
    yield "so there is one full arrow and no empty one."


def planes_of_letters() -> Iterator[str]:
    found = planes(read_name(POP)).planes
    for plane in found:
        if plane.letters:
            yield f"together {plane.number.total}, which gives {plane.number.value}."
    counts = [len(plane.letters) for plane in found]
    yield f"The counts are {', '.join(map(str, counts[:-1]))} and {counts[-1]}; their sum, {sum(counts)}"


def planes_of_values() -> Iterator[str]:
    counts = [len(plane.letters) for plane in planes(read_name(POP), PlaneSystem.VALUES).planes]
    physical, mental, emotional, intuitive = (COUNTS[count] for count in counts)
    yield f"Physical: 4, 5, 5, 5, {physical} letters. Mental: 1, 1, 1, {mental}. Emotional: 3, 6, {emotional}."
    yield f"Intuitive: 9, 9, 7, 7, {intuitive}."
    assert sum(counts) == 13
    yield "The total is thirteen."


def rational_thoughts() -> Iterator[str]:
    yield f"and 22 + 14 = 36, which gives {rational_thought(read_name(IOANA), 14).value}."
    yield f"24 + 29 = 53, which gives {rational_thought(read_name('Maria Pop'), 29).value}."


def roots() -> Iterator[str]:
    yield f"The year 1999 has the digit sum {ds(1999)}, then {chain(1999)[2]}, then {chain(1999)[3]}."
    yield f"Its root is {root(1999)}."
    yield f"The chain {', '.join(map(str, chain(1999)[1:]))} contains"


def transits_at_27() -> Iterator[str]:
    (year,) = transits(read_name(POP), AUTUMN, [27]).years
    yield f"The transits are {year.physical.letter}, {year.mental.letter} and {year.spiritual.letter}."


def vedic() -> Iterator[str]:
    yield f"the mulank is 1 + 4 = {mulank(WINTER).number.value}."
    yield f"= {bhagyank(WINTER).number.total}, so the bhagyank is {bhagyank(WINTER).number.value}."
    found = namank(read_name(IOANA)).number
    yield f"has the letter total {found.total} on Cheiro's table, so the namank is {found.value}."


SHEETS: dict[str, Callable[[], Iterator[str]]] = {
    "attitude-number": attitude_number,
    "bridge-numbers": bridge_numbers,
    "capstone-and-keystone": capstones,
    "chaldean-letter-total": chaldean_letters,
    "chaldean-name-numbers": chaldean_names,
    "chaldean-sum-of-roots": chaldean_roots,
    "chaldean-table-variants": chaldean_tables,
    "cornerstone-rule": cornerstone_letters,
    "essence-rule": essence_at_40,
    "first-vowel-rule": first_vowels,
    "kua-number": kua_numbers,
    "kua-year-boundary": kua_years,
    "lo-shu-grid": lo_shu,
    "lo-shu-indian-additions": lo_shu_additions,
    "lo-shu-lines": lo_shu_rows,
    "namank-rule": namanks,
    "period-cycle-33": no_33,
    "period-cycles-goodwin-timing": goodwin_timing,
    "period-cycles-rule": period_cycle_ages,
    "phillips-birth-chart": phillips,
    "phillips-lines": phillips_arrows,
    "planes-by-letters": planes_of_letters,
    "planes-by-values": planes_of_values,
    "rational-thought-rule": rational_thoughts,
    "reduction-and-roots": roots,
    "transits-rule": transits_at_27,
    "vedic-numbers": vedic,
}


def test_every_rule_sheet_has_a_worked_example_that_is_checked():
    """Here, or by its front matter in test_corpus.py."""
    rules = {known for known, file in FILES.items() if file.front_matter["claim_type"] == "rule"}
    given = {known for known in rules if FILES[known].front_matter.get("examples")}
    assert rules - given == SHEETS.keys() | NO_EXAMPLE.keys()
    for known in NO_EXAMPLE:
        assert "xample\n" not in FILES[known].document.content


@pytest.mark.parametrize("known", SHEETS)
def test_the_sentences_of_an_example_are_what_the_calculators_give(known):
    text = " ".join(FILES[known].document.content.split())
    sentences = list(SHEETS[known]())
    assert sentences
    for sentence in sentences:
        assert sentence in text, f"{known} does not say: {sentence}"
