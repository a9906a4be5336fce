"""Sections of the site file that the product owns; a driver adds its own keys to its section."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from rsu_agent.messages.standards import REFUSED
from rsu_agent.ports.declare import Declared, Misfit, setting
from rsu_agent.settings.language import later


class SiteSection(Declared):
    """Who we are."""

    id: str = setting(
        en="Name of this site, unique in the district; part of every uplink topic.",
        zh="站点名称,在辖区内唯一;用于所有上行主题。",
        example="szps-001",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$",
    )
    district: str = setting(
        en="Name of the district that receives the uplink.",
        zh="接收上行数据的辖区名称。",
        example="pingshan",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$",
    )


class CrossingSection(Declared):
    """Which crossing this is."""

    file: str = setting(
        en="GeoJSON file of the crossing, relative to this file.",
        zh="路口 GeoJSON 文件,相对于本文件。",
        example="crossings/szps-001.geojson",
    )
    ids: Literal["test", "assigned"] = setting(
        "assigned",
        en="`test` allows node 0-255 and region 0; the guard refuses the other kind.",
        zh="`test` 允许节点 0-255 与区域 0;不符的一律拒发。",
    )


class LampsSection(Declared):
    """What the lamps look like: decides protected or permissive green."""

    arrow: list[int] = setting(
        [], en="Lamp groups that show arrows (green = protected).", zh="箭头灯组(绿灯为保护相位)。"
    )


LEAST_HEAD_PX, LEAST_LAMP_PX = 6, 3  # of three lamps in a row, and across: below that nothing can be read
Box = Annotated[list[int], Field(min_length=4, max_length=4)]
GroupPair = Annotated[list[int], Field(min_length=2, max_length=2)]


class ConflictsSection(Declared):
    """Lamp groups that may not be green together (three-valued matrix of the guard)."""

    never: list[GroupPair] = setting(
        [], en="Never together.", zh="任何情况下不得同时放行。", example=[[1, 2]]
    )
    if_permissive: list[GroupPair] = setting(
        [],
        en="Together only if one of them is permissive: no arrow, not marked protected.",
        zh="仅当其中之一为许可相位(非箭头、未标保护)时可同时放行。",
        example=[[5, 3]],
    )


class SignalsSection(Declared):
    """How the controller's lamp groups become phases on air."""

    phases: dict[int, list[int]] = setting(
        en="CSAE phaseId (1-254) and the lamp groups of equal colour history that share it.",
        zh="CSAE 相位号(1-254)及共用该号、灯色变化一致的灯组。",
        min_length=1,
        max_length=16,
    )
    lamps: LampsSection = setting(LampsSection(arrow=[]), en="Lamp shapes.", zh="灯具形状。")
    conflicts: ConflictsSection = setting(
        ConflictsSection(never=[], if_permissive=[]),
        en="Pairs of groups that may not be green together, beside what the controller tells.",
        zh="不得同时放行的灯组对(信号机冲突表之外)。",
    )
    slow_source_on_air: bool = setting(
        False,
        en="Speak although the controller's protocol is slow or cannot tell flash from steady (grade C).",
        zh="信号来源较慢或无法区分闪灭与常亮(C 级)时仍然播发。",
    )

    @field_validator("phases")
    @classmethod
    def _phases_are_sound(cls, phases: dict[int, list[int]]) -> dict[int, list[int]]:
        seen: dict[int, tuple[int, int]] = {}  # group -> (phase, index)
        for phase, groups in phases.items():
            if not 1 <= phase <= 254:
                raise Misfit("phaseId {phase} is outside 1-254", phase, at_key=True, phase=phase)
            if not groups:
                raise Misfit("phase {phase} has no lamp group", phase, phase=phase)
            for index, group in enumerate(groups):
                if group in seen:
                    said = later("lamp group {group} stands in phase {phase} too")
                    other = seen[group]
                    raise Misfit(said, phase, index, other=other, group=group, phase=other[0])
                seen[group] = (phase, index)
        return phases


class ControllerSection(Declared):
    """The signal controller."""

    driver: str = setting(en="Driver of the controller.", zh="信号机驱动。", example="gbt20999")


class Pose(Declared):
    """Where a sensor stands and looks, in the crossing's east-north frame."""

    x_east_m: float = setting(en="Metres east of the reference point.", zh="参考点以东(米)。", unit="m")
    y_north_m: float = setting(en="Metres north of the reference point.", zh="参考点以北(米)。", unit="m")
    height_m: float = setting(en="Height above the road.", zh="距路面高度。", unit="m", gt=0, le=40)
    yaw_deg: float = setting(
        en="Direction of the axis, clockwise from north.", zh="光轴方位角,自北顺时针。", unit="deg"
    )
    pitch_deg: float = setting(
        0.0, en="Tilt of the axis, positive = down.", zh="俯角,向下为正。", unit="deg", ge=-45, le=90
    )
    roll_deg: float = setting(
        0.0,
        en="Turn about the axis, positive = clockwise.",
        zh="绕轴滚转,顺时针为正。",
        unit="deg",
        ge=-45,
        le=45,
    )


class Lens(Declared):
    """A pinhole camera with distortion; `rsu calibrate camera --intrinsics` writes it."""

    width_px: int = setting(en="Picture width.", zh="图像宽。", unit="px", ge=64, le=8192)
    height_px: int = setting(en="Picture height.", zh="图像高。", unit="px", ge=64, le=8192)
    focal_px: float | None = setting(
        None,
        en="Focal length of both axes; or fx_px and fy_px.",
        zh="焦距(两轴相同);或给出 fx_px 与 fy_px。",
        unit="px",
        gt=0,
    )
    fx_px: float | None = setting(None, en="Focal length across.", zh="横向焦距。", unit="px", gt=0)
    fy_px: float | None = setting(None, en="Focal length down.", zh="纵向焦距。", unit="px", gt=0)
    cx_px: float | None = setting(
        None,
        en="Principal point from the left; none = the middle.",
        zh="主点横坐标;无则为图像中心。",
        unit="px",
        gt=0,
    )
    cy_px: float | None = setting(
        None,
        en="Principal point from the top; none = the middle.",
        zh="主点纵坐标;无则为图像中心。",
        unit="px",
        gt=0,
    )
    distortion: list[float] = setting(
        [],
        en="Distortion k1 k2 p1 p2 k3, in OpenCV's order; empty = none.",
        zh="畸变系数 k1 k2 p1 p2 k3(OpenCV 顺序);空为无畸变。",
        example=[-0.17, 0.12, 0.0, 0.0, 0.0],
        max_length=5,
    )

    @model_validator(mode="after")
    def _whole(self) -> Lens:
        one, *both = (self.focal_px is not None, self.fx_px is not None, self.fy_px is not None)
        extra = "fx_px" if both[0] else "fy_px"
        if one and any(both):
            raise Misfit("give focal_px, or fx_px and fy_px, not both", extra, other=("focal_px",))
        if any(both) and not all(both):
            absent = "fy_px" if both[0] else "fx_px"
            raise Misfit("{absent} is missing: give both, or focal_px", extra, absent=absent)
        if not one and not any(both):
            raise Misfit("give focal_px, or fx_px and fy_px", "focal_px")
        for middle, size in (("cx_px", "width_px"), ("cy_px", "height_px")):
            if (getattr(self, middle) or 0) >= getattr(self, size):
                said = later("must lie in the picture of {size} px")
                raise Misfit(said, middle, other=(size,), size=getattr(self, size))
        if len(self.distortion) not in (0, 5):
            raise Misfit("distortion has five numbers: k1 k2 p1 p2 k3", "distortion")
        return self


class SightField(Declared):
    """What a sensor is declared to see: no user beyond it is promised."""

    range_m: float = setting(en="Declared range.", zh="声明的作用距离。", unit="m", gt=0, le=500)
    half_angle_deg: float = setting(
        60.0, en="Half of the opening angle.", zh="半视场角。", unit="deg", gt=0, le=180
    )
    covers: list[str] = setting([], en="Arms whose approach this field holds.", zh="视场覆盖的进口方向。")


class HeadSection(Declared):
    """One signal head that a camera watches, as a box around its housing."""

    group: int = setting(en="Lamp group that it shows.", zh="所示灯组。", ge=1, le=254, example=3)
    box: Box = setting(
        en="Left, top, width and height of the housing in the picture.",
        zh="灯箱在图像中的左、上、宽、高。",
        unit="px",
        example=[172, 119, 6, 13],
    )
    layout: Literal["vertical", "horizontal", "pair", "single"] = setting(
        "vertical",
        en="Where its lamps are: red on top, red on the left, a pair of red above green, "
        "or one lamp whose hue tells its colour.",
        zh="灯位排列:红灯在上、红灯在左、红上绿下双灯,或单灯(由颜色判断)。",
    )

    @model_validator(mode="after")
    def _large_enough(self) -> HeadSection:
        _, _, width, height = self.box
        size = f"{width}x{height}"
        along, across = (width, height) if self.layout == "horizontal" else (height, width)
        if self.layout == "single" and min(along, across) < LEAST_LAMP_PX:
            raise Misfit("a box of {size} px is too small for a lamp to be read", "box", size=size)
        least_px = LEAST_HEAD_PX * 2 / 3 if self.layout == "pair" else LEAST_HEAD_PX
        if self.layout != "single" and (along < least_px or across < LEAST_LAMP_PX):
            raise Misfit("a box of {size} px is too small for lamps to be read", "box", size=size)
        return self


class CameraSection(Declared):
    """One camera."""

    driver: str = setting(en="Driver of the camera.", zh="相机驱动。", example="mjpeg_http")
    name: str = setting(
        en="Name shown to people and on metrics.", zh="显示名称。", pattern=r"^[a-z0-9-]{1,40}$"
    )
    pose: Pose = setting(en="Where it stands and looks.", zh="安装位姿。")
    lens: Lens = setting(en="Its pinhole model.", zh="镜头模型。")
    field: SightField = setting(en="What it is declared to see.", zh="声明视场。")
    expected_fps: float | None = setting(
        None,
        en="Pictures a second that it should give; none = learnt from its first minute.",
        zh="应有的每秒图像数;无则由首分钟学得。",
        unit="Hz",
        ge=0.5,
        le=60,
    )
    slow_share: float = setting(
        0.6,
        en="Share of the expected pictures below which it is called slow.",
        zh="低于应有图像数的这一比例即视为过慢。",
        ge=0.1,
        le=0.95,
    )
    heads: list[HeadSection] = setting(
        [],
        en="Signal heads whose lamps it reads beside the controller; `rsu calibrate heads` makes them.",
        zh="由本相机读取灯色、与信号机互证的信号灯;可用 `rsu calibrate heads` 生成。",
        max_length=64,
    )


class RadarSection(Declared):
    """One radar."""

    driver: str = setting(en="Driver of the radar.", zh="雷达驱动。", example="ti_mmwave")
    name: str = setting(
        en="Name shown to people and on metrics.", zh="显示名称。", pattern=r"^[a-z0-9-]{1,40}$"
    )
    pose: Pose = setting(en="Where it stands and looks.", zh="安装位姿。")
    field: SightField = setting(en="What it is declared to see.", zh="声明视场。")


Provider = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,40}ExecutionProvider$")]


class DetectorSection(Declared):
    """The ONNX detector."""

    model: str = setting(
        en="ONNX file; relative names are looked for among the shipped files too.",
        zh="ONNX 文件;相对路径也在随附文件中查找。",
        example="models/detector/detector.onnx",
    )
    allow: list[Literal["simulation_only"]] = setting(
        [], en="Kinds of weights allowed beside production ones.", zh="除生产权重外允许的权重类型。"
    )
    threshold: float = setting(
        0.3, en="Score from which a detection counts.", zh="检测得分阈值。", ge=0.05, le=0.95
    )
    providers: list[Provider] = setting(
        ["CPUExecutionProvider"],
        en="Execution providers of ONNX Runtime, in the order wanted.",
        zh="ONNX Runtime 执行提供者,按优先顺序。",
        min_length=1,
        max_length=8,
    )
    allow_fallback: bool = setting(
        False,
        en="Go on with what there is when a provider is missing or runs nothing; told, never silent.",
        zh="所需执行提供者缺失或未承担计算时,降级继续运行并告警。",
    )


class PerceptionSection(Declared):
    """How the road is watched."""

    detector: DetectorSection | None = setting(
        None, en="The detector; none = radar only.", zh="检测器;无则仅用雷达。"
    )
    association: Literal["gate", "learnt"] = setting(
        "gate",
        en="How detections find their tracks; learnt: a small net.",
        zh="检测与航迹的关联方式:门限或学习模型。",
    )
    must_cover: list[str] = setting(
        [],
        en="Arms without which no RSM is sent (an RSM with only the RSU says nobody is here).",
        zh="若这些进口失去覆盖则停发 RSM。",
    )


class HazardsSection(Declared):
    """What is told of hazards."""

    event_codes: dict[str, int] = setting(
        {"wrong_way": 904},
        en="GB/T 29100 event code of each hazard kind sent in RSI; a kind without a code is not sent.",
        zh="各类事件的 GB/T 29100 编码;无编码的不在 RSI 中发送。",
    )


class TimeSection(Declared):
    """Where the quality of our clock is read."""

    driver: str = setting(en="Driver of the time source.", zh="时间源驱动。", example="chrony")
    drift_ppm: float = setting(
        5.0, en="Drift of a coasting clock.", zh="守时漂移。", unit="ppm", ge=0.01, le=500
    )


class RadioSection(Declared):
    """The RSU radio."""

    driver: str = setting(en="Driver of the radio.", zh="RSU 驱动。", example="udp_raw")
    standard: Literal["csae53-2020", "ydt3709-2020", "etsi", "j2735"] = setting(
        "csae53-2020",
        en="Message set; YD/T 3709-2020 has the bits of T/CSAE 53-2020, the 2017 edition is refused.",
        zh="消息集;YD/T 3709-2020 与 T/CSAE 53-2020 编码相同,不支持 2017 版。",
    )

    @field_validator("standard", mode="before")
    @classmethod
    def _no_2017(cls, standard: object) -> object:
        if standard in REFUSED:
            raise Misfit(REFUSED[str(standard)])
        return standard

    mtu_bytes: int = setting(
        1400,
        en="Largest message that the radio takes; a longer one is held back and counted.",
        zh="RSU 可接受的最大消息长度;超长的不发送并计数。",
        unit="bytes",
        ge=128,
        le=65000,
    )
    budget_kBps: float = setting(
        30.0, en="What RSM may use.", zh="RSM 带宽预算。", unit="kB/s", gt=0, le=1000
    )


class EtsiSection(Declared):
    """What messages of Europe carry beside (radio.standard: etsi)."""

    station_id: int = setting(
        1, en="StationID of the ITS PDU header.", zh="ITS PDU 头中的站号。", ge=1, le=0xFFFFFFFF
    )


class J2735Section(Declared):
    """Which SAE J2735 is spoken (radio.standard: j2735)."""

    edition: Literal[2016, 2020, 2024] = setting(
        2020, en="Edition: decides the range of TimeMark.", zh="版本:决定 TimeMark 取值范围。"
    )


class MetricsSection(Declared):
    """The page for Prometheus."""

    host: str = setting("127.0.0.1", en="Address to listen on.", zh="监听地址。")
    port: int = setting(9464, en="Port to listen on; 0 = any.", zh="监听端口;0 为任意。", ge=0, le=65535)
