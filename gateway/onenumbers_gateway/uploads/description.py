"""What a request says of its file, from the query and from a form, as the contract's message. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from onenumbers_gateway.arguments import ArgumentReader
from onenumbers_gateway.uploads.routes import UploadRoute
from onenumbers_runtime.errors import invalid
from onenumbers_runtime.validation import RequestValidator

_WHOLE_NUMBER: Final = re.compile(r"-?[0-9]{1,20}\Z")
_MOST_PARAMETERS: Final = 100


class DescriptionReader:
    """Reads descriptions of the files of one path.

    Args:
        route: The path.
    """

    def __init__(self, route: UploadRoute) -> None:
        self._route = route
        self._fields = route.fields
        self._reader = ArgumentReader()
        self._validator = RequestValidator()

    def query(self, query: bytes) -> dict[str, str]:
        """Returns what the query says.

        Raises:
            InvalidArgumentError: It is not readable, or a parameter is unknown or there twice.
        """
        try:
            pairs = parse_qsl(
                query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS
            )
        except ValueError:
            raise invalid("query", "is not UTF-8, or has too many parameters", rule="upload.query") from None
        found: dict[str, str] = {}
        for name, value in pairs:
            self._require_known(name)
            if name in found:
                raise invalid(name, "is there twice", rule="upload.once")
            found[name] = value
        return found

    def together(self, query: Mapping[str, str], form: Mapping[str, str]) -> dict[str, str]:
        """Returns what query and form say.

        Raises:
            InvalidArgumentError: A field of the form is unknown, or stands in the query too.
        """
        for name in form:
            self._require_known(name)
            if name in query:
                raise invalid(name, "stands both in the query and in the form", rule="upload.once")
        return {**form, **query}

    def own(self, told: Mapping[str, str]) -> dict[str, str]:
        """Returns those parts of what the file's own headers say that the contract has a field for."""
        return {name: value for name, value in told.items() if name in self._fields}

    def message(self, told: Mapping[str, str]) -> Any:
        """Returns the message, by the rules of the contract.

        Raises:
            InvalidArgumentError: A field is missing, or breaks a rule.
        """
        for name, why in self._route.needed.items():
            if not told.get(name):
                raise invalid(name, f"is missing: {why}", rule=f"upload.{name}")
        found = GetMessageClass(self._route.described)()
        fields = self._route.described.fields_by_name
        texts = {name: value for name, value in told.items() if fields[name].message_type is None}
        self._reader.read({name: _value(fields[name], value) for name, value in texts.items()}, found)
        for name in told.keys() - texts.keys():
            _read_object(name, told[name], getattr(found, name))
        self._validator.check(found)
        return found

    def _require_known(self, name: str) -> None:
        if name not in self._fields:
            known = ", ".join(self._fields)
            raise invalid(name[:100] or "(no name)", f"is unknown: the fields are {known}", rule="upload.known")


def _value(field: FieldDescriptor, text: str) -> str:
    """Returns the text where it can be a value of the field: what it holds is checked by who reads it."""
    if field.cpp_type in _NUMBERS and not _WHOLE_NUMBER.match(text):
        raise invalid(field.name, f"must be a whole number, not {text[:50]!r}", rule="type")
    return text


_NUMBERS: Final = frozenset(
    (
        FieldDescriptor.CPPTYPE_INT32,
        FieldDescriptor.CPPTYPE_INT64,
        FieldDescriptor.CPPTYPE_UINT32,
        FieldDescriptor.CPPTYPE_UINT64,
    )
)


def _read_object(name: str, text: str, into: Message) -> None:
    if not text:
        return
    try:
        json_format.Parse(text, into)
    except (json_format.ParseError, RecursionError):
        raise invalid(name, "is no JSON object", rule=f"{name}.json") from None
