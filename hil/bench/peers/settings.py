"""What each peer is set to. Metres, seconds; noise as densities of acceleration or as each library counts it.

The noise of motpy, and how long SORT and OC-SORT coast, were chosen for MOTA on the first seconds of one run
of the fusion benchmark; ByteTrack has SORT's; the others are the facts' figures for such tracks.
"""

from __future__ import annotations

PERIOD_S = 0.1  # between the instants asked: what peers with a fixed rate count as one frame

# least_score: weaker detections are not shown. hold_s: frames measured at one instant are merged this late,
# when the late ones have come; what is told is led on to the instant asked. px_per_m, box_m: boxes seen from
# above. coast_s: how long a confirmed track is told without being seen.
SETTINGS: dict[str, dict[str, float]] = {
    "stonesoup": {
        "least_score": 0.35,
        "hold_s": 0.0,
        "near": 1,
        "noise": 2.0,
        "gate": 3.4,
        "speed_sd": 6.5,
        "confirm": 4,
        "tentative_s": 0.35,
        "lost_s": 1.0,
    },
    "motpy": {
        "least_score": 0.35,
        "hold_s": 0.1,
        "box_m": 4.0,
        "q_var_pos": 8.0,
        "r_var_pos": 0.1,
        "p_cov_p0": 40.0,
        "min_iou": 0.1,
        "max_staleness": 8,
        "confirm": 3,
        "coast_s": 0.5,
    },
    "norfair": {
        "least_score": 0.35,
        "hold_s": 0.1,
        "distance_m": 2.5,
        "hits_most": 8,
        "confirm": 3,
        "R": 0.1,
        "Q": 0.01,
        "vel_variance": 0.4,
    },
    "sort": {
        "least_score": 0.35,
        "hold_s": 0.1,
        "px_per_m": 20.0,
        "box_m": 4.0,
        "lost_s": 1.0,
        "confirm": 3,
        "min_iou": 0.15,
        "coast_s": 0.2,
    },
    "bytetrack": {
        "least_score": 0.1,
        "hold_s": 0.1,
        "px_per_m": 20.0,
        "box_m": 4.0,
        "lost_s": 1.0,
        "confirm": 3,
        "min_iou": 0.15,
        "high_score": 0.35,
        "coast_s": 0.2,
    },
    "ocsort": {
        "least_score": 0.35,
        "hold_s": 0.1,
        "px_per_m": 20.0,
        "box_m": 4.0,
        "lost_s": 1.0,
        "confirm": 3,
        "min_iou": 0.15,
        "high_score": 0.35,
        "turn_weight": 0.2,
        "coast_s": 0.2,
    },
}
