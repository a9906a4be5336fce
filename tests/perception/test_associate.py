"""What is quick in the association gives what the slow way gives."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from rsu_agent.perception.associate import FAR, GATE, Costs, assign, costs
from rsu_agent.perception.near import pairs_near


def slow_costs(mean, covariance, points, spreads) -> np.ndarray:
    cost = np.full((len(mean), len(points)), FAR)
    for i, j in np.ndindex(cost.shape):
        total = covariance[i, :2, :2] + spreads[j]
        off = points[j] - mean[i, :2]
        distance = off @ np.linalg.solve(total, off)
        if distance < GATE:
            cost[i, j] = distance + np.log(np.linalg.det(total))
    return cost


def of_table(table: np.ndarray) -> Costs:
    rows, columns = np.nonzero(table < FAR)
    return Costs(rows, columns, table[rows, columns])


def spreads_of(dice: np.random.Generator, count: int, size: int) -> np.ndarray:
    half = dice.normal(0, 1, (count, size, size))
    return half @ half.transpose(0, 2, 1) + 0.05 * np.eye(size)


@pytest.mark.parametrize("seed", range(20))
def test_only_pairs_far_outside_every_gate_are_not_weighed(seed: int) -> None:
    dice = np.random.default_rng(seed)
    mean, points = dice.uniform(-20, 20, (30, 4)), dice.uniform(-20, 20, (25, 2))
    covariance, spreads = spreads_of(dice, 30, 4), spreads_of(dice, 25, 2)
    assert np.allclose(
        costs(mean, covariance, points, spreads).table((30, 25)),
        slow_costs(mean, covariance, points, spreads),
        rtol=1e-6,
    )


def test_a_track_without_a_number_meets_nothing_and_hides_nobody() -> None:
    mean, covariance = np.zeros((2, 4)), np.tile(np.eye(4), (2, 1, 1))
    mean[0], covariance[0] = np.nan, np.nan
    cost = costs(mean, covariance, np.zeros((1, 2)), np.eye(2)[None])
    assert (cost.rows.tolist(), cost.columns.tolist()) == ([1], [0])


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("shape", [(12, 12), (7, 20), (20, 7)])
def test_pairs_taken_out_first_are_those_of_the_whole_assignment(seed: int, shape: tuple[int, int]) -> None:
    dice = np.random.default_rng(seed)
    cost = np.where(dice.random(shape) < dice.choice([0.05, 0.15, 0.5]), dice.normal(3, 3, shape), FAR)
    first, second = linear_sum_assignment(cost)
    near = cost[first, second] < FAR
    rows, columns = assign(of_table(cost))
    assert sorted(zip(rows, columns, strict=True)) == sorted(zip(first[near], second[near], strict=True))


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (3, 3)])
def test_nothing_near_is_no_pair(shape: tuple[int, int]) -> None:
    rows, columns = assign(of_table(np.full(shape, FAR)))
    assert len(rows) == len(columns) == 0


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("n", "m"), [(0, 4), (4, 0), (40, 30)])
def test_pairs_within_reach_are_all_found_in_order(seed: int, n: int, m: int) -> None:
    dice = np.random.default_rng(seed)
    places, others = dice.uniform(-9, 9, (n, 2)), dice.uniform(-9, 9, (m, 2))
    places[n // 2 : n // 2 + 1] = np.nan
    off = np.abs(places[:, None] - others[None])
    wanted = np.nonzero((off[..., 0] <= 2.0) & (off[..., 1] <= 3.0))
    rows, columns = pairs_near(places, others, (2.0, 3.0))
    assert rows.tolist() == wanted[0].tolist()
    assert set(zip(rows, columns, strict=True)) == set(zip(*wanted, strict=True))
