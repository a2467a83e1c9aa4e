"""Cheiro's compound numbers 10-52: which have a meaning of their own, and what it is, in our words.

Sources: Cheiro, Book of Numbers (1926), as reported by free-numerology.org and bostjanlovrat.com. The rule for numbers
without a meaning of their own was read there; the keynotes are general knowledge of that literature. Tradition, not
fact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from onenumbers_runtime.errors import invalid
from onenumbers_utilities.numerology.results import Notice

FIRST_COMPOUND: Final = 10
LAST_COMPOUND: Final = 52
"""Cheiro prints no compound above it."""
_SERIES: Final = 9
"""Numbers this far apart share a root, and so a series."""

_OWN: Final[dict[int, tuple[str, str]]] = {
    10: (
        "the wheel of fortune",
        "Rise and fall: known for good or for ill by what one wants; plans tend to be carried out.",
    ),
    11: (
        "a closed hand, a muzzled lion",
        "A warning of hidden trials and of treachery by others; much to contend with.",
    ),
    12: ("the victim", "Suffering and worry; one is sacrificed to the plans of other people."),
    13: (
        "change and the reaper",
        "Upheaval and change of place; not unlucky in itself: power, which destroys when misused.",
    ),
    14: (
        "movement",
        "Dealings with people, money and change, said to be lucky; risk from nature and from others' folly.",
    ),
    15: ("mystery", "Eloquence, charm and gifts from others; said to stoop to any means beside an unlucky root."),
    16: ("the tower struck by lightning", "A warning of accidents and of plans that collapse; look ahead."),
    17: ("the star", "Rising above trials; peace, and a name that outlives its bearer."),
    18: (
        "strife under the moon",
        "Material things against spiritual ones; quarrels, deceit and danger from the elements.",
    ),
    19: ("the sun", "Success, esteem and happiness; counted among the luckiest."),
    20: ("the awakening", "A call to new purpose and action; delays, and of doubtful worth in worldly matters."),
    21: ("the crown", "Advancement and honours after long effort; counted as lucky."),
    22: ("the good dreamer", "A warning of illusion and of trusting the wrong people until danger is near."),
    23: ("the royal star of the lion", "Help from those above one and protection; counted among the luckiest."),
    24: ("love and rank", "Help by people of position, and gain through love; counted as lucky."),
    25: ("strength by experience", "Success late, by observation and after trials; called good, not lucky."),
    26: ("bad company", "A grave warning: ruin by partnerships, unions and the advice of others."),
    27: ("the sceptre", "Command and reward of one's own mind; carry out one's own ideas. Counted as lucky."),
    28: ("contradictions", "Great promise that may be lost by trust, rivals or the law; provide, and begin again."),
    29: ("grace under doubt", "Uncertain friends, treachery and unexpected trials; a grave warning."),
    30: ("thought", "Reflection and superior mind that puts material things aside; neither lucky nor unlucky."),
    31: ("the recluse", "As 30 and more alone; called unlucky for worldly matters."),
    32: (
        "communication",
        "Dealings with many people, lucky while one keeps to one's own judgement against that of others.",
    ),
    37: ("friendship", "Good and fortunate friendships, in love and in partnerships of every kind."),
    43: ("upheaval", "Revolution, strife and failure; called unlucky."),
    51: ("the warrior", "Sudden advancement in what one undertakes; danger from enemies."),
}


@dataclass(frozen=True, slots=True)
class CompoundMeaning:
    """What Cheiro's tradition says of a compound number."""

    number: int
    """The compound; 10 or more."""
    meaning_of: int | None
    """The number whose meaning it takes, itself where it has one of its own; None above 52."""
    keynote: str
    """A few words; empty above 52."""
    text: str
    """One sentence; empty above 52."""
    notices: tuple[Notice, ...] = ()

    @property
    def own(self) -> bool:
        """Whether the number has a meaning of its own."""
        return self.meaning_of == self.number


def compound_meaning(number: int) -> CompoundMeaning:
    """Returns the meaning of a compound number by Cheiro's rule.

    Numbers 10-32, 37, 43 and 51 have one of their own. Every other up to 52 takes that of the nearest lower number of
    its series, in steps of 9, that has one. Above 52 there is none.

    Raises:
        InvalidArgumentError: The number is below 10: it is no compound.
    """
    if number < FIRST_COMPOUND:
        raise invalid("number", f"must be at least {FIRST_COMPOUND}: {number} is no compound", rule="compound.number")
    if number > LAST_COMPOUND:
        notice = Notice(
            "NO_COMPOUND_ABOVE_52", f"Cheiro prints no meaning above {LAST_COMPOUND}, so {number} has none."
        )
        return CompoundMeaning(number, None, "", "", (notice,))
    owner = number
    while owner not in _OWN:
        owner -= _SERIES
    keynote, text = _OWN[owner]
    return CompoundMeaning(number, owner, keynote, text)


def compound_of(total: int) -> CompoundMeaning | None:
    """Returns the meaning of a total, or None for a single number."""
    return compound_meaning(total) if total >= FIRST_COMPOUND else None
