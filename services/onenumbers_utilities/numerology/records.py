"""Results as dataclasses that are quick to make.

A frozen dataclass sets each field through object.__setattr__, which made half of the time of a profile. Records are
frozen for the type checker, which sees every assignment in this code base, and plain when they run.
"""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar, cast, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def record(cls: type[T]) -> type[T]:
    """Makes a class a dataclass with slots, equality by value and a hash."""
    return dataclasses.dataclass(slots=True, unsafe_hash=True)(cls)


def changed(instance: T, **changes: Any) -> T:
    """Returns a copy of a record with other values in some of its fields.

    Raises:
        TypeError: It has no such field.
    """
    return cast(T, dataclasses.replace(cast(Any, instance), **changes))
