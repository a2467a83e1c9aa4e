"""Formulas from plain English: a small grammar of phrases, each with one formula. Pure.

A sentence is a rule only if the grammar reads all of it: "Add the month and the day and reduce." A sentence with
anything else in it is no rule, so text that addresses a reader or a program has no effect. What a rule means is what
docs/discovery.md lists; whether that is what its author meant is shown by the worked examples alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_NAMES: Final = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)
_WORDS: Final = {word: number for number, word in enumerate(_NAMES)}
_IT: Final = ("it", "this", "that", "the result", "the sum", "the total", "the product", "the difference", "them")
_TERMS: Final = {
    "month": "month(born)",
    "birth month": "month(born)",
    "day": "day(born)",
    "day of the month": "day(born)",
    "birth day": "day(born)",
    "year": "year(born)",
    "birth year": "year(born)",
    "last two digits of the year": "year(born) % 100",
    "digits of the month": "digit_sum(month(born))",
    "digits of the day": "digit_sum(day(born))",
    "digits of the year": "digit_sum(year(born))",
    "digits of the date": "(digit_sum(month(born)) + digit_sum(day(born)) + digit_sum(year(born)))",
    "digits of the birth date": "(digit_sum(month(born)) + digit_sum(day(born)) + digit_sum(year(born)))",
    "letters": "sum(letter_values(letters(name)))",
    "vowels": "sum(letter_values(vowels(name)))",
    "consonants": "sum(letter_values(consonants(name)))",
    "initials": "sum(letter_values(initials(name)))",
    "first letter": "letter_values(letters(name))[0]",
    "last letter": "letter_values(letters(name))[size(letters(name)) - 1]",
    "number of letters": "size(letters(name))",
    "number of vowels": "size(vowels(name))",
    "number of consonants": "size(consonants(name))",
    "number of names": "size(names(name))",
    "number": "number",
    "house number": "number",
    "digits of the number": "digit_sum(number)",
    "digits of the house number": "digit_sum(number)",
}
_OF: Final = ("of birth", "of the birth date", "of the date of birth", "of the full name", "of the name", "of a name")
_ARTICLES: Final = ("all the", "all", "the", "your", "its", "a")
_SINGLE: Final = ("to a single digit", "to one digit", "to a root", "without masters", "ignoring masters")
_KEPT: Final = ("keeping masters", "with masters kept", "keeping master numbers", "masters kept")
_LEAD: Final = re.compile(
    r"(?:(?:rule|method|calculation|formula)\s*:"
    r"|to (?:find|calculate|get|form|make|work out) [a-z' -]{1,80}[,:]"
    r"|for [a-z' -]{1,60}[,:]"
    r"|(?:the|this|its|an?) [a-z' -]{1,60}? (?:is|equals)(?: found like this:| calculated like this:| found so:)?(?= )"
    r"|first,?(?= )|then,?(?= ))\s*"
)
_TABLE: Final = re.compile(r",? (?:on|by|with|in) the (chaldean|pythagorean) (?:table|values|alphabet)")
_TOKEN: Final = re.compile(r"[a-z]+(?:'[a-z]+)?|\d{1,9}|[,;:]")
_PLAIN: Final = re.compile(r"[a-z0-9,;:' -]*")
_LONGEST: Final = 400
_ATOM, _PRODUCT, _SUM = range(3)


@dataclass(frozen=True, slots=True)
class Expression:
    """A formula in the making."""

    text: str
    level: int = _ATOM
    """How loosely it binds."""
    steps: int = 0
    """Operations of the rule; a term alone is no rule."""

    def within(self, level: int) -> str:
        """Returns the text as an operand of something that binds as tightly as `level`."""
        return self.text if self.level <= level else f"({self.text})"


class _NoRuleError(Exception):
    """The words are no rule."""


def read_rule(sentence: str, before: Expression | None = None) -> Expression | None:
    """Returns the formula that a sentence prescribes, or None where the grammar does not read all of it.

    Args:
        sentence: One sentence.
        before: What the sentences before it gave: what "it" and "the result" mean.
    """
    text = " ".join(sentence.strip().rstrip(".!;").lower().replace("’", "'").split())
    system = _TABLE.search(text)
    text = _TABLE.sub("", text, count=1)
    if not text or len(text) > _LONGEST or not _PLAIN.fullmatch(text):
        return None
    starts = [0]
    if lead := _LEAD.match(text):
        starts.append(lead.end())
        if again := _LEAD.match(text, lead.end()):
            starts.append(again.end())
    for start in starts:
        try:
            found = _Reader(_TOKEN.findall(text[start:]), before).rule()
        except _NoRuleError:
            continue
        # A term alone is no rule, and a further step works on what was there before.
        if not found.steps or (before is not None and (before.text not in found.text or found == before)):
            continue
        if system is not None and system[1] == "chaldean":
            return Expression(_on_chaldean(found.text), found.level, found.steps)
        return found
    return None


def _on_chaldean(formula: str) -> str:
    return re.sub(r"letter_values\((\w+\(name\))\)", r"letter_values(\1, 'chaldean')", formula)


class _Reader:
    """Reads tokens from left to right."""

    def __init__(self, tokens: list[str], before: Expression | None) -> None:
        self._tokens = tokens
        self._place = 0
        self._it = before

    def rule(self) -> Expression:
        """Returns the whole rule: steps, each on the result of the one before."""
        self._it = self._step()
        while self._place < len(self._tokens):
            if not any(self._skip(words) for words in (", and then", ", then", "and then", ", and", "and", ";", ",")):
                raise _NoRuleError
            self._skip("then")
            self._it = self._step()
        return self._it

    def _step(self) -> Expression:
        if self._skip("add"):
            items = self._items()
            if self._skip("to"):
                items.append(self._value())
            elif len(items) == 1 and self._it is not None:
                items.insert(0, self._it)
            return self._sum(items)
        if self._skip("subtract"):
            taken = self._value()
            return self._less(self._value() if self._skip("from") else self._result(), taken)
        if self._skip("multiply"):
            return self._multiplied()
        return self._other_step()

    def _multiplied(self) -> Expression:
        factor = self._result() if self._next("by") else self._value()
        if not (self._skip("by") or self._skip("and")):
            raise _NoRuleError
        return self._times(factor, self._value())

    def _other_step(self) -> Expression:
        for word, factor_text in (("double", "2"), ("triple", "3")):
            if self._skip(word):
                return self._times(Expression(factor_text), self._value() if not self._ends() else self._result())
        if self._skip("reduce"):
            return self._reduced(self._result() if self._ends() or self._next_of(_SINGLE + _KEPT) else self._value())
        if self._skip("reduced"):
            return self._reduced(self._result())
        if self._skip("take the remainder after division by"):
            return self._rest(self._result())
        for word in ("take", "add up", "count"):
            if self._skip(word):
                break
        return self._value()

    def _value(self) -> Expression:
        left = self._product()
        while True:
            if self._skip("plus"):
                left = self._sum([left, self._product()])
            elif self._skip("minus"):
                left = self._less(left, self._product())
            else:
                return left

    def _product(self) -> Expression:
        left = self._primary()
        while self._skip("times") or self._skip("multiplied by"):
            left = self._times(left, self._primary())
        return left

    def _primary(self) -> Expression:
        for word, factor in (("twice", "2"), ("double", "2"), ("three times", "3"), ("triple", "3")):
            if self._skip(word):
                return self._times(Expression(factor), self._primary())
        combined = self._combined()
        if combined is not None:
            return combined
        if self._skip("the reduced"):
            inner = self._primary()
            return Expression(f"reduce({inner.text})", steps=inner.steps + 1)
        for words in _IT:
            if self._next(words) and not self._next(f"{words} of"):
                self._skip(words)
                return self._result()
        return self._term()

    def _combined(self) -> Expression | None:
        self._skip_article_of("sum of", "reduced sum of", "difference between", "difference of", "product of")
        if self._skip("sum of"):
            return self._sum(self._items())
        if self._skip("reduced sum of"):
            return self._reduced(self._sum(self._items()))
        if self._skip("difference between") or self._skip("difference of"):
            first, second = self._pair()
            return Expression(f"abs({self._less(first, second).text})", steps=first.steps + second.steps + 1)
        if self._skip("product of"):
            return self._times(*self._pair())
        return None

    def _term(self) -> Expression:
        for article in _ARTICLES:
            if self._skip(article):
                break
        for phrase in sorted(_TERMS, key=len, reverse=True):
            if self._skip(phrase):
                for words in _OF:
                    if self._skip(words):
                        break
                formula = _TERMS[phrase]
                return Expression(formula, _PRODUCT if "%" in formula else _ATOM)
        if self._place < len(self._tokens):
            token = self._tokens[self._place]
            if token.isdigit() or token in _WORDS:
                self._place += 1
                return Expression(str(_WORDS.get(token, token)).lstrip("0") or "0")
        raise _NoRuleError

    def _items(self) -> list[Expression]:
        items = [self._product()]
        while True:
            place = self._place
            if not any(self._skip(words) for words in (", and", "and", ",")):
                return items
            try:
                items.append(self._product())
            except _NoRuleError:
                self._place = place
                return items

    def _pair(self) -> tuple[Expression, Expression]:
        first = self._product()
        if not self._skip("and"):
            raise _NoRuleError
        return first, self._primary()

    def _reduced(self, value: Expression) -> Expression:
        function = "reduce"
        if any(self._skip(words) for words in _SINGLE):
            function = "root"
        else:
            self._skip_comma_before(_KEPT)
            any(self._skip(words) for words in _KEPT)
        return Expression(f"{function}({value.text})", steps=value.steps + 1)

    def _rest(self, value: Expression) -> Expression:
        divisor = self._term()
        if not divisor.text.isdigit() or divisor.text == "0":
            raise _NoRuleError
        return Expression(f"{value.within(_ATOM)} % {divisor.text}", _PRODUCT, value.steps + 1)

    def _result(self) -> Expression:
        if self._it is None:
            raise _NoRuleError
        return self._it

    @staticmethod
    def _sum(items: list[Expression]) -> Expression:
        steps = sum(item.steps for item in items) + 1
        if len(items) == 1:
            return Expression(items[0].text, items[0].level, steps)
        return Expression(" + ".join(item.within(_SUM) for item in items), _SUM, steps)

    @staticmethod
    def _less(left: Expression, right: Expression) -> Expression:
        return Expression(f"{left.within(_SUM)} - {right.within(_PRODUCT)}", _SUM, left.steps + right.steps + 1)

    @staticmethod
    def _times(left: Expression, right: Expression) -> Expression:
        return Expression(f"{left.within(_ATOM)} * {right.within(_ATOM)}", _PRODUCT, left.steps + right.steps + 1)

    def _ends(self) -> bool:
        return self._place >= len(self._tokens) or self._tokens[self._place] in {",", ";", "and", "then"}

    def _next(self, words: str) -> bool:
        wanted = words.split()
        return self._tokens[self._place : self._place + len(wanted)] == wanted

    def _next_of(self, choices: tuple[str, ...]) -> bool:
        return any(self._next(words) for words in choices)

    def _skip(self, words: str) -> bool:
        if not self._next(words):
            return False
        self._place += len(words.split())
        return True

    def _skip_article_of(self, *choices: str) -> None:
        if any(self._next(f"the {words}") for words in choices):
            self._place += 1

    def _skip_comma_before(self, choices: tuple[str, ...]) -> None:
        if self._next(",") and any(self._next(f", {words}") for words in choices):
            self._place += 1
