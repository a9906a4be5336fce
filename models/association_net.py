"""The net of the learnt association: a pair's features in, how likely it is one user out, as a logit."""

from __future__ import annotations

import torch
from torch import nn

from rsu_agent.perception.pair_features import FEATURES

WIDTH = 32


class Association(nn.Module):
    """Two hidden layers; the features' means and spreads are part of it."""

    def __init__(self, mean: torch.Tensor, spread: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("spread", spread)
        self.layers = nn.Sequential(
            nn.Linear(len(FEATURES), WIDTH),
            nn.ReLU(),
            nn.Linear(WIDTH, WIDTH),
            nn.ReLU(),
            nn.Linear(WIDTH, 1),
        )

    def forward(self, pairs: torch.Tensor) -> torch.Tensor:
        """(p, FEATURES) to (p,)."""
        return self.layers((pairs - self.mean) / self.spread).squeeze(1)
