"""What calculations return: numbers with the sums that led to them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import Enum, unique

from onenumbers_utilities.numerology.options import School
from onenumbers_utilities.numerology.records import record


@record
class LetterValue:
    """A letter and what it counts."""

    letter: str
    """A-Z."""
    value: int
    """Its value in the table in force, 1-9."""
    vowel: bool
    """Whether it counts as a vowel under the Y rule in force."""
    counted: bool
    """Whether it takes part in this sum."""


@record
class Component:
    """One part of a sum: a name, or a part of a date."""

    label: str
    """What the part is: "month", "day", "year", "name", "initial", or the name of another number."""
    text: str
    """The part as it was read, such as "IOANA" or "1968"."""
    total: int
    """Its sum before reduction."""
    value: int
    """What it contributes."""
    chain: tuple[int, ...]
    """Every value from `total` to `value`."""
    letters: tuple[LetterValue, ...] = ()
    """The letters, for names."""


@record
class Alternative:
    """The value that another documented method gives."""

    rule_id: str
    school: School
    value: int | None
    """None where that method has nothing to count."""
    total: int


@record
class Notice:
    """Something to know about a result; never an error."""

    code: str
    """Stable identifier in UPPER_SNAKE_CASE."""
    message: str
    """The sentence for a reader."""


@unique
class DebtOrigin(Enum):
    """Where a karmic debt was met."""

    DIRECT = "direct"
    """It is the total itself."""
    INTERMEDIATE = "intermediate"
    """It stands later in the chain."""
    COMPONENT = "component"
    """It is the sum of a part."""


@record
class KarmicDebt:
    """A karmic debt number and where it was met."""

    number: int
    """13, 14, 16 or 19."""
    origin: DebtOrigin
    position: str
    """The number that it belongs to, such as "life_path"."""
    component: str = ""
    """The part in which it was met, for the origin COMPONENT."""


@record
class NumberResult:
    """Result of a calculation with everything that led to it."""

    value: int | None
    """The number; None where there is nothing to count, such as a name without vowels."""
    root: int
    """The number reduced to 1-9; 0 for a difference of 0 and where there is nothing to count."""
    is_master: bool
    """Whether the reduction stopped at a master number."""
    total: int
    """The sum before its last reduction."""
    chain: tuple[int, ...]
    """Every value visited while `total` was reduced, `total` first; empty where there is nothing to count."""
    rule_id: str
    """The rule that was applied, such as "life_path.grouped_masters"."""
    school: School
    """Who documents the rule."""
    inputs_used: Mapping[str, str]
    """The inputs that took part, by field name, as they were read; options only where they are not the defaults."""
    warnings: tuple[Notice, ...] = ()
    components: tuple[Component, ...] = ()
    """The parts that were added, in order; empty without explain."""
    alternatives: tuple[Alternative, ...] = ()
    """Values of other documented methods where they differ; empty without explain."""
    karmic_debts: tuple[KarmicDebt, ...] = ()


@record
class LifePeriod:
    """A period of life with a number: a pinnacle or a challenge."""

    ordinal: int
    """1 to 4."""
    number: NumberResult
    start_age: int | None
    """First age in completed years; None where the rule gives no ages."""
    end_age: int | None
    """Last age in completed years; None for the last period and where the rule gives no ages."""
    current: bool = False
    """Whether it is in force on the date asked for."""
    main: bool = False
    """Whether it is the main challenge."""


@record
class MasterPosition:
    """A master number and where it stands."""

    position: str
    number: int


@record
class NameParts:
    """What the counts of the values 1-9 among the letters of a name say."""

    counts: tuple[int, ...]
    """Nine counts: of the letters with value 1, 2, ... 9 (the inclusion table)."""
    karmic_lessons: tuple[int, ...]
    """Values that no letter has, ascending."""
    hidden_passions: tuple[int, ...]
    """The most frequent values, all of them where they tie, ascending."""
    subconscious_self: int
    """9 minus the number of karmic lessons."""


@record
class Cycles:
    """Personal and universal cycles on a date."""

    as_of: date
    age: int
    """Completed years."""
    personal_year: NumberResult
    personal_month: NumberResult
    personal_day: NumberResult
    universal_year: NumberResult
    universal_month: NumberResult
    universal_day: NumberResult


@record
class Profile:
    """All numbers of a person."""

    name: str
    """The name as it was counted, A-Z and spaces."""
    birth_date: date
    life_path: NumberResult
    expression: NumberResult
    soul_urge: NumberResult
    personality: NumberResult
    birthday: NumberResult
    maturity: NumberResult
    balance: NumberResult
    parts: NameParts
    karmic_debts: tuple[KarmicDebt, ...]
    """Of life path, expression, soul urge, personality and birthday."""
    master_numbers: tuple[MasterPosition, ...]
    pinnacles: tuple[LifePeriod, ...]
    """Four, or none where they were not asked for."""
    challenges: tuple[LifePeriod, ...]
    """Four, or none where they were not asked for."""
    cycles: Cycles | None
    """None without a date to calculate them for."""
    warnings: tuple[Notice, ...]
    """What concerns the whole profile: the name or the date as they were read."""
