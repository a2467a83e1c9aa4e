"""Definitions of calculations from the texts of documents, by rule alone. Pure.

A definition written down as data comes first: a fenced block ```cel, or `utility:` in the front matter. Otherwise the
first sentences that the grammar of `prose` reads. Worked examples come from the block, and from sentences such as "For
14 November 1968 the result is 7."
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, Literal

import yaml

from onenumbers_research.discovery.prose import Expression, read_rule

Kind = Literal["integer", "string", "date"]

MAX_EXAMPLES: Final = 100
"""Worked examples that are read from one document."""
_MAX_BLOCK: Final = 20_000
_MAX_SENTENCE: Final = 600
_LARGEST: Final = 2**53
_KINDS: Final = {"integer": "integer", "int": "integer", "string": "string", "text": "string", "date": "date"}
INPUT_DESCRIPTIONS: Final = {"born": "Date of birth.", "name": "Full name.", "number": "The number."}
_TYPES: Final[Mapping[str, Kind]] = {"born": "date", "name": "string", "number": "integer"}
_FENCE: Final = re.compile(r"^```cel[ \t]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
_ANY_FENCE: Final = re.compile(r"^```.*?^```[ \t]*$", re.MULTILINE | re.DOTALL)
_FRONT: Final = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*$\n?", re.MULTILINE | re.DOTALL)
_END: Final = re.compile(r"(?<=[.!?])\s+(?=[\"'“A-Z0-9])")
_MARKER: Final = re.compile(r"^\s*(?:\d{1,3}[.)]|[-*+>])\s+")
_NEW_LINE: Final = re.compile(r"\n\s*\n|\n(?=\s*(?:\d{1,3}[.)]|[-*+>|#])\s)|(?<=:)\n")
_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_MONTH: Final = "|".join(_MONTHS)
_DATE: Final = re.compile(
    r"\b(?:(?P<iso>\d{4}-\d{2}-\d{2})"
    rf"|(?P<d1>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?(?P<m1>{_MONTH}),? (?P<y1>\d{{4}})"
    rf"|(?P<m2>{_MONTH}) (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y2>\d{{4}}))\b",
    re.IGNORECASE,
)
_RESULT: Final = re.compile(r"\b(?:result|answer|outcome) (?:is|becomes|would be)\b", re.IGNORECASE)
_GIVES: Final = re.compile(r"\b(?:number is|gives|makes|comes to|yields|leads to)\b", re.IGNORECASE)
_VALUE: Final = re.compile(r"\s*:?\s*(-?\d{1,9})\b(?![-.,]?\d)")
_NAME: Final = re.compile(
    r"[\"“](?P<quoted>[^\"“”]{1,100})[\"”]"
    r"|\b(?:[Ff]or|[Nn]ame|called) (?:the name )?(?P<plain>[A-ZÀ-Þ][\w'’-]*(?: [A-ZÀ-Þ][\w'’-]*)+)"
)
_NUMBER: Final = re.compile(r"\b(?:[Ff]or|[Hh]ouse|[Nn]umber) (?:(?:the )?(?:house |number )*)(\d{1,9})\b")


@dataclass(frozen=True, slots=True)
class Input:
    """An input of a calculation."""

    name: str
    kind: Kind
    description: str = ""


@dataclass(frozen=True, slots=True)
class Worked:
    """A worked example of a document."""

    inputs: Mapping[str, Any]
    """By name; a date is "YYYY-MM-DD"."""
    expected: Any
    quote: str
    """Where it stands: the sentence, or the block."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A calculation that a document describes."""

    utility_id: str
    title: str
    description: str
    inputs: tuple[Input, ...]
    formula: str
    examples: tuple[Worked, ...]
    origin: Literal["block", "front matter", "prose", "examples", "model"]
    quote: str
    """What it was read from, at most 300 characters."""


class ExtractionError(Exception):
    """A document holds a definition as data that cannot be read; the message is one line, safe to show."""


def extract(title: str, content: str) -> list[Candidate]:
    """Returns the calculations that a document describes: all blocks, or at most one from the front matter or prose.

    Args:
        title: Title of the document.
        content: Its text, plain or Markdown.

    Raises:
        ExtractionError: A block, or `utility:` in the front matter, is no definition.
    """
    front = _FRONT.match(content)
    body = content[front.end() :] if front else content
    sentences = list(_sentences(_ANY_FENCE.sub("\n\n", body)))
    found = [_from_data(_read(match[1], "the block"), title, "block") for match in _FENCE.finditer(body)]
    if not found and front is not None:
        values = _front_utility(front[1])
        if values is not None:
            found = [_from_data(values, title, "front matter")]
    if not found:
        prose = _from_prose(title, sentences)
        found = [prose] if prose is not None else []
    if len(found) == 1:
        # With several calculations in one text nobody can tell which one a sentence is an example of.
        told = worked_examples([sentence.text for sentence in sentences], found[0].inputs)
        known = [item.inputs for item in found[0].examples]
        added = [item for item in told if item.inputs not in known]
        found = [replace(found[0], examples=(*found[0].examples, *added)[:MAX_EXAMPLES])]
    return found


def prose_of(content: str) -> list[str]:
    """Returns the sentences of a text without its front matter, blocks, headings and tables."""
    front = _FRONT.match(content)
    body = content[front.end() :] if front else content
    return [sentence.text for sentence in _sentences(_ANY_FENCE.sub("\n\n", body))]


def identifier(title: str) -> str:
    """Returns the id of a utility from a title: lower-case letters, digits and underscores, 2-60 characters."""
    words = re.findall(r"[a-z0-9]+", title.lower())
    if words[:1] in (["the"], ["a"], ["an"]):
        words = words[1:]
    text = "_".join(words)[:60].strip("_")
    return text if re.match(r"[a-z][a-z0-9_]", text) else f"method_{text}".rstrip("_")


def worked_examples(sentences: Sequence[str], inputs: Sequence[Input]) -> list[Worked]:
    """Returns the examples that sentences tell in words. Only inputs of different types can be told apart there."""
    kinds = {item.kind: item.name for item in inputs}
    if len(kinds) < len(inputs):
        return []
    found: list[Worked] = []
    for sentence in sentences:
        value = stated_by(sentence)
        subjects = subjects_of(sentence)
        if value is None or not kinds.keys() <= subjects.keys():
            continue
        given = {name: subjects[kind] for kind, name in kinds.items()}
        if all(item.inputs != given or item.expected != value for item in found):
            found.append(Worked(given, value, sentence[:300]))
    return found


def subjects_of(sentence: str) -> dict[str, Any]:
    """Returns what a sentence names: a date, a name ("string") and a number ("integer"), by type."""
    subjects: dict[str, Any] = {}
    days = [day for match in _DATE.finditer(sentence) if (day := _date(match)) is not None]
    if len(days) == 1:
        subjects["date"] = days[0].isoformat()
    if name := _NAME.search(sentence):
        subjects["string"] = name["quoted"] or name["plain"]
    if number := _NUMBER.search(_DATE.sub("", sentence)):
        subjects["integer"] = int(number[1])
    return subjects


def stated_by(sentence: str) -> int | None:
    """Returns the result that a sentence states: after "the result is", or else the last number after "gives"."""
    for phrase in (_RESULT, _GIVES):
        stated = [value for match in phrase.finditer(sentence) if (value := _VALUE.match(sentence, match.end()))]
        if stated:
            return int(stated[-1][1])
    return None


def _date(match: re.Match[str]) -> date | None:
    try:
        if match["iso"]:
            return date.fromisoformat(match["iso"])
        day, month, year = (
            (match["d1"], match["m1"], match["y1"]) if match["d1"] else (match["d2"], match["m2"], match["y2"])
        )
        return date(int(year), _MONTHS.index(month.lower()) + 1, int(day))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    steps: int
    """Which list of the document it is an item of, from 1; 0 outside of lists."""


def _sentences(text: str) -> Iterator[_Sentence]:
    lists, inside = 0, False
    for block in _NEW_LINE.split(text):
        if not block.strip():
            continue
        item = _MARKER.match(block) is not None
        lists += item and not inside
        inside = item
        line = " ".join(_MARKER.sub("", block).split())
        if line.startswith(("#", "|")):
            continue
        for sentence in _END.split(line.replace("*", "").replace("`", "")):
            if 0 < len(sentence) <= _MAX_SENTENCE:
                yield _Sentence(sentence, lists if item else 0)


def _from_prose(title: str, sentences: Sequence[_Sentence]) -> Candidate | None:
    for place, sentence in enumerate(sentences):
        rule = read_rule(sentence.text)
        if rule is None:
            continue
        quotes = [sentence.text]
        end = place + 1
        while end < len(sentences):
            further = read_rule(sentences[end].text, rule)
            alone = read_rule(sentences[end].text)
            listed = sentence.steps and sentences[end].steps == sentence.steps
            # Outside of a list of steps, a sentence that can be read on its own is another rule, not a further step.
            if further is None or (alone is not None and _inputs(alone) and not listed):
                break
            rule = further
            quotes.append(sentences[end].text)
            end += 1
        # Of a list of steps all must have been read: the rest might change what the first ones say.
        around = {sentences[at].steps for at in (place - 1, end) if 0 <= at < len(sentences)}
        inputs = _inputs(rule)
        if inputs and not (sentence.steps and sentence.steps in around):
            quote = " ".join(quotes)[:300]
            return Candidate(identifier(title), title[:200], quote, inputs, rule.text, (), "prose", quote)
    return None


def _inputs(rule: Expression) -> tuple[Input, ...]:
    return tuple(
        Input(name, kind, INPUT_DESCRIPTIONS[name])
        for name, kind in _TYPES.items()
        if re.search(rf"\b{name}\b", rule.text)
    )


class _Loader(yaml.SafeLoader):
    """Reads plain values; aliases, by which a short text can become a huge value, are refused."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are refused")
        return super().compose_node(parent, index)


def _load(text: str, where: str) -> Any:
    if len(text) > _MAX_BLOCK:
        raise ExtractionError(f"{where} is longer than {_MAX_BLOCK} characters")
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ExtractionError(f"{where} is no YAML") from error


def _read(text: str, where: str) -> Mapping[str, Any]:
    values = _load(text, where)
    if not isinstance(values, dict):
        raise ExtractionError(f"{where} needs id, inputs and formula")
    return values


def _front_utility(text: str) -> Mapping[str, Any] | None:
    """Returns `utility:` of the front matter, or None where there is none; other front matter need not be ours."""
    if not re.search(r"^utility:", text, re.MULTILINE):
        return None
    values = _read(text, "the front matter").get("utility")
    if not isinstance(values, dict):
        raise ExtractionError("utility in the front matter needs inputs and formula")
    return values


def _from_data(values: Mapping[str, Any], title: str, origin: Literal["block", "front matter"]) -> Candidate:
    formula, named, inputs = values.get("formula"), values.get("title", title), values.get("inputs")
    if not isinstance(formula, str) or not formula.strip() or not isinstance(inputs, dict) or not inputs:
        raise ExtractionError(f"the {origin} needs a formula and inputs by name")
    read = tuple(_input(str(name), value) for name, value in inputs.items())
    examples = values.get("examples", [])
    if not isinstance(examples, list):
        raise ExtractionError(f"examples of the {origin} must be a list")
    named = str(named)[:200] or title
    return Candidate(
        utility_id=identifier(str(values.get("id", named))),
        title=named,
        description=str(values.get("description", named))[:4000] or named,
        inputs=read,
        formula=formula.strip(),
        examples=tuple(_worked(item, read, origin) for item in examples[:MAX_EXAMPLES]),
        origin=origin,
        quote=formula.strip()[:300],
    )


def _input(name: str, value: Any) -> Input:
    kind = value.get("type") if isinstance(value, dict) else value
    description = value.get("description", "") if isinstance(value, dict) else ""
    if not isinstance(kind, str) or kind.lower() not in _KINDS:
        raise ExtractionError(f"input {name[:40]} needs a type: integer, string or date")
    return Input(name, _KINDS[kind.lower()], str(description)[:500] or INPUT_DESCRIPTIONS.get(name, ""))  # type: ignore[arg-type]


def _worked(item: Any, inputs: Sequence[Input], origin: str) -> Worked:
    if not isinstance(item, dict) or not isinstance(item.get("inputs"), dict) or "expected" not in item:
        raise ExtractionError(f"each example of the {origin} needs inputs and expected")
    given = {str(name): _plain(value) for name, value in item["inputs"].items()}
    if set(given) != {each.name for each in inputs}:
        raise ExtractionError(f"each example of the {origin} needs exactly the inputs")
    return Worked(given, _plain(item["expected"]), origin)


def _plain(value: Any) -> Any:
    return [_scalar(item) for item in value[:1000]] if isinstance(value, list) else _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    if isinstance(value, str) and value.isprintable():
        return value
    if isinstance(value, bool) or (isinstance(value, int | float) and abs(value) < _LARGEST):
        return value
    raise ExtractionError("a value of an example is no number, text, truth value, date or list of these")
