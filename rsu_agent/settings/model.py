"""The site file as one model: the product's sections, each driver's own keys merged in."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from functools import cache
from typing import Annotated, Any, Literal, Union

from pydantic import Field, create_model

from rsu_agent.ports.clock import Clock
from rsu_agent.ports.credentials import with_credentials
from rsu_agent.ports.declare import Declared, setting
from rsu_agent.ports.plugins import Kind, plugins
from rsu_agent.settings.recorder_section import RecorderSection
from rsu_agent.settings.sections import (
    CameraSection,
    ControllerSection,
    CrossingSection,
    EtsiSection,
    HazardsSection,
    J2735Section,
    MetricsSection,
    PerceptionSection,
    RadarSection,
    RadioSection,
    SignalsSection,
    SiteSection,
    TimeSection,
)
from rsu_agent.settings.uplink_section import UplinkSection


class Site(Declared):
    """Everything one agent is told. `site_model()` gives the same with the installed drivers' keys."""

    form: Literal[1] = setting(
        1,
        en="Form of this file; `rsu config migrate` brings an older one up to date.",
        zh="本文件的格式;旧格式可用 `rsu config migrate` 升级。",
    )
    site: SiteSection = setting(en="Who we are.", zh="站点。")
    crossing: CrossingSection = setting(en="Which crossing this is.", zh="路口。")
    signals: SignalsSection = setting(en="Lamp groups and phases.", zh="灯组与相位。")
    controller: ControllerSection = setting(en="The signal controller.", zh="信号机。")
    cameras: list[CameraSection] = setting([], en="Cameras.", zh="相机。", max_length=16)
    radars: list[RadarSection] = setting([], en="Radars.", zh="雷达。", max_length=16)
    perception: PerceptionSection = setting(PerceptionSection(), en="Watching the road.", zh="感知。")
    hazards: HazardsSection = setting(HazardsSection(), en="Hazards.", zh="危险事件。")
    time: TimeSection = setting(en="Quality of our clock.", zh="时间质量。")
    radio: RadioSection = setting(en="The RSU radio.", zh="RSU 电台。")
    etsi: EtsiSection = setting(EtsiSection(), en="Messages of Europe.", zh="欧洲消息集。")
    j2735: J2735Section = setting(J2735Section(), en="Messages of America.", zh="美国消息集。")
    uplink: UplinkSection | None = setting(
        None, en="The way to the district; none = no uplink.", zh="上行;无则不上传。"
    )
    metrics: MetricsSection = setting(MetricsSection(), en="Metrics.", zh="指标。")
    recorder: RecorderSection = setting(RecorderSection(), en="Black box.", zh="记录器。")


SECTIONS: dict[Kind, type[Declared]] = {
    Kind.CONTROLLER: ControllerSection,
    Kind.CAMERA: CameraSection,
    Kind.RADAR: RadarSection,
    Kind.RADIO: RadioSection,
    Kind.TIME: TimeSection,
}


def _with_driver_keys(kind: Kind, named: frozenset[str] | None) -> Any:
    """The section of a kind, one variant a driver (of those named), told apart by `driver`."""
    section = SECTIONS[kind]
    variants = [
        create_model(
            f"{kind}_{name}",
            __base__=(section, plugin.settings),
            driver=(_literal(name), setting(en="Driver.", zh="驱动。")),
        )
        for name in sorted(plugins())
        if (named is None or name in named) and (plugin := plugins()[name]).kind is kind
    ]
    if not variants:
        return section
    return Annotated[Union[*variants], Field(discriminator="driver")] if len(variants) > 1 else variants[0]


def _literal(name: str) -> Any:
    return Literal[name]


def _list_of(item: Any) -> Any:
    return list[item]


@cache
def site_model(named: frozenset[str] | None = None) -> type[Site]:
    """The model of a site file with the keys of every installed driver.

    named: only of these, which is quicker; a file that is wrong is told so by the whole model.
    """
    keys = {kind: _with_driver_keys(kind, named) for kind in Kind}
    return create_model(
        "SiteFile",
        __base__=Site,
        controller=(keys[Kind.CONTROLLER], setting(en="The signal controller.", zh="信号机。")),
        cameras=(_list_of(keys[Kind.CAMERA]), setting([], en="Cameras.", zh="相机。")),
        radars=(_list_of(keys[Kind.RADAR]), setting([], en="Radars.", zh="雷达。")),
        radio=(keys[Kind.RADIO], setting(en="The RSU radio.", zh="RSU 电台。")),
        time=(keys[Kind.TIME], setting(en="Quality of our clock.", zh="时间质量。")),
    )


def driver_settings(section: Any) -> Declared:
    """The driver's own settings out of its section."""
    plugin = plugins()[section.driver]
    own = {name: getattr(section, name) for name in plugin.settings.model_fields}
    return plugin.settings.model_validate(own)


def open_section(section: Any, clock: Clock) -> AbstractAsyncContextManager[Any]:
    """A section's device, not yet entered, with its credentials. Raises DeviceLost where one is missing."""
    return plugins()[section.driver].open(with_credentials(driver_settings(section)), clock)
