"""The file `model.toml` beside a model: what its maker knows; it overrides what was found out."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator

from rsu_agent.perception.heads.picture import Preparation
from rsu_agent.perception.model_refused import ModelRefused
from rsu_agent.ports.declare import Declared, setting
from rsu_agent.world.road_user import UserClass

FILE_NAME = "model.toml"
LARGEST_BYTES = 1 << 18
HeadName = Literal[
    "",
    "rt_detr",
    "ultralytics",
    "ultralytics_end_to_end",
    "yolox",
    "yolov5",
    "nanodet",
    "picodet",
    "nanodet_plus",
    "fastestdet",
    "rsu_centre_point",
]
Side = Annotated[int, Field(ge=32, le=4096)]
Level = Annotated[float, Field(ge=-1000, le=1000)]
Spread = Annotated[float, Field(gt=0, le=1000)]


class SidecarInvalid(ModelRefused):
    """A model.toml that cannot be used, with every fault found."""


class Sidecar(Declared):
    """Everything that may stand in model.toml; a key that is absent is found out or is the family's usual."""

    head: HeadName = setting(
        "", en="Family of the head; absent = found by shapes.", zh="检测头类型;缺省自动识别。"
    )
    size: tuple[Side, Side] | None = setting(
        None, en="Width and height of the input of a dynamic export.", zh="动态导出的输入宽高。", unit="px"
    )
    colour: Literal["rgb", "bgr"] | None = setting(None, en="Order of the channels.", zh="通道顺序。")
    mean: tuple[Level, Level, Level] | None = setting(
        None, en="Taken from each channel (0 to 255), in the order of `colour`.", zh="各通道均值(0-255)。"
    )
    std: tuple[Spread, Spread, Spread] | None = setting(
        None, en="Each channel is divided by it.", zh="各通道标准差。"
    )
    resize: Literal["stretch", "letterbox", "letterbox_centred"] | None = setting(
        None, en="How a picture is fitted.", zh="缩放方式。"
    )
    pad: int | None = setting(None, en="Grey of a letterbox.", zh="填充灰度。", ge=0, le=255)
    classes: dict[str, UserClass] = setting(
        {}, en="Class of the file (name or number) -> ours; others are dropped.", zh="文件类别到本系统类别。"
    )
    sha256: str = setting(
        "", en="Checksum of the model file; checked.", zh="模型文件校验和。", pattern=r"^([0-9a-f]{64})?$"
    )
    licence: str = setting(
        "", en="Licence of the weights; production needs it.", zh="权重许可证。", max_length=200
    )
    decoded: bool | None = setting(
        None, en="YOLOX: boxes are in pixels already; absent = found out.", zh="YOLOX 框是否已解码。"
    )
    centre: float = setting(
        0.5, en="NanoDet, PicoDet: where in its cell a box is measured from.", zh="网格中心偏移。", ge=0, le=1
    )

    @field_validator("sha256", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    def over(self, usual: Preparation) -> Preparation:
        """The family's preparation with what stands here in its place.

        Mean and deviation of a family are in its own order of colours: they turn with it.
        """
        colour = self.colour or usual.colour
        turned = colour != usual.colour
        mean = self.mean or (usual.mean[::-1] if turned else usual.mean)
        std = self.std or (usual.std[::-1] if turned else usual.std)
        pad = usual.pad if self.pad is None else self.pad
        return Preparation(self.resize or usual.resize, colour, mean, std, pad)


def sidecar_of(model: Path) -> Path | None:
    """The sidecar beside a model: named after it, or `model.toml`."""
    for path in (model.with_suffix(".toml"), model.with_name(FILE_NAME)):
        if path.is_file():
            return path
    return None


def read_sidecar(path: Path) -> Sidecar:
    """Raises SidecarInvalid with every fault: file, key, what stands there, what may."""
    try:
        text = path.read_bytes()
        if len(text) > LARGEST_BYTES:
            raise SidecarInvalid(f"{path}: is larger than {LARGEST_BYTES} bytes")
        tree = tomllib.loads(text.decode())
    except OSError as error:
        raise SidecarInvalid(f"{path}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise SidecarInvalid(f"{path}: {error}") from None
    try:
        return Sidecar.model_validate(tree)
    except ValidationError as error:
        faults = [_words(str(path), dict(entry)) for entry in error.errors(include_url=False)]
        raise SidecarInvalid("\n".join(faults)) from None


def _words(path: str, entry: dict[str, object]) -> str:
    where = ".".join(map(str, entry["loc"])) if isinstance(entry["loc"], tuple) else ""
    if entry["type"] == "extra_forbidden":
        return f"{path}: {where}: no such key; there are {', '.join(Sidecar.model_fields)}"
    reason = str(entry["msg"])
    return f"{path}: {where}: {reason[0].lower()}{reason[1:]}, not {entry.get('input')!r:.60}"
