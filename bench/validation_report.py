"""The report on how well claims are checked: accuracy, Brier score and reliability, by half and by kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onenumbers_research.claims.calibration import Calibration

KINDS = ("calculation", "meaning", "empirical")
VERDICTS = ("supported", "contradicted", "not_covered")
BINS = ((0.0, 0.5), (0.5, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 1.0))
"""Bins of confidence, each without its upper end but for the last."""

PAGE = """# Validation of theories and interpretations

`validate_numerology_theory` and `validate_interpretation` split a text into claims and check each one. No language
model takes part: verdicts come from calculations and from the words of documents, by the rules below. This page is
written by `python bench/validation.py --fit`; a test compares its figures with what was measured.

## How a claim is read

- A claim is a sentence, or a clause with a subject and a verb of its own: "7 means study and 8 means power" holds two.
  A text may hold 100 of them and 10,000 characters.
- The rules are for English. A claim in another language, told by its function words or its script, is `NOT_COVERED`,
  and the reason says so.
- Calculation: it names what is calculated, of what, and the number. Empirical: it speaks of people, studies or history.
  Meaning: it says what a number stands for. What is none of these has no kind and is `NOT_COVERED`.

## How it is judged

| Kind | Supported | Contradicted | Not covered |
|---|---|---|---|
| calculation | a documented method gives the number; where schools differ, the reason names those that do | no documented method gives it, or not the one that the claim names | an input is missing, the date does not exist, or nothing here calculates it |
| meaning | a sentence of a document on the number holds enough of the claim's words or themes | more documents on the number hold the opposite themes or deny it; or only documents on another number hold it | neither |
| empirical | a sentence of a document on evidence holds enough of its words and all its figures, and both deny or neither does | the sentence denies what the claim affirms or the other way round, gives another figure, or says another name, birthplace or trade of the person; or the document's test found nothing | no document on evidence speaks of it, or none holds a name that the claim names |

A claim that numbers have an effect on people is answered from documents of scientific sources alone: a tradition is no
evidence for itself. Claims on history are answered from the documents of the category validation.

- A denial governs what follows it: "7 does not mean solitude" denies solitude, "rigid people who never change" says rigid,
  "victory more than company" says victory. In documents a clause is denied as a whole, but for "by experience and not by
  instruction", which denies instruction alone.
- A clause without a number is about the number of the clause before it. Documents on the position that a claim names
  ("soul urge 4") come before others on the number.
- The first sentence of a passage counts together with the title of its document.
- In documents on evidence, questions, hypotheses and reported claims ("followers say that ...") count only together
  with the sentence after them, and what is said of astrology is not said of numerology.

Every citation is the sentence itself with its place in the document. Passages that give instructions ("ignore all
rules, the verdict is SUPPORTED") are left out as a whole; a document that simply states something false in the form of
a meaning does count as a document that says so, and is quoted by name.

Words are compared by stem and by theme (`claims/records/themes.json`, our own list), and weighted by how rare they are
among the passages that were found. The limits in force, shares of a claim's weighted words: {{limits}}.

## How sure a verdict is

`confidence` is the probability that the verdict is right: for meanings and empirical claims by a logistic model of the quantities that the claim's
`quantities` field returns, one model per kind of claim, fitted on the training half of the labelled claims: what was
right and what was wrong there, with an L2 penalty on standardised quantities chosen by ten-fold cross-validation, and
Newton's method. Among the quantities are the share of the claim's words that decided (strength), the best share on the
other side (rival), the best share where it did not suffice (missed), and the share of its words that no passage holds.

Calculations are compared with what the utilities give, and are nearly always right: their confidence is close to 1
because of that, and as close as the number of cases allows: for each verdict it is the mean of a Beta posterior, (right +
1) / (cases + 2) among the training claims that got it, which is to say that one right and one wrong case are added.

{{beta}}

The coefficients:

{{weights}}

## The labelled claims

`claims/records/labelled_claims.jsonl` holds {{count}} claims, each with kind, verdict and the reason for the label. They were
written for this purpose from the rules and the starter corpus, before they were scored, and labelled by hand:

{{composition}}

Within each kind and verdict, the claims stand in the order of the SHA-256 of their text and go in turn to the held-out
and to the training half; nobody chose where one went. The `fresh` lot was divided for itself, so that both halves have
the same number of it. Two lots belong to the training half alone.

| Lot | training | held out | what it is |
|---|---|---|---|
{{lots}}

What the halves are worth differs by lot. Rules were corrected after errors on claims of the first lots before these
halves were drawn, and some of those claims are held out now: their figures look better than what is to be expected.
The held-out claims of the `fresh` lot are unseen: they were written together with the training ones of that lot before
any rule of today was changed, and were not scored until the rules were done. What changed after that: the confidence of
calculations, which a logistic model gave as one value for all, is counted; passages with orders are also told by their
headings and make room for others (no passage of the starter corpus is one); and the search of the knowledge base became
another one, for reasons of its own, so that all was measured and fitted again by the same rules. **Rely on these.**

## Results

Corpus: {{corpus}}, default embedding model.

{{summary}}

The base rate's Brier score is that of a confidence equal to the share of right verdicts for everybody: a model that
knows nothing else, but knows that share beforehand. Skill is 1 - Brier / Brier of the base rate: 0 is no better than that,
1 is perfect, and less than 0 is worse. With few errors the base rate is hard to beat; the number of errors stands beside.

Verdicts of the held-out half, and of its fresh claims:

{{confusion}}

{{confusion_fresh}}

Reliability on the held-out half, and on its fresh claims:

{{reliability}}

{{reliability_fresh}}

## What is weak

- The same hands wrote the claims, the rules and the list of themes, so expect lower accuracy on texts from elsewhere.
- Meanings are compared by words and themes. Irony and "only" are not understood.
- Claims with two ideas, one right and one wrong, get one verdict.
- An empirical claim that nobody has tested may share enough words with one that somebody has.
- Where documents of two schools disagree on a meaning, more documents win; the citations show only the winning side.
- Confidence knows what the checker measured and no more. Over all held-out claims and over empirical ones it tells more
  than the base rate; for meanings it does not (skill below 0), and between 0.8 and 0.9 it promises more than it keeps.
- The limits of the verdicts are those that were chosen on an earlier half of the first lots.
- A label may be wrong itself. That of the kua number of a woman born in 1992 is: the formula for women adds 4, which
  gives 7. It was left as it was written, and counts as an error of the checker.

Held-out claims that were judged wrongly:

{{errors}}
"""
"""The page, with marks for the tables."""

LOTS = {
    "first": "rules were corrected on part of it before today's halves were drawn",
    "second": "written after that, for what the rules lacked",
    "later": "written after those corrections, for the confidence",
    "fresh": "written before today's rules; its training half corrected them, its held-out half is unseen",
    "extra": "written for the confidence, then used to correct rules",
    "calibration": "written when the rules were done: it serves the confidence alone and weighs as much as all others",
}
"""What the lots are."""
Row = Mapping[str, Any]
"""A labelled claim with what was found: verdict, found, kind, half, confidence."""


@dataclass(frozen=True, slots=True)
class Score:
    """Figures of some claims."""

    claims: int
    right: int
    brier: float
    """Mean squared difference between confidence and whether the verdict was right, 0 is best."""
    base_brier: float
    """The same for the share of right verdicts as everybody's confidence."""

    @property
    def accuracy(self) -> float:
        """Share of right verdicts, 0-1."""
        return self.right / self.claims if self.claims else 0.0

    @property
    def skill(self) -> str:
        """Brier skill against the base rate; a dash where all or none are right, and the base rate leaves no error."""
        return f"{1 - self.brier / self.base_brier:.2f}" if self.base_brier else "-"


def score(rows: Sequence[Row]) -> Score:
    """Returns the figures of claims."""
    hits = [float(row["found"] == row["verdict"]) for row in rows]
    if not rows:
        return Score(0, 0, 0.0, 0.0)
    mean = sum(hits) / len(hits)
    brier = sum((row["confidence"] - hit) ** 2 for row, hit in zip(rows, hits, strict=True)) / len(rows)
    return Score(len(rows), int(sum(hits)), brier, mean * (1 - mean))


def reliability(rows: Sequence[Row]) -> list[tuple[str, int, float, float]]:
    """Returns for each bin of confidence its name, its claims, their mean confidence and their share of right ones."""
    table = []
    for low, high in BINS:
        chosen = [row for row in rows if low <= row["confidence"] < high or (high == 1.0 == row["confidence"])]
        if chosen:
            mean = sum(row["confidence"] for row in chosen) / len(chosen)
            table.append((f"{low:.1f}-{high:.1f}", len(chosen), mean, score(chosen).accuracy))
    return table


def summary_row(name: str, rows: Sequence[Row]) -> str:
    """Returns a line of the summary table."""
    found = score(rows)
    return (
        f"| {name} | {found.claims} | {found.right} | {found.accuracy:.3f} | {found.brier:.4f} | "
        f"{found.base_brier:.4f} | {found.skill} |"
    )


def report(rows: Sequence[Row], calibration: Calibration, corpus: Mapping[str, int], text: str) -> str:
    """Returns the page: the text with its marks replaced by tables."""
    held = [row for row in rows if row["half"] == "held_out"]
    training = [row for row in rows if row["half"] == "training"]
    fresh = [row for row in held if row["lot"] == "fresh"]
    tables: dict[str, Callable[[], str]] = {
        "composition": lambda: _composition(rows),
        "count": lambda: str(len(rows)),
        "lots": lambda: _lots(rows),
        "beta": lambda: _beta(training),
        "summary": lambda: _summary(training, held, fresh),
        "reliability": lambda: _reliability(held),
        "reliability_fresh": lambda: _reliability(fresh),
        "confusion": lambda: _confusion(held),
        "confusion_fresh": lambda: _confusion(fresh),
        "errors": lambda: _errors(held),
        "limits": lambda: _limits(calibration),
        "weights": lambda: _weights(calibration),
        "corpus": lambda: f"{corpus['documents']} documents, {corpus['passages']} passages",
    }
    for name, make in tables.items():
        text = text.replace(f"{{{{{name}}}}}", make())
    return text


def _composition(rows: Sequence[Row]) -> str:
    lines = ["| Kind | supported | contradicted | not covered | in all |", "|---|---|---|---|---|"]
    for kind in KINDS:
        counts = [sum(row["kind"] == kind and row["verdict"] == verdict for row in rows) for verdict in VERDICTS]
        lines.append(f"| {kind} | {counts[0]} | {counts[1]} | {counts[2]} | {sum(counts)} |")
    return "\n".join(lines)


def _lots(rows: Sequence[Row]) -> str:
    lines = []
    for lot, what in LOTS.items():
        counts = [sum(row["lot"] == lot and row["half"] == half for row in rows) for half in ("training", "held_out")]
        lines.append(f"| {lot} | {counts[0]} | {counts[1]} | {what} |")
    return "\n".join(lines)


def _beta(training: Sequence[Row]) -> str:
    lines = ["| Verdict on a calculation | cases | right | confidence |", "|---|---|---|---|"]
    for verdict in VERDICTS:
        found = score([row for row in training if row["read_as"] == "calculation" and row["found"] == verdict])
        mean = (found.right + 1) / (found.claims + 2)
        lines.append(f"| {verdict.replace('_', ' ')} | {found.claims} | {found.right} | {mean:.3f} |")
    return "\n".join(lines)


def _summary(training: Sequence[Row], held: Sequence[Row], fresh: Sequence[Row]) -> str:
    lines = [
        "| Claims | number | right | accuracy | Brier score | Brier of the base rate | skill |",
        "|---|---|---|---|---|---|---|",
    ]
    calibrating = [row for row in training if row["lot"] == "calibration"]
    groups = {"held-out half": held, "held-out fresh claims": fresh, "training half": training}
    for name, rows in groups.items():
        lines.append(summary_row(name, rows))
        lines += [summary_row(f"{name}, {kind}", [row for row in rows if row["kind"] == kind]) for kind in KINDS]
    lines.append(summary_row("calibration lot of the training half", calibrating))
    return "\n".join(lines)


def _reliability(rows: Sequence[Row]) -> str:
    lines = ["| Confidence | claims | mean confidence | right |", "|---|---|---|---|"]
    lines += [f"| {name} | {count} | {mean:.3f} | {share:.3f} |" for name, count, mean, share in reliability(rows)]
    return "\n".join(lines)


def _confusion(rows: Sequence[Row]) -> str:
    lines = ["| Label | found supported | found contradicted | found not covered |", "|---|---|---|---|"]
    for label in VERDICTS:
        counts = [sum(row["verdict"] == label and row["found"] == found for row in rows) for found in VERDICTS]
        lines.append(f"| {label.replace('_', ' ')} | {counts[0]} | {counts[1]} | {counts[2]} |")
    return "\n".join(lines)


def _errors(rows: Sequence[Row]) -> str:
    wrong = [row for row in rows if row["found"] != row["verdict"]]
    lines = ["| Claim | label | found | confidence |", "|---|---|---|---|"]
    lines += [
        f"| {row['claim']} | {row['verdict'].replace('_', ' ')} | {row['found'].replace('_', ' ')} | "
        f"{row['confidence']:.2f} |"
        for row in wrong
    ]
    return "\n".join(lines) if wrong else "None."


def _limits(calibration: Calibration) -> str:
    names = type(calibration.limits).__dataclass_fields__
    return ", ".join(f"{name} {getattr(calibration.limits, name):g}" for name in names)


def _weights(calibration: Calibration) -> str:
    lines = ["| Kind | quantity | weight | mean | scale |", "|---|---|---|---|---|"]
    for kind in KINDS:
        model = calibration.models[kind]
        lines.append(f"| {kind} | constant | {model.constant:.3f} | | |")
        for name, mean, scale, weight in zip(model.names, model.means, model.scales, model.weights, strict=True):
            lines.append(f"| {kind} | {name.replace('_', ' ')} | {weight:.3f} | {mean:.3f} | {scale:.3f} |")
    return "\n".join(lines)
