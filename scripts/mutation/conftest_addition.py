"""What scripts/mutation.sh adds to the settings of the tests in its copy."""

import inspect
import os
import re
import resource

import pytest
from hypothesis import HealthCheck, Phase, settings

from onenumbers_utilities.numerology.letters import LETTER_MAPS

settings.register_profile(
    "mutation",
    settings.get_profile("onenumbers"),
    derandomize=True,
    database=None,
    max_examples=30,
    phases=[Phase.explicit, Phase.generate],  # whether an input fails is asked, not which is the smallest that does
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("mutation")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what talks to a server, starts another interpreter or reads the text of the sources."""
    skipped = set(os.environ.get("MUTATION_SKIP", "").split())
    kept = [
        item
        for item in items
        if not inspect.iscoroutinefunction(item.function)
        and not {"subprocess", "SOURCES"} & set(re.findall(r"\w+", inspect.getsource(item.function)))
        and item.originalname not in skipped
    ]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def pytest_runtest_setup() -> None:
    """Empties the tables that fill themselves, so that every test resolves its characters anew.

    Bounds memory as well: a mutant that never ends may also never stop growing.
    """
    resource.setrlimit(resource.RLIMIT_DATA, (3 << 30, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    for table in LETTER_MAPS.values():
        table.clear()
