"""When colours end: from the plan before calibration, from the learnt cycle after, and what if it errs."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from rsu_agent.phases.cycle import Cycle, stage_start_bounds
from rsu_agent.phases.history import Edge, Shown
from rsu_agent.phases.plan import Turn, expand, expand_steps, stage_offsets
from rsu_agent.world.signal import Colour, GroupOutlook, GroupSteps, Plan, Programme, StageReport

HELD_AHEAD_S = 0.1  # field-rules 3.3: until it counts as missed, the announced end is 0.1 s ahead
MISSED_FLOOR_S = 0.5
STAMP_S = 0.25  # a report's stamp and the reading of its counters are less than this apart
GOOD_ERROR_S = 1.0  # field-rules 3.5
INTERVAL_S = 5.0  # around an end that is told by bounds only
SCORES_KEPT = 100
MOST_STRANGERS = 2  # edges that fit no learnt one in a whole cycle: it is another cycle now


_Key = tuple[int, Colour, float | None]  # lessons of the cycle, colour, instant


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
        self._held_until: dict[int, float] = {}
        self._ends: dict[int, tuple[_Key, tuple[float, float] | None]] = {}
        self._runs: dict[int, tuple[_Key, tuple[float, float] | None]] = {}
        self.errors_s: deque[float] = deque(maxlen=SCORES_KEPT)
        self.counters: Counter[str] = Counter()

    @property
    def confidence(self) -> float:
        """P(|actual - likely| <= 1 s), with one imagined good and one bad prediction."""
        return (sum(self._scores) + 1) / (len(self._scores) + 2)

    def calibrated(self, now_s: float) -> bool:
        """Whether a full cycle of this plan has been seen."""
        return self._cycle.whole(now_s)

    def saw_edge(self, edge: Edge) -> None:
        """Learn, and score what was predicted."""
        if self._exact:
            self._placed(edge)
        residual = self._cycle.learn(edge)
        if self._cycle.whole(edge.at_s):
            self._scores.append(residual is not None and abs(residual) <= GOOD_ERROR_S)
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
        bare = GroupOutlook(group, shown.colour, shown.since_s)
        if shown.colour in (Colour.DARK, Colour.UNKNOWN):
            return bare
        if not self.calibrated(now_s):
            return self._from_plan(group, shown, now_s) or bare
        if self._held_until.get(group, 0.0) > now_s:
            return self._by_interval(group, shown, now_s)
        found = self._end(group, shown, now_s)
        if found is None:
            return bare
        end_s, spread_s = found
        if now_s - end_s > max(MISSED_FLOOR_S, 2 * report_period_s):
            self._miss(group, now_s)
            return self._by_interval(group, shown, now_s)
        likely_s = max(end_s, now_s + HELD_AHEAD_S)
        again = self._again(group, shown, likely_s)
        return GroupOutlook(
            group,
            shown.colour,
            shown.since_s,
            min_end_s=min(likely_s, max(now_s, end_s - spread_s)),
            likely_end_s=likely_s,
            max_end_s=max(likely_s, end_s + spread_s),
            confidence=self.confidence,
            next_start_s=again[0] if again else None,
            next_duration_s=again[1] if again else None,
        )

    def _by_interval(self, group: int, shown: Shown, now_s: float) -> GroupOutlook:
        """After a prediction that failed: bounds only for one cycle; of what outlasts them no end at all."""
        bare = GroupOutlook(group, shown.colour, shown.since_s, min_end_s=now_s)
        found = self._end(group, shown, now_s)
        if found is None or found[0] <= now_s:
            return bare
        return replace(
            bare,
            min_end_s=max(now_s, found[0] - INTERVAL_S),
            max_end_s=found[0] + INTERVAL_S,
        )

    def _end(self, group: int, shown: Shown, now_s: float) -> tuple[float, float] | None:
        """(end, spread) of what a group shows; kept until something is learnt or another colour shows."""
        key = self._cycle.lessons, shown.colour, shown.since_s
        kept = self._ends.get(group)
        if kept is not None and kept[0] == key:
            return kept[1]
        found = self._cycle.end_of(group, shown.colour, shown.since_s, now_s)
        end = None if found is None else (found[0], found[1].spread_s)
        if shown.since_s is not None:  # else it depends on now
            self._ends[group] = key, end
        return end

    def _again(self, group: int, shown: Shown, from_s: float) -> tuple[float, float] | None:
        """(start, seconds) of the next run of this colour; kept while it is asked from the same instant."""
        key = self._cycle.lessons, shown.colour, from_s
        kept = self._runs.get(group)
        if kept is None or kept[0] != key:
            kept = self._runs[group] = key, self._cycle.runs_of(group, shown.colour, from_s)
        return kept[1]

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

    def _miss(self, group: int, now_s: float) -> None:
        """A prediction that failed: no times for this group for one cycle."""
        self.counters["prediction_missed"] += 1
        self._scores.append(False)
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
