"""When colours end: from the plan before calibration, from the learnt cycle after, and what if it errs."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from rsu_agent.phases.cycle import Cycle, stage_start_bounds
from rsu_agent.phases.expected import Expectations, Expected
from rsu_agent.phases.history import Edge, Shown
from rsu_agent.phases.plan import Turn, expand, expand_steps, stage_offsets
from rsu_agent.world.signal import Colour, GroupOutlook, GroupSteps, Plan, Programme, StageReport

HELD_AHEAD_S = 0.1  # field-rules 3.3: until it counts as missed, the announced end is 0.1 s ahead
MISSED_FLOOR_S = 0.5
STAMP_S = 0.25  # a report's stamp and the reading of its counters are less than this apart
GOOD_ERROR_S = 1.0  # field-rules 3.5
INTERVAL_S = 5.0  # around an end that is told by bounds only
SCORES_KEPT = 100
FIRST_CONFIDENCE = 0.5  # one imagined good and one bad prediction
MOST_STRANGERS = 2  # edges that fit no learnt one in a whole cycle: it is another cycle now


@dataclass(frozen=True, slots=True)
class Timetable:
    """What is known of a cycle before it has been watched: its length, turns by group, its chain of stages.

    exact: the turns are published second by second; those of a plan rest on how its times are read.
    """

    cycle_s: float
    turns: Mapping[int, Sequence[Turn]] = field(default_factory=dict)
    stages: Sequence[tuple[int, float, float]] = ()
    exact: bool = False


def of_plan(programme: Programme, plan: Plan) -> Timetable:
    """A controller's own plan."""
    return Timetable(plan.cycle_s, expand(programme, plan), stage_offsets(plan))


def of_steps(cycle: Sequence[GroupSteps]) -> Timetable:
    """Colour steps that a controller publishes."""
    length_s, turns = expand_steps(cycle)
    return Timetable(length_s, turns, exact=True)


class FixedTimePredictor:
    """One cycle of fixed times. Ends are absolute monotonic seconds.

    abrupt: the controller has just changed plan, mode or step. What its counters say of the stage it was
    in no longer tells where in the cycle it is; the first stage that is seen to begin does.
    """

    def __init__(self, timetable: Timetable, now_s: float, *, abrupt: bool = False) -> None:
        self._cycle_s = timetable.cycle_s
        self._turns, self._stages, self._exact = timetable.turns, timetable.stages, timetable.exact
        self._cycle = Cycle(timetable.cycle_s, now_s, now_s)
        self._bounds: tuple[float, float] | None = None  # of the cycle's start, before calibration
        self._stage_before: int | None = None
        self._stage_told = not abrupt
        self._scores: deque[bool] = deque(maxlen=SCORES_KEPT)
        self._scored = 0  # over all
        self.confidence = FIRST_CONFIDENCE
        self._held_until: dict[int, float] = {}
        self._expected = Expectations(self._cycle)
        self.errors_s: deque[float] = deque(maxlen=SCORES_KEPT)
        self.counters: Counter[str] = Counter()

    def calibrated(self, now_s: float) -> bool:
        """Whether a full cycle of this plan has been seen."""
        return self._cycle.whole(now_s)

    def saw_edge(self, edge: Edge) -> None:
        """Learn, and score what was predicted."""
        if self._exact:
            self._placed(edge)
        residual = self._cycle.learn(edge)
        if self._cycle.whole(edge.at_s):
            self._score(residual is not None and abs(residual) <= GOOD_ERROR_S)
            if residual is not None:
                self.errors_s.append(abs(residual))
            else:
                self._miss(edge.group, edge.at_s)

    def saw_stage(self, report: StageReport, at_s: float) -> None:
        """Narrow the bounds of the cycle's start; they never widen but when they contradict each other."""
        self._stage_told = self._stage_told or self._stage_before not in (None, report.stage)
        self._stage_before = report.stage
        if not self._stage_told:
            return
        for stage, start, seconds in self._stages:
            if stage != report.stage or sum(s == stage for s, _, _ in self._stages) > 1:
                continue
            for low, high in stage_start_bounds(report.elapsed_s, report.remaining_s, seconds, at_s):
                self._narrow(low - start, high - start)

    def _placed(self, edge: Edge) -> None:
        """An edge that the timetable has once tells where in the cycle we are."""
        turns = self._turns.get(edge.group, ())
        places = [
            turn.offset_s
            for before, turn in zip([*turns[-1:], *turns[:-1]], turns, strict=True)
            if (before.colour, turn.colour) == (edge.before, edge.after)
        ]
        if len(places) == 1:
            start_s = edge.at_s - places[0]
            self._narrow(start_s - STAMP_S, start_s + STAMP_S)

    def lost_track(self) -> bool:
        """Whether what is seen is no longer the learnt cycle."""
        return self._cycle.strangers > MOST_STRANGERS

    def outlook(self, group: int, shown: Shown, now_s: float, report_period_s: float) -> GroupOutlook:
        """What this group shows and when that ends."""
        if shown.colour in (Colour.DARK, Colour.UNKNOWN):
            return GroupOutlook(group, shown.colour, shown.since_s)
        if not self.calibrated(now_s):
            return self._from_plan(group, shown, now_s) or GroupOutlook(group, shown.colour, shown.since_s)
        if self._held_until.get(group, 0.0) > now_s:
            return self._by_interval(group, shown, now_s)
        expected = self._expected.of(group, shown, now_s)
        if expected is None:
            return GroupOutlook(group, shown.colour, shown.since_s)
        if expected.said is None or now_s >= expected.said_until_s or expected.said_score != self._scored:
            if now_s - expected.end_s > max(MISSED_FLOOR_S, 2 * report_period_s):
                self._miss(group, now_s)
                return self._by_interval(group, shown, now_s)
            self._say(expected, group, shown, now_s)
        assert expected.said is not None
        return expected.said

    def _say(self, expected: Expected, group: int, shown: Shown, now_s: float) -> None:
        """What is expected, as an outlook, and until when nothing in it changes by itself."""
        end_s, spread_s = expected.end_s, expected.spread_s
        likely_s = max(end_s, now_s + HELD_AHEAD_S)
        again_s, lasts_s = expected.again(likely_s)
        expected.said = GroupOutlook(
            group,
            shown.colour,
            shown.since_s,
            min_end_s=min(likely_s, max(now_s, end_s - spread_s)),
            likely_end_s=likely_s,
            max_end_s=max(likely_s, end_s + spread_s),
            confidence=self.confidence,
            next_start_s=again_s,
            next_duration_s=lasts_s,
        )
        expected.said_until_s, expected.said_score = end_s - max(spread_s, HELD_AHEAD_S), self._scored

    def _by_interval(self, group: int, shown: Shown, now_s: float) -> GroupOutlook:
        """After a prediction that failed: bounds only for one cycle; of what outlasts them no end at all."""
        bare = GroupOutlook(group, shown.colour, shown.since_s, min_end_s=now_s)
        expected = self._expected.of(group, shown, now_s)
        if expected is None or expected.end_s <= now_s:
            return bare
        least_s, most_s = expected.end_s - INTERVAL_S, expected.end_s + INTERVAL_S
        return replace(bare, min_end_s=max(now_s, least_s), max_end_s=most_s)

    def _from_plan(self, group: int, shown: Shown, now_s: float) -> GroupOutlook | None:
        turns = self._turns.get(group)
        if self._bounds is None or not turns or len(turns) < 2:
            return None
        low, high = self._bounds
        start_s = (low + high) / 2
        half_s = (high - low) / 2
        into = (now_s - start_s) % self._cycle_s
        at = _segment(turns, into, shown.colour, half_s + 1.0, self._cycle_s)
        if at is None:
            return None
        ahead = (turns[(at + 1) % len(turns)].offset_s - into) % self._cycle_s
        if ahead > self._cycle_s - half_s - 1.0:
            ahead = 0.0
        likely_s = max(now_s + HELD_AHEAD_S, now_s + ahead)
        return GroupOutlook(
            group,
            shown.colour,
            shown.since_s,
            min_end_s=max(now_s, likely_s - half_s - 1.0),
            likely_end_s=likely_s,
            max_end_s=likely_s + half_s + 1.0,
            confidence=0.0 if half_s > GOOD_ERROR_S else self.confidence,
        )

    def _narrow(self, low: float, high: float) -> None:
        if self._bounds is None:
            self._bounds = low, high
            return
        # Bring the new bounds to the same cycle as those held before they are intersected.
        middle = (self._bounds[0] + self._bounds[1]) / 2
        shift = round((middle - (low + high) / 2) / self._cycle_s) * self._cycle_s
        both = max(self._bounds[0], low + shift), min(self._bounds[1], high + shift)
        if both[0] > both[1] + STAMP_S:
            self.counters["bounds_contradict"] += 1
            both = low + shift, high + shift
        elif both[0] > both[1]:  # apart by no more than stamps are: the start lies between
            both = both[1], both[0]
        self._bounds = both

    def _score(self, good: bool) -> None:
        """P(|actual - likely| <= 1 s), with one imagined good and one bad prediction."""
        self._scores.append(good)
        self._scored += 1
        self.confidence = (sum(self._scores) + 1) / (len(self._scores) + 2)

    def _miss(self, group: int, now_s: float) -> None:
        """A prediction that failed: no times for this group for one cycle."""
        self.counters["prediction_missed"] += 1
        self._score(False)
        self._held_until[group] = now_s + self._cycle_s


def _segment(
    turns: Sequence[Turn], into: float, colour: Colour, tolerance_s: float, cycle_s: float
) -> int | None:
    """The turn that began what is shown, looking no farther than the tolerance around where we are."""
    best: tuple[float, int] | None = None
    for i, turn in enumerate(turns):
        if turn.colour is not colour:
            continue
        since = (into - turn.offset_s) % cycle_s
        lasts = (turns[(i + 1) % len(turns)].offset_s - turn.offset_s) % cycle_s or cycle_s
        outside = max(0.0, min(since - lasts, cycle_s - since))
        if outside <= tolerance_s and (best is None or outside < best[0]):
            best = outside, i
    return None if best is None else best[1]
