"""The net: plain 3x3 convolutions, stride-8 centre points, an optional radar branch."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.scenes import CLASSES


def conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """3x3 convolution, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class Residual(nn.Module):
    """Two convolutions beside a short cut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = conv(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.second(self.first(x)))


class Detector(nn.Module):
    """image [b, 3, H, W] and radar [b, 2, H/4, W/4] to cls [b, C, H/8, W/8] and reg [b, 6, H/8, W/8]."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv(3, 12, 2), conv(12, 24, 2))
        self.radar = conv(2, 8)
        self.stage8 = nn.Sequential(conv(32, 48, 2), Residual(48))
        self.stage16 = nn.Sequential(conv(48, 80, 2), Residual(80))
        self.stage32 = nn.Sequential(conv(80, 112, 2), Residual(112))
        self.side8, self.side16, self.side32 = (nn.Conv2d(w, 64, 1) for w in (48, 80, 112))
        self.mix16, self.mix8 = conv(64, 64), conv(64, 64)
        self.head = conv(64, 64)
        self.cls, self.reg = nn.Conv2d(64, len(CLASSES), 1), nn.Conv2d(64, 6, 1)
        nn.init.constant_(self.cls.bias, -4.0)

    def forward(self, image: Tensor, radar: Tensor) -> tuple[Tensor, Tensor]:
        at4 = torch.cat([self.stem(image), self.radar(radar)], dim=1)
        at8 = self.stage8(at4)
        at16 = self.stage16(at8)
        at32 = self.stage32(at16)
        up16 = self.mix16(self.side16(at16) + functional.interpolate(self.side32(at32), scale_factor=2.0))
        up8 = self.mix8(self.side8(at8) + functional.interpolate(up16, scale_factor=2.0))
        top = self.head(up8)
        return self.cls(top), self.reg(top)


def loss(cls: Tensor, reg: Tensor, heat: Tensor, wanted: Tensor, weight: Tensor) -> Tensor:
    """CornerNet's focal loss (alpha 2, beta 4), smooth L1 (beta 0.05), GIoU; objects weighted alike."""
    score = torch.sigmoid(cls.float()).clamp(1e-5, 1 - 1e-5)
    peak = heat > 0.999
    near = (1 - heat) ** 4
    right = -torch.log(score) * (1 - score) ** 2 * peak
    wrong = -torch.log(1 - score) * score**2 * near * ~peak
    objects = peak.sum().clamp(min=1)
    given = reg.float()
    offset = functional.smooth_l1_loss(given, wanted, beta=0.05, reduction="none").sum(1)
    shape = (2.0 * offset + 1.0 - overlap(given[:, :4], wanted[:, :4])) * weight
    return (right.sum() + wrong.sum() + shape.sum()) / objects


def overlap(given: Tensor, wanted: Tensor) -> Tensor:
    """GIoU (Rezatofighi 2019) of boxes told as distances left, top, right, bottom from one point."""
    given = given.clamp(min=-0.5)
    inner, outer = torch.minimum(given, wanted), torch.maximum(given, wanted)
    shared = (inner[:, 0] + inner[:, 2]).clamp(min=0) * (inner[:, 1] + inner[:, 3]).clamp(min=0)
    whole = (outer[:, 0] + outer[:, 2]) * (outer[:, 1] + outer[:, 3])
    mine = (given[:, 0] + given[:, 2]).clamp(min=0) * (given[:, 1] + given[:, 3]).clamp(min=0)
    union = mine + (wanted[:, 0] + wanted[:, 2]) * (wanted[:, 1] + wanted[:, 3]) - shared
    return shared / union.clamp(min=1e-4) - 1.0 + union / whole.clamp(min=1e-4)
