"""Records of the box itself: births, configuration, health, clock, load, audit, declared loss."""

from __future__ import annotations

from rsu_agent.outlets.kinds.field import UTC_US, Field, Kind, when
from rsu_agent.world.health import DeviceState

BIRTH = Kind(
    "birth",
    "hi",
    "first of every start and outbox file, in both lanes: proof that nothing before is missing",
    "每次启动及新待发箱的首条记录(两通道均有):证明此前无缺失",
    "outlets/outbox",
    None,
    200,
    (
        when(),
        Field("l", "text", "lane", "通道", one_of=("hi", "lo")),
        Field("e", "int", "epoch of the file", "文件的纪元", low=0),
        Field("pe", "int", "epoch of the file before it; null: none, or not known", "前一纪元", null=True),
        Field("pq", "int", "last number given in that epoch; null: not known", "前一纪元的末号", null=True),
        Field(
            "why",
            "text",
            "the file was there, was not, or had to be set aside: damaged, or of another site",
            "文件存在、新建,或因损坏、站点更换而移开",
            one_of=("start", "new", "damaged", "site"),
        ),
        Field("ver", "text", "version of the agent", "程序版本"),
        Field("cfg", "text", "digest of the settings in force", "生效配置摘要"),
    ),
)

BASE = Kind(
    "base",
    "hi",
    "what this box is and runs: at the agent's start, and when asked for",
    "设备与版本信息:启动时及查询时",
    "runtime/told",
    30,
    200,
    (
        when(),
        Field("ver", "text", "version of the agent", "程序版本"),
        Field("py", "text", "version of Python", "Python 版本"),
        Field("os", "text", "operating system and machine", "操作系统与架构"),
        Field("std", "text", "message set on air", "播发的消息集"),
        Field("node", "int", "intersection id on air", "播发的路口号", low=0, high=65535),
        Field("rg", "int", "its region, null: none", "区域号", null=True, low=0, high=65535),
        Field("lat", "float", "reference point, in the crossing file's datum", "参考点纬度", "deg"),
        Field("lon", "float", "the same", "参考点经度", "deg"),
        Field("dr", "texts", "drivers in use", "使用中的驱动"),
    ),
)

CFG = Kind(
    "cfg",
    "hi",
    "which configuration is in force: at the agent's start, and when asked for",
    "生效配置的摘要:启动时及查询时",
    "runtime/told",
    30,
    200,
    (
        when(),
        Field(
            "conf",
            "text",
            "SHA-256 of the bytes of the site file and of conf.d",
            "站点文件与 conf.d 的 SHA-256",
        ),
        Field("map", "text", "SHA-256 of the crossing file's bytes", "路口文件 SHA-256"),
        Field("air", "text", "digest of the MAP's content on air", "在播 MAP 内容摘要"),
        Field("rev", "int", "revision of that MAP", "其版本号", low=0, high=127),
        Field("model", "text", "SHA-256 of the detector's file, null: none", "检测器文件 SHA-256", null=True),
    ),
)

RUN = Kind(
    "run",
    "lo",
    "load of the box, once a minute, for maintenance",
    "设备负载,每分钟一次,用于运维",
    "runtime/told",
    30,
    200,
    (
        when(),
        Field("cpu", "float", "load average of one minute over the cores", "一分钟平均负载/核数", low=0),
        Field("mem", "float", "share of the memory in use", "内存使用率", null=True, low=0, high=1),
        Field("disk", "float", "share in use of the disk with the state folder", "磁盘使用率", low=0, high=1),
        Field("temp", "float", "hottest sensor of the box, null: none", "最高温度", "deg C", null=True),
    ),
)

HEALTH = Kind(
    "health",
    "lo",
    "how each device is: on every change, and all of them once a minute",
    "各设备状态:变化时及每分钟",
    "outlets/summary",
    30,
    200,
    (
        when(),
        Field("d", "text", "device", "设备"),
        Field("s", "text", "state (world/health.py)", "状态", one_of=tuple(DeviceState)),
        Field("w", "text", "reason, a stable word", "原因"),
    ),
)

CLOCK = Kind(
    "clock",
    "lo",
    "quality of the box's clock, once a minute and when trust is lost or won",
    "时钟质量:每分钟及可信状态变化时",
    "outlets/summary_air",
    30,
    200,
    (
        when("by this clock", "以本机时钟计"),
        Field("tr", "bool", "whether its time may be told to vehicles", "是否可对外播时"),
        Field("b", "float", "how far it may be off, null: not known", "误差上界", "s", null=True, low=0),
        Field("src", "text", "where that is known from", "时间来源"),
        Field(
            "co", "float", "the controller's clock less ours, null: not known", "信号机时钟差", "s", null=True
        ),
    ),
)

HB = Kind(
    "hb",
    "lo",
    "heartbeat: the crossing is there though nothing happens",
    "心跳:无事件时证明路口在线",
    "outlets/summary",
    30,
    200,
    (
        when(),
        Field("up", "int", "since the agent's start", "已运行时长", "s", low=0),
        Field("ok", "int", "devices that are well", "正常设备数", low=0),
    ),
)

STILL = Kind(
    "still",
    "lo",
    "audit: who asked for a still of which camera; the picture itself never leaves the crossing",
    "审计:何人调取了哪台相机的静帧;图像不出路口",
    "outlets/summary",
    180,
    400,
    (
        when(),
        Field("d", "text", "camera", "相机"),
        Field("u", "text", "user of the box who asked", "请求者(本机用户)"),
        Field("w", "text", "`made`, or why not, a stable word", "结果或拒绝原因"),
        Field("p", "int", "pictures whose median it is", "取中值的图像数", always=False, low=0),
        Field("f", "int", "boxes painted over in it", "遮盖的目标框数", always=False, low=0),
    ),
)

AUDIT = Kind(
    "audit",
    "hi",
    "audit: every command from the district, what became of it, and refusals",
    "审计:辖区每条指令及其结果、拒绝情况",
    "outlets/commands",
    180,
    400,
    (
        when(),
        Field("q", "int", "number of the command, null: it could not be trusted", "指令序号", null=True),
        Field("c", "text", "kind of the command, null: not read", "指令类别", null=True),
        Field("r", "text", "result", "结果", one_of=("done", "accepted", "staged", "refused")),
        Field("w", "text", "`ok`, or the code of the refusal", "结果代码"),
        Field("n", "int", "so many of this code since the last record of it", "自上次记录以来的次数", low=1),
        Field("d", "text", "more, in words", "说明", always=False),
    ),
)

GAP = Kind(
    "gap",
    "hi",
    "loss is allowed only when declared: rows given up by a full outbox (in the lane that lost them)",
    "声明丢失:待发箱已满时放弃的行(记于所在通道)",
    "outlets/outbox",
    30,
    200,
    (
        Field("t", "int", "when", "时刻", UTC_US, always=False, low=0),
        Field("l", "text", "lane that lost them", "丢失的通道", one_of=("hi", "lo")),
        Field("kd", "text", "kinds of the records in them, joined by +", "其中的记录类别", always=False),
        Field("from", "int", "lowest number lost", "最小丢失号", low=1),
        Field("to", "int", "highest number lost", "最大丢失号", low=1),
        Field("n", "int", "how many rows: all from `from` to `to`", "行数", low=1),
        Field(
            "why",
            "text",
            "given up, replaced by the records that name them in `sq`, or kept as long as they may be",
            "放弃,由带 `sq` 的记录代替,或已到保存期限",
            one_of=("full", "rolled_up", "age"),
        ),
    ),
)

LOST = Kind(
    "lost",
    "hi",
    "loss is allowed only when declared: records that never came to disk and so have no number",
    "声明丢失:未能写盘、因而没有编号的记录",
    "runtime/post",
    None,
    200,
    (
        when("when it was declared", "声明时刻"),
        Field("l", "text", "lane that they were for", "所属通道", one_of=("hi", "lo")),
        Field("kd", "text", "their kinds, joined by +", "记录类别"),
        Field("n", "int", "how many", "数量", low=1),
        Field("ta", "int", "time of the first", "首条时刻", UTC_US, null=True),
        Field("tb", "int", "time of the last", "末条时刻", UTC_US, null=True),
        Field(
            "why",
            "text",
            "the hand-over was full, or the outbox refused",
            "交接已满,或待发箱拒收",
            one_of=("overflow", "refused", "too_big", "full"),
        ),
    ),
)

BOX = (BIRTH, GAP, LOST, AUDIT, BASE, CFG, HEALTH, CLOCK, RUN, STILL, HB)
