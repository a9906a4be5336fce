"""The ways in which the virtual camera serves its pictures, by the driver that reads them."""

from __future__ import annotations

from hil.devices.camera_server import CameraServer
from hil.devices.picture_port import PicturePort
from hil.devices.rtsp_server import RtspServer

CAMERAS: dict[str, type[PicturePort]] = {"mjpeg_http": CameraServer, "rtsp": RtspServer}
DEFAULT = "mjpeg_http"
