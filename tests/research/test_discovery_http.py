"""Runs over HTTP: started, listed, watched as lines and as server-sent events through a real Envoy."""

import importlib.util
import json
from pathlib import Path

import pytest

from onenumbers.research.v1 import discovery_pb2
from onenumbers_research.model_slot import ModelSlot
from onenumbers_research.runs.service import DISCOVERY_SERVICE, running_discovery
from onenumbers_runtime.testing import CompiledContract, running

_SPEC = importlib.util.spec_from_file_location("edge_fixtures", Path(__file__).parents[1] / "edge" / "conftest.py")
_EDGE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_EDGE)
edge, edge_options = _EDGE.edge, _EDGE.edge_options
DOCUMENTS = Path(__file__).parent / "documents"


@pytest.fixture
async def http(edge, mesh, tmp_path):
    slot = ModelSlot(reason="no model is wanted here")
    slot.settled.set()
    async with (
        running_discovery(
            data_dir=tmp_path,
            knowledge=mesh.knowledge_channel,
            utilities=mesh.utilities_channel,
            token=None,
            model=slot,
            patience=(),
        ) as discovery,
        running([discovery.service]) as (server, _),
    ):
        await edge.serve(
            _EDGE.describe(
                "research", CompiledContract.of(discovery_pb2.DESCRIPTOR), server.port, services=[DISCOVERY_SERVICE]
            )
        )
        yield edge.http
        await discovery.stop()


async def test_a_run_is_started_watched_and_listed_over_http(http, mesh):
    await mesh.ingest(DOCUMENTS / "hearth-number.md")
    started = await http.post("/research/discover-utilities", json={"category": "cycles"})
    assert started.status_code == 200, started.text
    run_id = started.json()["run"]["run_id"]
    lines = await http.get(f"/v1/research/runs/{run_id}:watch", timeout=60)
    assert lines.headers["content-type"].startswith("application/json")
    events = [json.loads(line)["event"] for line in lines.text.splitlines()]
    assert [int(event["sequence"]) for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["state"] == "RESEARCH_RUN_STATE_SUCCEEDED"
    (finding,) = [event["finding"] for event in events if event.get("finding")]
    assert finding["verdict"] == "DISCOVERY_VERDICT_REGISTERED"
    assert finding["origin"] == "DISCOVERY_ORIGIN_PROSE"

    sent = await http.get(f"/v1/research/runs/{run_id}:watch", headers={"accept": "text/event-stream"}, timeout=60)
    assert sent.headers["content-type"].startswith("text/event-stream")
    told = [json.loads(line.removeprefix("data:"))["event"] for line in sent.text.splitlines() if line.strip()]
    assert told == events

    listed = (await http.get("/research/results")).json()["runs"]
    assert [run["run_id"] for run in listed] == [run_id]
    assert listed[0]["started_by"] == "RESEARCH_RUN_STARTER_CALLER"
    assert listed[0]["registered_utilities"] == ["hearth_number"]


async def test_bad_runs_are_bad_requests(http):
    for path, body, field in (
        ("/v1/research/numbers/7", {"context": "astrology"}, "context"),
        ("/v1/research/numbers/100", {"context": "life_path"}, "number"),
        ("/research/discover-utilities", {"category": "weather"}, "category"),
    ):
        answer = await http.post(path, json=body)
        assert answer.status_code == 400, (path, answer.text)
        assert field in answer.text
    assert (await http.get("/v1/research/runs/nothing")).status_code == 404
