"""The utilities server, as the validation of claims uses it: every documented value of what a claim calculates."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import grpc
from google.type import date_pb2

from onenumbers.utilities.v1 import (
    calculation_pb2,
    dates_pb2,
    dates_pb2_grpc,
    names_pb2,
    names_pb2_grpc,
    objects_pb2,
    objects_pb2_grpc,
    systems_pb2,
    systems_pb2_grpc,
    utilities_pb2,
    utilities_pb2_grpc,
)
from onenumbers_research.claims.calculation_verdicts import Outcome, RefusedError
from onenumbers_research.claims.calculations import Calculation
from onenumbers_runtime.calls import outgoing_metadata, outgoing_timeout
from onenumbers_runtime.errors import UnavailableError

_LIMIT_S = 10.0
_DOWN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
_REFUSED = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.OUT_OF_RANGE, grpc.StatusCode.FAILED_PRECONDITION)
_LEAP_YEAR = 2000
_DEFAULT: Any = calculation_pb2.MASTER_NUMBERS_UNSPECIFIED
_NONE: Any = calculation_pb2.MASTER_NUMBERS_NONE
_TWO: Any = calculation_pb2.MASTER_NUMBERS_11_22
_METHODS: dict[str, Any] = {
    "sum_all_digits": calculation_pb2.LIFE_PATH_METHOD_SUM_ALL_DIGITS,
    "grouped_masters": calculation_pb2.LIFE_PATH_METHOD_GROUPED_MASTERS,
    "straight": calculation_pb2.LIFE_PATH_METHOD_STRAIGHT,
    "month_day_year_sum": calculation_pb2.LIFE_PATH_METHOD_MONTH_DAY_YEAR_SUM,
}
_SUMMING: dict[str, Any] = {
    "letter_total": calculation_pb2.SUMMING_METHOD_LETTER_TOTAL,
    "per_name": calculation_pb2.SUMMING_METHOD_PER_NAME,
    "per_name_plain": calculation_pb2.SUMMING_METHOD_PER_NAME_PLAIN,
}


class CalculationClient:
    """Calculates what claims speak of.

    Args:
        channel: Channel to the utilities server.
        token: Bearer token that it asks for, or None.
    """

    def __init__(self, channel: grpc.aio.Channel, *, token: str | None) -> None:
        self._core: Any = utilities_pb2_grpc.UtilitiesServiceStub(channel)
        self._names: Any = names_pb2_grpc.NameNumbersServiceStub(channel)
        self._dates: Any = dates_pb2_grpc.DateNumbersServiceStub(channel)
        self._systems: Any = systems_pb2_grpc.NumberSystemsServiceStub(channel)
        self._objects: Any = objects_pb2_grpc.ObjectNumbersServiceStub(channel)
        self._token = token
        self._ways: dict[str, Callable[[Calculation], Awaitable[list[Outcome]]]] = {
            "life_path": self._life_path,
            "bhagyank": self._vedic,
            "mulank": self._vedic,
            "birthday": self._birthday,
            "attitude": self._attitude,
            "pinnacle": self._period,
            "challenge": self._period,
            "kua": self._kua,
            "universal_year": self._universal,
            "chaldean": self._chaldean,
            "letter": self._letter,
            **dict.fromkeys(("expression", "soul_urge", "personality", "balance", "maturity"), self._name_number),
            **dict.fromkeys(("personal_year", "personal_month", "personal_day"), self._personal),
            **dict.fromkeys(("reduction", "root", "digit_sum"), self._reduction),
        }

    async def outcomes(self, calculation: Calculation) -> list[Outcome]:
        """Returns the values that documented methods give, the default method first.

        Raises:
            RefusedError: The utilities refuse the input, such as letters of another script.
            UnavailableError: The utilities server is down or did not answer in time.
            grpc.aio.AioRpcError: Any other status of it, passed on unchanged.
        """
        found = await self._ways[calculation.operation](calculation)
        seen: dict[tuple[int | None, str], Outcome] = {}
        for outcome in found:
            seen.setdefault((outcome.value, outcome.rule_id), outcome)
        return list(seen.values())

    async def _call(self, method: Any, request: Any) -> Any:
        try:
            return await method(request, timeout=outgoing_timeout(_LIMIT_S), metadata=outgoing_metadata(self._token))
        except grpc.aio.AioRpcError as error:
            if error.code() in _DOWN:
                raise UnavailableError(
                    "the utilities server does not answer",
                    reason="UTILITIES_UNAVAILABLE",
                    metadata={"server": "utilities"},
                    retry_after=1.0,
                ) from None
            if error.code() in _REFUSED:
                raise RefusedError(error.details() or "the utilities refuse the input") from None
            raise

    async def _life_path(self, asked: Calculation) -> list[Outcome]:
        request = utilities_pb2.CalculateLifePathRequest(**_parts(asked), method=_METHODS.get(asked.method, 0))
        if asked.method == "no_masters":
            request.master_numbers = _NONE
        result = (await self._call(self._core.CalculateLifePath, request)).result
        return _outcomes("calculate_life_path", result, alone=bool(asked.method))

    async def _vedic(self, asked: Calculation) -> list[Outcome]:
        answer = await self._call(
            self._systems.CalculateVedicNumbers, systems_pb2.CalculateVedicNumbersRequest(**_parts(asked))
        )
        return _outcomes("calculate_vedic_numbers", getattr(answer, asked.operation).result, alone=True)

    async def _birthday(self, asked: Calculation) -> list[Outcome]:
        day = _parts(asked)["day"]
        answer = await self._call(
            self._dates.CalculateBirthdayNumber, dates_pb2.CalculateBirthdayNumberRequest(day=day)
        )
        found = _outcomes("calculate_birthday_number", answer.result)
        # The literature writes the day itself as the birthday number, too.
        return [*found, Outcome("calculate_birthday_number", "birthday.day", found[0].school, day, (day,))]

    async def _attitude(self, asked: Calculation) -> list[Outcome]:
        parts = _parts(asked)
        request = dates_pb2.CalculateAttitudeRequest(day=parts["day"], month=parts["month"])
        return _outcomes("calculate_attitude", (await self._call(self._dates.CalculateAttitude, request)).result)

    async def _period(self, asked: Calculation) -> list[Outcome]:
        if asked.operation == "challenge":
            answer = await self._call(
                self._dates.CalculateChallenges, dates_pb2.CalculateChallengesRequest(**_parts(asked))
            )
            return _outcomes("calculate_challenges", answer.challenges[asked.index - 1].number, alone=True)
        found = []
        for rule in dates_pb2.PinnacleRule.values()[1:]:
            request = dates_pb2.CalculatePinnaclesRequest(**_parts(asked), rule=rule)
            answer = await self._call(self._dates.CalculatePinnacles, request)
            found += _outcomes("calculate_pinnacles", answer.pinnacles[asked.index - 1].number, alone=True)
        return found

    async def _kua(self, asked: Calculation) -> list[Outcome]:
        formula = systems_pb2.KUA_FORMULA_FEMALE if asked.formula == "female" else systems_pb2.KUA_FORMULA_MALE
        found = []
        for turn in (systems_pb2.YEAR_TURN_SOLAR, systems_pb2.YEAR_TURN_LUNAR):
            request = systems_pb2.CalculateKuaRequest(**_parts(asked), formula=formula, year_turn=turn)
            try:
                answer = await self._call(self._systems.CalculateKua, request)
            except RefusedError:
                # The table of lunar New Years does not hold every year; the solar turn needs none.
                if turn == systems_pb2.YEAR_TURN_SOLAR:
                    raise
                continue
            found += _outcomes("calculate_kua", answer.result, alone=True)
        return found

    async def _personal(self, asked: Calculation) -> list[Outcome]:
        parts, year = _parts(asked), asked.year or 0
        if asked.date is None or asked.date.year is None:
            # The personal numbers do not depend on the year of birth, but the request needs a date before `as_of`.
            parts["year"] = _LEAP_YEAR if year > _LEAP_YEAR else max(4, year - year % 4 - 4)
        as_of = date_pb2.Date(year=year, month=asked.month or 1, day=1)
        found = []
        for masters in (_DEFAULT, _TWO):
            request = dates_pb2.CalculatePersonalCyclesRequest(**parts, as_of=as_of, master_numbers=masters)
            answer = await self._call(self._dates.CalculatePersonalCycles, request)
            found += _outcomes("calculate_personal_cycles", getattr(answer, asked.operation), alone=True)
        return found

    async def _universal(self, asked: Calculation) -> list[Outcome]:
        as_of = date_pb2.Date(year=asked.year, month=1, day=1)
        found = []
        for masters in (_DEFAULT, _TWO):
            request = dates_pb2.CalculateUniversalCyclesRequest(as_of=as_of, master_numbers=masters)
            answer = await self._call(self._dates.CalculateUniversalCycles, request)
            found += _outcomes("calculate_universal_cycles", answer.universal_year, alone=True)
        return found

    async def _name_number(self, asked: Calculation) -> list[Outcome]:
        method, request = {
            "expression": (self._core.CalculateExpressionNumber, utilities_pb2.CalculateExpressionNumberRequest),
            "soul_urge": (self._names.CalculateSoulUrge, names_pb2.CalculateSoulUrgeRequest),
            "personality": (self._names.CalculatePersonality, names_pb2.CalculatePersonalityRequest),
            "balance": (self._names.CalculateBalance, names_pb2.CalculateBalanceRequest),
            "maturity": (self._names.CalculateMaturity, names_pb2.CalculateMaturityRequest),
        }[asked.operation]
        fields: dict[str, Any] = {"name": asked.name}
        if asked.operation == "maturity":
            fields |= _parts(asked)
        if asked.operation != "balance":
            fields["summing_method"] = _SUMMING.get(asked.method, 0)
            fields["master_numbers"] = _NONE if asked.method == "no_masters" else 0
        tool = f"calculate_{asked.operation}{'_number' if asked.operation == 'expression' else ''}"
        return _outcomes(tool, (await self._call(method, request(**fields))).result, alone=bool(asked.method))

    async def _chaldean(self, asked: Calculation) -> list[Outcome]:
        answer = await self._call(
            self._systems.CalculateChaldeanName, systems_pb2.CalculateChaldeanNameRequest(name=asked.name)
        )
        found = _outcomes("calculate_chaldean_name", answer.result, alone=True)
        return [
            Outcome("calculate_chaldean_name", f"chaldean.{item.label}", "CHEIRO", item.number, (item.number,))
            for item in answer.compounds
        ] + found

    async def _letter(self, asked: Calculation) -> list[Outcome]:
        found = []
        if asked.table != "chaldean":
            answer = await self._call(
                self._core.CalculateExpressionNumber,
                utilities_pb2.CalculateExpressionNumberRequest(name=asked.number),
            )
            value = answer.result.components[0].letters[0].value
            found.append(Outcome("calculate_expression_number", "pythagorean table", "PYTHAGOREAN", value, (value,)))
        if asked.table != "pythagorean":
            answer = await self._call(
                self._systems.CalculateChaldeanName, systems_pb2.CalculateChaldeanNameRequest(name=asked.number)
            )
            value = answer.result.components[0].letters[0].value
            found.append(Outcome("calculate_chaldean_name", "Cheiro's table", "CHEIRO", value, (value,)))
        return found

    async def _reduction(self, asked: Calculation) -> list[Outcome]:
        request = objects_pb2.CalculateHouseNumberRequest(number=asked.number, master_numbers=_NONE)
        result = (await self._call(self._objects.CalculateHouseNumber, request)).result
        chain = [int(asked.number), *(item for item in result.chain if item != int(asked.number))]
        steps = chain[1:] or chain
        if asked.operation == "digit_sum":
            steps = steps[:1]
        elif asked.operation == "root":
            steps = steps[-1:]
        school = calculation_pb2.School.Name(result.school).removeprefix("SCHOOL_")
        last, *earlier = reversed(steps)
        return [
            Outcome("calculate_house_number", "reduction by digit sums", school, last, tuple(chain)),
            *(
                Outcome("calculate_house_number", "an earlier step of the reduction", school, step, tuple(chain))
                for step in earlier
            ),
        ]


def _parts(asked: Calculation) -> dict[str, Any]:
    date = asked.date
    if date is None:
        return {}
    return {"day": date.day or 1, "month": date.month or 1, "year": date.year or _LEAP_YEAR}


def _outcomes(tool: str, result: Any, *, alone: bool = False) -> list[Outcome]:
    """Returns the outcome of a result and those of its alternatives; `alone` leaves the alternatives out."""
    value = result.value if result.HasField("value") else None
    found = [Outcome(tool, result.rule_id, _school(result.school), value, tuple(result.chain))]
    others: Iterable[Any] = () if alone else result.alternatives
    found += [Outcome(tool, item.rule_id, _school(item.school), item.value, ()) for item in others]
    if result.is_master and not alone:
        found.append(Outcome(tool, f"{result.rule_id} without master numbers", "", result.root, ()))
    return found


def _school(number: Any) -> str:
    return str(calculation_pb2.School.Name(number)).removeprefix("SCHOOL_")
