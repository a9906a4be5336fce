"""Train and export the learnt association: `python -m models.train_association --out models/association`.

It needs SUMO (the extra `sumo`) for seeds whose truth is not yet under build/fusion, and torch.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import torch

from hil.bench.fusion.config import read
from models.association import Examples, examples, together
from models.association_net import Association
from models.described import describe, write_manifest
from models.export import OPSET
from rsu_agent.perception.learnt_association import HEAD
from rsu_agent.perception.pair_features import FEATURES

PEAK, DECAY, BATCH, LEAST_SPREAD = 3e-3, 1e-4, 4096, 1e-3
BENCHMARK_SEEDS = range(1, 101)  # never trained on
DESCRIPTION = {
    "head": HEAD,
    "features": ",".join(FEATURES),
    "trained_on": "simulated detections only",
    "licence": "Apache-2.0",
}


def train(known: Examples, epochs: int, seed: int) -> Association:
    """Cross-entropy over all pairs, cosine to nothing; one thread, so that a seed gives the same weights."""
    torch.manual_seed(seed)
    features, same = torch.from_numpy(known.features), torch.from_numpy(known.same)
    net = Association(features.mean(0), features.std(0).clamp_min(LEAST_SPREAD)).train()
    optimiser = torch.optim.AdamW(net.parameters(), lr=PEAK, weight_decay=DECAY)
    steps = epochs * (len(same) // BATCH + 1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for epoch in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(same)).split(BATCH):
            value = torch.nn.functional.binary_cross_entropy_with_logits(net(features[rows]), same[rows])
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            schedule.step()
            total += value.item() * len(rows)
        print(f"epoch {epoch + 1} of {epochs}: cross-entropy {total / len(same):.4f}", flush=True)
    return net.eval()


def judged(net: Association, unseen: Examples) -> dict[str, float]:
    """On pairs of a seed that was not trained on: cross-entropy, share right at one half, share of ones."""
    with torch.no_grad():
        logits, same = net(torch.from_numpy(unseen.features)), torch.from_numpy(unseen.same)
        entropy = torch.nn.functional.binary_cross_entropy_with_logits(logits, same).item()
        right = ((logits > 0) == (same > 0.5)).float().mean().item()
    return {
        "pairs": len(unseen.same),
        "cross_entropy": round(entropy, 4),
        "right": round(right, 4),
        "same": round(float(unseen.same.mean()), 4),
    }


def export(net: Association, folder: Path, options: dict[str, Any], figures: dict[str, float]) -> Path:
    """Write association.onnx and manifest.json."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "association.onnx"
    torch.onnx.export(
        net,
        (torch.zeros(2, len(FEATURES)),),
        str(path),
        input_names=["pairs"],
        output_names=["logits"],
        dynamic_axes={"pairs": {0: "pairs"}, "logits": {0: "pairs"}},
        opset_version=OPSET,
        dynamo=False,
    )
    describe(path, DESCRIPTION)
    manifest = {
        "parameters": sum(p.numel() for p in net.parameters()),
        "trained_with": options,
        "unseen": figures,
        **DESCRIPTION,
    }
    write_manifest(path, "manifest.json", manifest)
    return path


def gathered(days: list[int], nights: list[int]) -> Examples:
    """Pairs of these seeds by day and by night."""
    config, parts = read(), []
    for seed, night in [*((each, False) for each in days), *((each, True) for each in nights)]:
        began = time.monotonic()
        parts.append(examples(config, seed, night=night))
        print(f"seed {seed}: {len(parts[-1].same)} pairs, {time.monotonic() - began:.0f} s", flush=True)
    return together(parts)


def seeds(text: str) -> list[int]:
    """Comma-separated; none of the benchmark's."""
    told = [int(each) for each in text.split(",") if each]
    if used := sorted(set(told) & set(BENCHMARK_SEEDS)):
        raise argparse.ArgumentTypeError(f"seeds 1 to 100 are kept for the benchmark, not {used}")
    return told


def main() -> None:
    """Gather, train, judge, export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--days", type=seeds, default=[101, 102])
    parser.add_argument("--nights", type=seeds, default=[103])
    parser.add_argument("--unseen", type=seeds, default=[104])
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    torch.set_num_threads(1)
    known, unseen = gathered(told.days, told.nights), gathered(told.unseen, [])
    net = train(known, told.epochs, told.seed)
    figures = judged(net, unseen)
    options = {key: value for key, value in vars(told).items() if key != "out"} | {"pairs": len(known.same)}
    print(f"unseen: {figures}; {export(net, told.out, options, figures)}")


if __name__ == "__main__":
    main()
