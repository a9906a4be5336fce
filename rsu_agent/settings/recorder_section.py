"""Settings of the black box and of the air record."""

from __future__ import annotations

from rsu_agent.ports.declare import Declared, setting


class RecorderSection(Declared):
    """The black box."""

    size_mb: int = setting(256, en="Size of the ring.", zh="环形记录大小。", unit="MB", ge=0, le=65536)
    hours: int = setting(
        12,
        en="How far back the ring reaches at most.",
        zh="环形记录最长保留时间。",
        unit="hours",
        ge=1,
        le=720,
    )
    air_record_mb: int = setting(
        1024,
        en="Size of the air record; 0 = none.",
        zh="空口记录的大小;0 为不记录。",
        unit="MB",
        ge=0,
        le=65536,
    )
    air_record_days: int = setting(
        180, en="Days the air record is kept.", zh="空口记录保留天数。", unit="days", ge=1, le=3650
    )
