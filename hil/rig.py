"""The whole virtual crossing around one agent: devices, world, vehicle, district, and the agent itself."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from hil.bus import Bus
from hil.devices.cabinets import CABINETS
from hil.devices.cameras import DEFAULT as DEFAULT_CAMERA
from hil.devices.radars import DEFAULT, RADARS
from hil.devices.vehicle_codec import CSAE53
from hil.processes import Processes, RigFailure
from hil.world.sumo_net import NoSumo, sumo_home
from rsu_agent.ports.assets import asset
from rsu_agent.ports.plugins import plugins
from rsu_agent.settings.language import say

SITE = "config/virtual.yaml"
# What the site file says of its radio in each set; the antenna stands at the crossing's reference point
ANTENNA = {"address": "02:00:00:00:00:0c", "lat_deg": 22.69, "lon_deg": 114.34}
RADIOS: dict[str, dict[str, Any]] = {
    "csae53": {},
    "etsi": {"driver": "gn_udp", "standard": "etsi", **ANTENNA},
    "j2735": {"standard": "j2735"},
}
CHECKED = {"forwards": "verified"}  # the RSU of the rig hands on signed messages that it found good
WORLDS = {"built-in": "hil.world.main", "sumo": "hil.world.sumo_world"}
LONGEST_PATH_BYTES = 75  # a Unix socket's address has 107 (unix(7)); the longest name on the bus takes 32


@dataclass(frozen=True)
class RigOptions:
    """What kind of run this is."""

    seed: int = 1
    density: str = "day"
    world: str = "built-in"  # or sumo
    night: bool = False
    plan: int = 1
    radar: str = DEFAULT
    radar_header: int = 40
    camera_delay_ms: float = 0.0
    camera: str = DEFAULT_CAMERA  # the driver that reads it
    camera_quality: int = 85  # of its JPEG encoder
    page: bool = True
    page_port: int = 8080
    metrics_port: int = 9464
    site: Path | None = None
    messages: str = CSAE53
    controller: str = "gbt20999"
    mode: str = "fixed"
    baud: int | None = None  # of the controller's line, where it is serial; None: the cabinet's own
    talkers: float = 0.0  # share of cars, trucks and buses that send BSMs
    liar: bool = False  # one of them says to be where it is not
    senses: bool = True  # False: no road, camera or radar, and no senses process in the agent


class Rig:
    """Owns every process of a run; `run_dir` is the run's folder."""

    def __init__(self, run_dir: Path, options: RigOptions) -> None:
        self.run_dir, self.options = run_dir, options
        refused = radar_refused(options.radar) if options.senses else None
        refused = refused or talkers_refused(options)
        if refused:
            raise RigFailure(refused)
        if options.senses and options.world == "sumo":
            _needs_sumo()
        if run_dir.exists() and any(run_dir.iterdir()):
            raise RigFailure(say("{run_dir} is not empty: name a new folder, or remove it", run_dir=run_dir))
        if len(os.fsencode(run_dir.absolute())) > LONGEST_PATH_BYTES:
            raise RigFailure(
                say(
                    "{run_dir} is too long for the sockets in it ({most} bytes at most): "
                    "name a shorter folder, or set TMPDIR",
                    run_dir=run_dir,
                    most=LONGEST_PATH_BYTES,
                )
            )
        self.processes = Processes(run_dir / "logs")
        self.bus = Bus(run_dir)
        self.site_file = run_dir / "site.yaml"
        self._agent_port = self._radar_port = self._heard_port = 0

    @property
    def socket(self) -> Path:
        """The agent's control socket."""
        return self.run_dir / "agent" / "ctl.sock"

    @property
    def state(self) -> Path:
        """The agent's state folder."""
        return self.run_dir / "state"

    def start_devices(self) -> None:
        """Everything around the agent; returns once all are ready."""
        template = self.options.site or asset(SITE)
        run, seed = ["--run-dir", str(self.run_dir)], ["--seed", str(self.options.seed)]
        self._device("time", "hil.devices.time_server", *run)
        self._device("vehicle", "hil.devices.vehicle", *run, "--messages", self.options.messages)
        self._controller(*run, *seed)
        if self.options.senses:
            self._senses(["--site", str(template)], run, seed)
        self.processes.module("probe", "hil.score.probe", *run, ready=self._ready("probe"))
        self._device("district", "hil.devices.district", *run)
        self.processes.wait_ready(*self.processes.children)
        self._write_site(template)

    def _senses(self, site: list[str], run: list[str], seed: list[str]) -> None:
        """The road and what sees it."""
        self._device(
            "world", WORLDS[self.options.world], *run, *seed, *site, "--density", self.options.density
        )
        night = ["--night"] if self.options.night else []
        line = ["--delay-ms", f"{self.options.camera_delay_ms:g}"]
        line += ["--quality", str(self.options.camera_quality), "--driver", self.options.camera]
        self._device("camera", "hil.devices.camera", *run, *seed, *site, *night, *line)
        self._radar(*run, *seed, *site)
        if self.options.talkers:
            self._heard_port = free_port(socket.SOCK_DGRAM)
            said = ["--port", str(self._heard_port), "--share", f"{self.options.talkers:g}"]
            said += ["--liar"] if self.options.liar else []
            self._device("talkers", "hil.devices.talking_vehicles", *run, *seed, *said)

    def start_agent(self) -> None:
        """The product, by its own command."""
        site = YAML(typ="safe").load(self.site_file.read_text())
        rsu = Path(sys.executable).with_name("rsu")
        command = [str(rsu)] if rsu.exists() else [sys.executable, "-m", "rsu_agent.cli.main"]
        command += [
            "run",
            str(self.site_file),
            "--state",
            str(self.state),
            "--run",
            str(self.run_dir / "agent"),
        ]
        if not (site["cameras"] or site["radars"]):
            command += ["--without", "senses"]
        self.processes.start("agent", command)
        if self.options.page:
            arguments = ["--socket", str(self.socket), "--port", str(self.options.page_port)]
            ready = self._ready("page")
            self.processes.module(
                "page", "rsu_agent.web.main", *arguments, "--ready", str(ready), ready=ready
            )

    def heard_port(self) -> int:
        """UDP port at which the agent takes what its radio receives; the site file must name it."""
        self._heard_port = self._heard_port or free_port(socket.SOCK_DGRAM)
        return self._heard_port

    def fault(self, device: str, name: str, on: Any) -> None:
        """Act on a device."""
        self.bus.publish("fault", {"device": device, "name": name, "on": on})

    def stop(self) -> None:
        """End everything, the agent first."""
        self.processes.stop("page", "agent")
        self.processes.stop()

    def _controller(self, *arguments: str) -> None:
        """The cabinet; one that begins by itself is told where the agent listens."""
        options = self.options
        more = ["--cabinet", options.controller, "--plan", str(options.plan), "--mode", options.mode]
        more += [] if options.baud is None else ["--baud", str(options.baud)]
        if CABINETS[options.controller].line in ("udp_to", "tcp_to"):
            self._agent_port = free_port()
            more += ["--to", f"127.0.0.1:{self._agent_port}"]
        self._device("controller", "hil.devices.controller", *arguments, *more)

    def _radar(self, *arguments: str) -> None:
        """The radar; one that begins by itself is told where the agent listens."""
        more = ["--radar", self.options.radar, "--header", str(self.options.radar_header)]
        if RADARS[self.options.radar].line == "udp_to":
            self._radar_port = free_port(socket.SOCK_DGRAM)
            more += ["--to", f"127.0.0.1:{self._radar_port}"]
        self._device("radar", "hil.devices.radar", *arguments, *more)

    def _controller_section(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """What the site file says of the cabinet."""
        cabinet = CABINETS[self.options.controller]
        ports: dict[str, Callable[[], dict[str, Any]]] = {
            "serial": lambda: {"port": told["port"], "baud": told["baud"]},
            "udp": lambda: {"port": f"udp://{told['host']}:{told['udp_port']}"},
            "tcp": lambda: {"port": f"tcp://{told['host']}:{told['tcp_port']}"},
            "udp_to": lambda: {"port": f"udp-in://127.0.0.1:{self._agent_port}"},
            "tcp_to": lambda: {"port": f"tcp-in://127.0.0.1:{self._agent_port}"},
        }
        return {"driver": cabinet.driver, **ports[cabinet.line](), **cabinet.site}

    def _device(self, name: str, module: str, *arguments: str) -> None:
        self.processes.module(name, module, *arguments, ready=self._ready(name))

    def _ready(self, name: str) -> Path:
        return self.run_dir / "ready" / f"{name}.json"

    def _write_site(self, template: Path) -> None:
        """The ordinary site file with the ports of the virtual devices filled in."""
        yaml = YAML()
        site = yaml.load(template.read_text())
        told = self.processes.told
        site["crossing"]["file"] = str(asset("config/crossings/virtual.geojson"))
        site["controller"] = self._controller_section(told("controller"))
        if CABINETS[self.options.controller].slow:
            site["signals"]["slow_source_on_air"] = True
        self._write_sensors(site)
        site["time"] |= {"host": told("time")["host"], "port": told("time")["port"]}
        site["radio"] |= {"host": told("vehicle")["host"], "port": told("vehicle")["port"]}
        site["radio"] |= RADIOS[self.options.messages]
        if self._heard_port:
            site["radio"] |= {"receive_host": "127.0.0.1", "receive_port": self._heard_port, **CHECKED}
        site["uplink"] |= {"host": told("district")["host"], "port": told("district")["port"]}
        site["metrics"] = {"port": self.options.metrics_port}
        with self.site_file.open("w") as stream:
            yaml.dump(site, stream)

    def _write_sensors(self, site: dict[str, Any]) -> None:
        """Where each camera and radar is; none of those that are not run."""
        children, told = self.processes.children, self.processes.told
        site["cameras"] = site["cameras"] if "camera" in children else []
        for entry in site["cameras"]:
            entry["driver"], entry["url"] = self.options.camera, told("camera")["url"]
        name, entries = self.options.radar, site["radars"] if "radar" in children else []
        where = {"agent_port": self._radar_port, **(told("radar") if entries else {})}
        site["radars"] = [radar_entry(entry, name, where) for entry in entries]


def _needs_sumo() -> None:
    """Raises RigFailure with the command that installs it."""
    try:
        sumo_home()
    except NoSumo as missing:
        raise RigFailure(str(missing)) from None


def radar_refused(name: str) -> str | None:
    """Why this kind of radar cannot be run, None where it can."""
    if name not in RADARS:
        return say("--radar {name}: one of {names}", name=name, names=", ".join(RADARS))
    driver = RADARS[name].driver
    return (
        None
        if driver in plugins()
        else say("--radar {name}: the driver {driver} is not installed", name=name, driver=driver)
    )


def talkers_refused(options: RigOptions) -> str | None:
    """Why no vehicles that send can be run, None where they can or are not asked for."""
    if not 0.0 <= options.talkers <= 1.0:
        return say("--talkers {talkers:g}: a share from 0 to 1", talkers=options.talkers)
    if options.liar and not options.talkers:
        return say("--liar: nobody sends; say with --talkers what share of the vehicles does")
    if options.talkers and options.messages != CSAE53:
        return say(
            "--talkers: vehicles send BSMs of {csae53} only, not with --messages {messages}",
            csae53=CSAE53,
            messages=options.messages,
        )
    return (
        say("--talkers: there is no road without senses") if options.talkers and not options.senses else None
    )


def radar_entry(entry: Mapping[str, Any], name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """A radar's entry in the site file, for this kind and its line; told: by its ready file."""
    kind = RADARS[name]
    if name == DEFAULT:
        return {**entry, "data_port": told["data_port"]}
    placed = {key: entry[key] for key in ("name", "pose", "field")}
    return {"driver": kind.driver, **placed, **kind.ports(told), **kind.site}


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of loopback that nobody has now."""
    with socket.socket(socket.AF_INET, kind) as own:
        own.bind(("127.0.0.1", 0))
        return int(own.getsockname()[1])
