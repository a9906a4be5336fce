"""All rules as a table, and what comes of applying them."""

from __future__ import annotations

from collections.abc import Sequence

from rsu_agent.messages.lint import csae53, dsrc, geometry, survey
from rsu_agent.messages.lint.finding import Finding, Rule, Severity, Subject
from rsu_agent.world.place import LocalFrame

ROAD, CSAE, RECEIVERS = "geometry", "T/CSAE 53-2020", "receivers"
ETSI, CTI, SURVEY = "ETSI TS 103 301", "CTI 4501", "survey"
ERROR, GAP, HINT = Severity.ERROR, Severity.GAP, Severity.HINT

RULES: tuple[Rule, ...] = (
    Rule("direction", ROAD, ERROR, geometry.directions),
    Rule("arm", ROAD, ERROR, geometry.arms),
    Rule("side", ROAD, ERROR, geometry.sides),
    Rule("turn", ROAD, ERROR, geometry.turns),
    Rule("join", ROAD, ERROR, geometry.joins),
    Rule("overlap", ROAD, ERROR, geometry.overlaps),
    Rule("dead-end", ROAD, ERROR, geometry.dead_ends),
    Rule("unsignalled", ROAD, ERROR, geometry.unsignalled),
    Rule("stop-line", ROAD, GAP, geometry.stop_lines),
    Rule("length", ROAD, GAP, geometry.lengths),
    Rule("same-point", ROAD, HINT, geometry.repeated_points),
    Rule("speed", ROAD, ERROR, geometry.speeds),
    Rule("node-id", CSAE, ERROR, csae53.node_ids),
    Rule("phase", CSAE, ERROR, csae53.phases),
    Rule("test-id", CSAE, HINT, csae53.test_ids),
    Rule("limits", RECEIVERS, ERROR, csae53.links),
    Rule("points", RECEIVERS, ERROR, csae53.points),
    Rule("signal-group", ETSI, ERROR, dsrc.groups),
    Rule("lane-number", ETSI, ERROR, dsrc.lane_numbers),
    Rule("approach", ETSI, ERROR, dsrc.approaches),
    Rule("width", ETSI, GAP, dsrc.widths),
    Rule("elevation", CTI, GAP, dsrc.elevation),
    Rule("ingress", CTI, GAP, dsrc.ingress),
    Rule("accuracy", CTI, GAP, dsrc.survey),
    Rule("region", CTI, HINT, dsrc.region),
    Rule("pole", SURVEY, ERROR, survey.pole),
    Rule("datum", SURVEY, HINT, survey.datum),
)


def findings(subject: Subject, rules: Sequence[Rule] = RULES) -> list[Finding]:
    """Everything that the rules find, in the order of the table."""
    frame = LocalFrame(subject.crossing.origin)
    return [
        Finding(rule.name, rule.source, rule.severity, fault.feature, frame.to_geo(*fault.place), fault.text)
        for rule in rules
        for fault in rule.find(subject)
    ]
