"""What the documents say of settings holds."""

import re
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from onenumbers_gateway.settings import GatewaySettings
from onenumbers_gateway.xds.settings import EdgeSettings
from onenumbers_knowledge.settings import KnowledgeSettings
from onenumbers_research.settings import ResearchSettings
from onenumbers_utilities.settings import UtilitiesSettings

ROOT = Path(__file__).resolve().parent.parent
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
DOCUMENTED = dict(re.findall(r"^\| `((?:MCP_|REDIS_|DATABASE_)\w+)` \| ([^|]*) \|", OPERATIONS, re.MULTILINE))
FIELDS = {
    str(field.validation_alias): field
    for settings in (GatewaySettings, EdgeSettings, KnowledgeSettings, ResearchSettings, UtilitiesSettings)
    for field in settings.model_fields.values()
}


def test_every_setting_is_documented_and_no_other():
    assert DOCUMENTED.keys() == FIELDS.keys()


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_the_default_in_the_document_is_the_one_in_force(name):
    default = FIELDS[name].default
    if default is PydanticUndefined or default is None:
        pytest.skip("made when it is read, or none")
    shown = DOCUMENTED[name].strip()
    if isinstance(default, int | float) and not isinstance(default, bool):
        assert float(shown) == default
    elif isinstance(default, str | bool):
        assert shown == str(default) or (default == "" and shown == "-")


def test_names_of_files_in_the_documents_exist():
    for document in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), (document.name, target)
