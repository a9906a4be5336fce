"""Train, export and describe the bundled detector: `python -m models.train --out models/detector`."""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel

from models.export import export
from models.net import Detector, loss
from models.quantise import SCENES, SEED, quantise
from models.render import as_targets, flipped, render

PEAK, WARM_STEPS, FINAL_SHARE, DECAY, CLIP, BATCH = 2.5e-3, 60, 0.02, 1e-3, 8.0, 8
RADAR_DROPOUT = 0.35
AVERAGE = 0.999
SHOWN_STEPS = 25


def batch(samples: list[Any], picks: Any, random: np.random.Generator) -> list[torch.Tensor]:
    """Augmented tensors: image, radar, heat, reg, weight."""
    columns: list[list[Any]] = [[], [], [], [], []]
    for pick in picks:
        image, radar, rows, _ = samples[pick]
        if random.random() < 0.5:
            image, radar, rows = flipped(image, radar, rows)
        picture = image[:, :, ::-1].astype(np.float32) / 255 - 0.5
        if random.random() < 0.3:
            picture = picture[:, :, random.permutation(3)]
        returns = np.zeros_like(radar) if random.random() < RADAR_DROPOUT else radar
        for column, value in zip(
            columns,
            (
                np.ascontiguousarray(picture.transpose(2, 0, 1)),
                returns.astype(np.float32) / 255,
                *as_targets(rows),
            ),
            strict=True,
        ):
            column.append(value)
    return [torch.from_numpy(np.stack(column)) for column in columns]


def rate(step: int, steps: int) -> float:
    """Warm-up, then cosine down to 2 %."""
    if step < WARM_STEPS:
        return (step + 1) / WARM_STEPS
    share = (step - WARM_STEPS) / max(1, steps - WARM_STEPS)
    return FINAL_SHARE + (1 - FINAL_SHARE) * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))


def averaged(net: Detector) -> AveragedModel:
    """Weights and running statistics averaged over the steps, quickly at first."""

    def mean(old: Any, new: Any, count: Any) -> Any:
        keep = min(AVERAGE, (1 + int(count)) / (10 + int(count)))
        return old * keep + new * (1 - keep) if old.is_floating_point() else new

    return AveragedModel(net, avg_fn=mean, use_buffers=True)


def train(samples: list[Any], steps: int, seed: int) -> Detector:
    """The averaged net after so many steps."""
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    net = Detector().train()
    mean = averaged(net)
    optimiser = torch.optim.AdamW(net.parameters(), lr=PEAK, weight_decay=DECAY)
    began = time.monotonic()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = PEAK * rate(step, steps)
        image, radar, heat, wanted, weight = batch(samples, random.integers(0, len(samples), BATCH), random)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            cls, reg = net(image, radar)
        value = loss(cls, reg, heat, wanted, weight)
        optimiser.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), CLIP)
        optimiser.step()
        mean.update_parameters(net)
        if (step + 1) % SHOWN_STEPS == 0:
            left = (time.monotonic() - began) / (step + 1) * (steps - step - 1)
            told = f"\rstep {step + 1} of {steps}  loss {value.item():.3f}  {left / 60:.0f} min left   "
            print(told, end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    trained: Detector = mean.module.eval()
    return trained


def main() -> None:
    """Render, train, export."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=9000)
    parser.add_argument("--scenes", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(2)
    samples = render(options.scenes, options.seed)
    net = train(samples, options.steps, options.seed)
    export(net, options.out, vars(options))
    quantise(options.out, SCENES, SEED)


if __name__ == "__main__":
    main()
