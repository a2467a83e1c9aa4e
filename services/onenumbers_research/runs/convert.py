"""Research runs as messages of the contract."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from onenumbers.research.v1 import discovery_pb2 as pb
from onenumbers.research.v1 import research_pb2
from onenumbers_research.runs.number_research import adjusted, report
from onenumbers_research.runs.records import Finding, Run, RunEvent, RunState, Verdict

_FINDINGS: Final = 1_000
"""Findings that an answer holds; all of them are in the events."""
STATES: Final = {state: pb.ResearchRunState.Value(f"RESEARCH_RUN_STATE_{state.name}") for state in RunState}
_VERDICTS: Final = {verdict: pb.DiscoveryVerdict.Value(f"DISCOVERY_VERDICT_{verdict.name}") for verdict in Verdict}
_ORIGINS: Final = {
    "": pb.DISCOVERY_ORIGIN_UNSPECIFIED,
    "block": pb.DISCOVERY_ORIGIN_BLOCK,
    "front matter": pb.DISCOVERY_ORIGIN_FRONT_MATTER,
    "prose": pb.DISCOVERY_ORIGIN_PROSE,
    "examples": pb.DISCOVERY_ORIGIN_EXAMPLES,
    "model": pb.DISCOVERY_ORIGIN_MODEL,
}


def run_message(run: Run) -> pb.ResearchRun:
    """Returns a run."""
    registered = dict.fromkeys(item.utility_id for item in run.findings if item.verdict is Verdict.REGISTERED)
    told = pb.ResearchRun(
        run_id=run.run_id,
        state=STATES[run.state],
        subject=run.subject,
        registered_utilities=list(registered),
        failure=run.failure,
        findings=[_found(item) for item in run.findings[:_FINDINGS]],
        documents_planned=len(run.plan or ()),
        documents_read=len(set(run.plan or ()) & set(run.done)),
    )
    told.started.FromDatetime(run.started)
    if run.ended is not None:
        told.ended.FromDatetime(run.ended)
    if run.summary is not None:
        told.summary.CopyFrom(research_pb2.Answer.FromString(run.summary))
    told.started_by = pb.RESEARCH_RUN_STARTER_SCHEDULER if run.scheduled else pb.RESEARCH_RUN_STARTER_CALLER
    told.patterns.extend(pb.CountedPattern.FromString(pattern) for pattern in run.patterns)
    for pattern, value in zip(told.patterns, adjusted(told.patterns), strict=True):
        pattern.adjusted_p_value = value
    if run.state.ended and (run.patterns or run.summary is not None):
        told.report = report(told)
    return told


def _found(finding: Finding) -> pb.DiscoveryFinding:
    found = pb.DiscoveryFinding(
        document_id=finding.document_id,
        document_title=finding.document_title,
        verdict=_VERDICTS[finding.verdict],
        reason=finding.reason,
        utility_id=finding.utility_id,
        formula=finding.formula,
        duplicate_of=finding.duplicate_of,
        examples_given=finding.examples_given,
        examples_reproduced=finding.examples_reproduced,
        inputs_compared=finding.inputs_compared,
        origin=_ORIGINS[finding.origin],
    )
    if finding.search is not None:
        found.search.CopyFrom(pb.DiscoverySearch(**asdict(finding.search)))
    return found


def event_message(event: RunEvent) -> pb.ResearchEvent:
    """Returns an event."""
    told = pb.ResearchEvent(sequence=event.sequence, step=event.step, message=event.message, state=STATES[event.state])
    told.time.FromDatetime(event.time)
    if event.finding is not None:
        told.finding.CopyFrom(_found(event.finding))
    if event.pattern is not None:
        told.pattern.MergeFromString(event.pattern)
    return told
