"""The confidence of a verdict: from labelled claims, and never a constant.

For calculations it is counted for each verdict (see `counted`). For each other kind of claim, P(verdict is right) =
1 / (1 + exp(-(b + sum of w_i * (x_i - m_i) / s_i))). The quantities x are those of the judgement and the verdict; b, w,
m and s stand in records/calibration.json with how they were fitted. The model is told what the checker measured,
and no more: it can be confidently wrong where the checker is.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Limits:
    """What counts as enough, as shares of a claim's weighted words, 0-1."""

    agree: float = 0.5
    """Least share that a place has to hold to support a claim."""
    oppose: float = 0.4
    """Least share whose opposite or denial contradicts it."""
    elsewhere: float = 0.6
    """Least share that a document on another number has to hold to contradict it."""
    absent: float = 0.34
    """Largest share that the documents on the claim's own number may hold then."""
    fact: float = 0.5
    """Least share that a place has to hold to decide an empirical claim."""
    passage: float = 0.7
    """Least share that a whole passage with a denial has to hold to contradict one."""
    unknown: float = 0.5
    """Largest share of an empirical claim's words that no document on evidence holds."""


@dataclass(frozen=True, slots=True)
class Model:
    """The fitted model of one kind of claim."""

    names: tuple[str, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    weights: tuple[float, ...]
    constant: float

    def confidence(self, quantities: Mapping[str, float]) -> float:
        """Returns the probability that a verdict with these quantities is right, 0-1."""
        total = self.constant + sum(
            weight * (quantities.get(name, 0.0) - mean) / scale
            for name, mean, scale, weight in zip(self.names, self.means, self.scales, self.weights, strict=True)
        )
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))

    def formula(self) -> str:
        """Returns the quantities in words."""
        return ", ".join(name.replace("_", " ") for name in self.names)


def with_verdict(quantities: Mapping[str, float], verdict: str) -> dict[str, float]:
    """Returns quantities together with the verdict they led to, as two of them."""
    return {
        **quantities,
        "is_supported": float(verdict == "supported"),
        "is_contradicted": float(verdict == "contradicted"),
    }


def fit(
    rows: Sequence[Mapping[str, float]],
    right: Sequence[bool],
    *,
    penalty: float,
    weights: Sequence[float] | None = None,
) -> Model:
    """Returns the model that is most likely under an L2 penalty, by Newton's method.

    Args:
        rows: Quantities of each claim; one that a claim lacks is 0.
        right: Whether its verdict was the labelled one.
        penalty: Strength of the L2 penalty on the weights of standardised quantities; the constant has none.
        weights: How much each claim counts; 1 each when left out.
    """
    names = tuple(sorted({name for row in rows for name in row}))
    x: NDArray[np.float64] = np.array([[row.get(name, 0.0) for name in names] for row in rows], dtype=np.float64)
    means = x.mean(axis=0)
    scales = np.where(x.std(axis=0) > 0, x.std(axis=0), 1.0)
    design = np.hstack([(x - means) / scales, np.ones((len(x), 1))])
    # Two added cases, one right and one wrong: without them a kind without errors would be claimed to be certain.
    design = np.vstack([design, np.zeros((2, design.shape[1]))])
    design[-2:, -1] = 1.0
    y = np.array([*map(float, right), 1.0, 0.0])
    counts = np.array([*(weights if weights is not None else [1.0] * len(rows)), 1.0, 1.0])
    ridge = np.full(design.shape[1], penalty)
    ridge[-1] = 1e-6
    theta = np.zeros(design.shape[1])
    for _ in range(100):
        p = 1.0 / (1.0 + np.exp(-design @ theta))
        gradient = design.T @ (counts * (p - y)) + ridge * theta
        hessian = (design * (counts * p * (1 - p))[:, None]).T @ design + np.diag(ridge)
        step = np.linalg.solve(hessian, gradient)
        theta -= step
        if np.abs(step).max() < 1e-10:
            break
    return Model(
        names, tuple(map(float, means)), tuple(map(float, scales)), tuple(map(float, theta[:-1])), float(theta[-1])
    )


def counted(verdicts: Sequence[str], right: Sequence[bool]) -> Model:
    """Returns the model of a kind whose verdicts are counted: for each verdict the mean of a Beta posterior.

    P(right) is (right + 1) / (cases + 2) among the claims with that verdict: one right and one wrong case are added, so
    that it comes as near to 1 as the number of cases allows and no nearer. Calculations are of this kind: where hardly
    any is wrong, quantities have nothing to tell apart.

    Args:
        verdicts: The verdict of each claim: supported, contradicted or not_covered.
        right: Whether it was the labelled one.
    """

    def log_odds(verdict: str) -> float:
        hits = [hit for found, hit in zip(verdicts, right, strict=True) if found == verdict]
        return math.log((sum(hits) + 1) / (len(hits) - sum(hits) + 1))

    base = log_odds("not_covered")
    weights = (log_odds("contradicted") - base, log_odds("supported") - base)
    return Model(("is_contradicted", "is_supported"), (0.0, 0.0), (1.0, 1.0), weights, base)


@dataclass(frozen=True, slots=True)
class Calibration:
    """All that was fitted."""

    limits: Limits
    models: Mapping[str, Model]
    """By kind of claim: calculation, meaning, empirical."""
    fitted: Mapping[str, object]
    """How it was fitted: claims, dates, corpus."""

    def to_json(self) -> str:
        """Returns the text of calibration.json."""
        data = {
            "fitted": dict(self.fitted),
            "limits": {name: getattr(self.limits, name) for name in Limits.__dataclass_fields__},
            "models": {
                kind: {
                    "constant": model.constant,
                    "quantities": {
                        name: {"mean": mean, "scale": scale, "weight": weight}
                        for name, mean, scale, weight in zip(
                            model.names, model.means, model.scales, model.weights, strict=True
                        )
                    },
                }
                for kind, model in self.models.items()
            },
        }
        return json.dumps(data, indent=1) + "\n"


def from_json(text: str) -> Calibration:
    """Returns the calibration that a text of `to_json` holds."""
    data = json.loads(text)
    models = {}
    for kind, item in data["models"].items():
        quantities = item["quantities"]
        models[kind] = Model(
            tuple(quantities),
            tuple(value["mean"] for value in quantities.values()),
            tuple(value["scale"] for value in quantities.values()),
            tuple(value["weight"] for value in quantities.values()),
            item["constant"],
        )
    return Calibration(Limits(**data["limits"]), models, data["fitted"])


@cache
def calibration() -> Calibration:
    """Returns the calibration of the package's data."""
    path = files(__package__).joinpath("records", "calibration.json")
    return from_json(path.read_text(encoding="utf-8"))
