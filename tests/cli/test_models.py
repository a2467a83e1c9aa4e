"""`onenumbers models`: every command reaches the models' own program, with its words and its exit status."""

import json
import subprocess
import sys

import pytest

PROGRAM = "from onenumbers_cli.models import models_app; models_app(prog_name='onenumbers models')"


@pytest.fixture
def run(tmp_path):
    """Runs `onenumbers models` to its end, with data in a folder of its own."""
    from os import environ

    base = {key: value for key, value in environ.items() if not key.startswith(("MCP_", "HF_"))}

    def one(*words: str, **variables: str):
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, *words, "--data-dir", str(tmp_path)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=base | {"MCP_GENERATION_CONTEXT": "512"} | variables,
        )

    return one


def test_list_is_json_with_the_settings_models_and_the_catalog(run, tmp_path):
    result = run("list", "--json")
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert [row["kind"] for row in found["models"]] == ["embedding", "generation"]
    assert len(found["catalog"]) > 5
    assert not list(tmp_path.iterdir())


def test_use_then_list_shows_the_choice(run):
    assert run("use", "none", "--kind", "generation").returncode == 0
    rows = json.loads(run("list", "--json").stdout)["models"]
    assert rows[1]["setting"] == "none"


def test_check_reports_a_model_and_fails_for_one_that_is_not_there(run):
    good = run("check", "smollm2-135m", "--json")
    assert json.loads(good.stdout)["models"][0]["write_per_s"]["1"] > 0
    bad = run("check", "/nowhere/model.gguf", "--kind", "generation")
    assert bad.returncode == 1
    assert bad.stderr.startswith("generation: /nowhere/model.gguf: ")


@pytest.mark.parametrize(
    ("words", "status"), [(("pull", "nonsense"), 2), (("use",), 2), (("check", "--kind", "colour"), 2)]
)
def test_wrong_usage_is_status_2(run, words, status):
    result = run(*words)
    assert result.returncode == status
    assert result.stdout == ""


def test_help_names_every_command(run):
    help_ = subprocess.run([sys.executable, "-c", PROGRAM, "--help"], capture_output=True, text=True, check=True)
    assert all(name in help_.stdout for name in ("list", "pull", "use", "check", "bench", "prepare"))
