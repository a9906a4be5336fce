"""Others' metrics of one result: MOTA and IDF1 by motmetrics, HOTA by trackeval. A script of its own.

`python referees.py TRUTH.npz RULES.json RESULT.npz ...`, in an environment that holds numpy, motmetrics and
trackeval; it knows nothing of the product. Prints one JSON list, an object a result.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import motmetrics
import numpy as np
import numpy.typing as npt
from trackeval.metrics import HOTA

Array = npt.NDArray[Any]
Frames = list[tuple[Array, Array, Array]]  # ids, xy, v


def main(truth_file: str, rules: str, *result_files: str) -> None:
    """Judge results of one truth by rules: steps, unscored_steps, region_m, match_m, hota_m."""
    told = json.loads(rules)
    with np.load(truth_file) as file:
        xy, v = np.column_stack([file["x"], file["y"]]), np.column_stack([file["vx"], file["vy"]])
        users = frames(told, file["step"], file["id"], xy, v)
    found = []
    for name in result_files:
        with np.load(name) as file:
            reports = frames(
                told, file["t_index"], file["id"], file["xy"].reshape(-1, 2), file["v"].reshape(-1, 2)
            )
        found.append({**clear(told, users, reports), "hota": hota(told, users, reports)})
    print(json.dumps(found))


def frames(rules: dict[str, Any], step: Array, ids: Array, xy: Array, v: Array) -> Frames:
    """The scored steps' rows that lie in the region."""
    inside = np.hypot(*xy.T) < rules["region_m"]
    rows = (np.flatnonzero(inside & (step == n)) for n in range(rules["unscored_steps"], rules["steps"]))
    return [(ids[each].astype(int), xy[each], v[each]) for each in rows]


def apart(users: Array, reports: Array) -> Array:
    """Distances (n, m) in metres."""
    return np.asarray(np.hypot(*(users[:, None] - reports[None]).transpose(2, 0, 1)))


def clear(rules: dict[str, Any], users: Frames, reports: Frames) -> dict[str, Any]:
    """CLEAR and identity metrics, and the errors of the pairs that CLEAR has matched."""
    judge = motmetrics.MOTAccumulator()
    for step, ((ids, xy, _), (own, own_xy, _)) in enumerate(zip(users, reports, strict=True)):
        far = apart(xy, own_xy)
        judge.update(ids, own, np.where(far <= rules["match_m"], far, np.nan), frameid=step)
    names = {
        "mota": "mota",
        "idf1": "idf1",
        "num_switches": "id_switches",
        "precision": "precision",
        "recall": "recall",
    }
    table = motmetrics.metrics.create().compute(judge, metrics=list(names)).iloc[0]
    figures = {own: float(table[name]) for name, own in names.items()}
    off_m, off_mps = errors(judge.mot_events, users, reports)
    return {**figures, "position_rmse_m": rms(off_m), "speed_rmse_mps": rms(off_mps)}


def errors(events: Any, users: Frames, reports: Frames) -> tuple[list[float], list[float]]:
    """Distances in place (m) and velocity (m/s) of all pairs that the accumulator has matched."""
    pairs = events[events.Type.isin(["MATCH", "SWITCH"])]
    off_m, off_mps = [], []
    for (step, _), user, own in zip(pairs.index, pairs.OId, pairs.HId, strict=True):
        (ids, xy, v), (own_ids, own_xy, own_v) = users[step], reports[step]
        row, column = int(np.flatnonzero(ids == user)[0]), int(np.flatnonzero(own_ids == own)[0])
        off_m.append(float(np.hypot(*(xy[row] - own_xy[column]))))
        off_mps.append(float(np.hypot(*(v[row] - own_v[column]))))
    return off_m, off_mps


def rms(values: list[float]) -> float | None:
    """Root of the mean square; None of nothing."""
    return float(np.sqrt(np.mean(np.square(values)))) if values else None


def hota(rules: dict[str, Any], users: Frames, reports: Frames) -> float:
    """Mean over trackeval's alphas; similarity falls from 1 at no distance to 0 at hota_m."""
    user_ids, own_ids = (np.unique(np.concatenate([row[0] for row in part])) for part in (users, reports))
    data = {
        "num_timesteps": len(users),
        "num_gt_ids": len(user_ids),
        "num_tracker_ids": len(own_ids),
        "num_gt_dets": sum(len(row[0]) for row in users),
        "num_tracker_dets": sum(len(row[0]) for row in reports),
        "gt_ids": [np.searchsorted(user_ids, row[0]) for row in users],
        "tracker_ids": [np.searchsorted(own_ids, row[0]) for row in reports],
        "similarity_scores": [
            np.maximum(0.0, 1.0 - apart(one[1], other[1]) / rules["hota_m"])
            for one, other in zip(users, reports, strict=True)
        ],
    }
    return float(np.mean(HOTA().eval_sequence(data)["HOTA"]))


if __name__ == "__main__":
    main(*sys.argv[1:])
