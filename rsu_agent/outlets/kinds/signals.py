"""Records of the signal and of what is said of it: phase log, quality of SPaT and MAP."""

from __future__ import annotations

from rsu_agent.outlets.kinds.field import Field, Kind, when
from rsu_agent.world.signal import Colour

PHASE = Kind(
    "phase",
    "lo",
    "the phase log: every change of colour of every lamp group, for audit and for retiming",
    "相位日志:各灯组每次灯色变化,用于审计与配时",
    "outlets/summary",
    30,
    100,
    (
        when(),
        Field("g", "int", "lamp group, the controller's number", "灯组号(信号机编号)", low=0),
        Field("c", "text", "colour from then on (world/signal.py)", "此后的灯色", one_of=tuple(Colour)),
        Field("src", "text", "who saw it", "观测来源", always=False),
    ),
)

SPATQ = Kind(
    "spatq",
    "lo",
    "quality of SPaT per minute: how much of it said something, and why the rest did not",
    "SPaT 每分钟质量:有效比例及无效原因",
    "outlets/summary_air",
    30,
    200,
    (
        when("start of the interval", "时段起点"),
        Field("d", "float", "length of the interval", "时段长度", "s", low=0),
        Field("n", "int", "frames handed to the radio", "送交电台的帧数", low=0),
        Field("ok", "int", "of the ticks, those that said something", "有内容的次数", low=0),
        Field("un", "counts", "ticks that said nothing, by reason", "无内容的次数,按原因"),
        Field("hl", "counts", "frames held back, by reason", "被拦截的帧,按原因"),
        Field(
            "e",
            "float",
            "95th percentile of the error of foretold ends; null: none measured",
            "预测结束时刻误差的 95 分位",
            "s",
            null=True,
            low=0,
        ),
        Field("p", "float", "period of the controller's reports", "信号机上报周期", "s", low=0, null=True),
    ),
)

MAPQ = Kind(
    "mapq",
    "lo",
    "quality of MAP per minute: which one is on air, how often, how large",
    "MAP 每分钟质量:在播版本、次数与大小",
    "outlets/summary_air",
    30,
    200,
    (
        when("start of the interval", "时段起点"),
        Field("d", "float", "length of the interval", "时段长度", "s", low=0),
        Field("n", "int", "frames handed to the radio", "送交电台的帧数", low=0),
        Field("hl", "counts", "frames held back, by reason", "被拦截的帧,按原因"),
        Field("b", "int", "largest frame", "最大帧", "bytes", low=0),
        Field("r", "int", "revision", "版本号", low=0, high=127),
        Field("sha", "text", "digest of its content", "内容摘要"),
    ),
)

SIGNALS = (PHASE, SPATQ, MAPQ)
