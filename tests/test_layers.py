"""Imports point one way, and the domain knows nothing of gRPC."""

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [ROOT / "services", ROOT / "gateway"]
PURE = [
    "services/onenumbers_models",
    "services/onenumbers_utilities/numerology",
    *(
        f"services/onenumbers_utilities/registry/{name}.py"
        for name in ("definitions", "expressions", "functions", "lexer", "limits", "registry", "sandbox", "store")
    ),
    "services/onenumbers_documents",
    "services/onenumbers_knowledge/documents.py",
    "services/onenumbers_knowledge/collection.py",
    *(f"services/onenumbers_knowledge/{name}" for name in ("storage", "index", "search")),
    *(f"services/onenumbers_knowledge/ingestion/{name}.py" for name in ("upload", "chunking", "corpus_files")),
    *(
        f"services/onenumbers_research/{name}.py"
        for name in (
            *(f"answers/{name}" for name in ("support", "answering", "decomposition", "instructions")),
            *(
                f"analysis/{name}"
                for name in ("statistics", "people", "population", "compatibility_data", "patterns", "histogram")
            ),
            *(
                f"claims/{name}"
                for name in (
                    *("reading", "dates", "facts", "calculations", "calculation_verdicts", "evidence"),
                    *("meaning_claims", "empirical_claims", "calibration"),
                )
            ),
            *(
                f"discovery/{name}"
                for name in (
                    *("prose", "extraction", "comparison", "definitions", "sample_inputs", "run", "documents"),
                    *("document_discovery", "derivation", "methods", "formula_trees", "input_quantities"),
                    *("synthesis", "drafting"),
                )
            ),
            *(f"runs/{name}" for name in ("running", "store", "records", "scheduler")),
        )
    ),
    *(
        f"services/onenumbers_runtime/{name}.py"
        for name in (
            *("errors", "database", "database_errors", "database_sharing", "database_sqlite", "spooled"),
            "precedence",
        )
    ),
]
SERVED = (
    *(f"utilities.v1.{name}" for name in ("utilities", "names", "dates", "systems", "objects", "compatibility")),
    *("utilities.v1.registry", "utilities.v1.native", "utilities.v1.counting"),
    *(f"knowledge.v1.{name}" for name in ("knowledge", "upload", "maintenance")),
    *("research.v1.research", "research.v1.analysis", "research.v1.discovery"),
)
"""Contracts whose RPCs are all served."""
WIRE = ("grpc", "google", "onenumbers.", "buf", "grpc_health", "grpc_reflection")
ALLOWED = {
    "onenumbers_runtime": set(),
    "onenumbers_documents": set(),
    "onenumbers_models": {"onenumbers_runtime"},
    "onenumbers_utilities": {"onenumbers_runtime"},
    "onenumbers_knowledge": {"onenumbers_runtime", "onenumbers_models", "onenumbers_documents"},
    "onenumbers_research": {"onenumbers_runtime", "onenumbers_models"},
    "onenumbers_gateway": {"onenumbers_runtime"},
    "onenumbers_cli": {"onenumbers_runtime", "onenumbers_gateway", "onenumbers_documents"},
}


def files(path: str) -> list[Path]:
    whole = ROOT / path
    return sorted(whole.rglob("*.py")) if whole.is_dir() else [whole]


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


@pytest.mark.parametrize("path", PURE)
def test_the_domain_imports_neither_grpc_nor_protobuf(path):
    for file in files(path):
        wire = {name for name in imports(file) if (name + ".").startswith(tuple(w.rstrip(".") + "." for w in WIRE))}
        assert not wire, f"{file.name} imports {wire}"


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_packages_import_only_what_lies_below_them(package):
    (folder,) = [source / package for source in SOURCES if (source / package).is_dir()]
    for file in sorted(folder.rglob("*.py")):
        ours = {name.split(".")[0] for name in imports(file) if name.startswith("onenumbers_")}
        assert ours <= ALLOWED[package] | {package}, file.name


def test_no_file_is_too_long_to_hold_in_the_head():
    for source in SOURCES:
        for file in source.rglob("*.py"):
            lines = len(file.read_text(encoding="utf-8").splitlines())
            assert lines <= 400, f"{file.name} has {lines} lines"


def test_every_tool_of_the_readme_is_in_the_contract_and_the_other_way_round():
    import re

    from onenumbers.options.v1 import options_pb2

    served = {
        method.GetOptions().Extensions[options_pb2.tool].name
        for name in SERVED
        for service in importlib.import_module(f"onenumbers.{name}_pb2").DESCRIPTOR.services_by_name.values()
        for method in service.methods
    } - {""}
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## The tools", 1)[1].split("\n\nA server", 1)[0]
    assert set(re.findall(r"`([a-z_]+)`", section)) == served
