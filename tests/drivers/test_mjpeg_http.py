"""The MJPEG driver against the rig's camera server: pictures, logins, silence and pictures too many."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import pairwise

import anyio
import anyio.abc
import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from drivers.mjpeg_http.driver import MjpegCamera, open_camera
from drivers.mjpeg_http.link import MjpegReader
from drivers.mjpeg_http.settings import Settings
from hil.devices.camera_server import CameraServer
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.trouble import DeviceLost

CLOCK = SystemClock()
pytestmark = pytest.mark.anyio


@pytest.fixture
def server() -> Iterator[CameraServer]:
    """Fifty pictures a second."""
    made, ending = CameraServer(lambda _frame, _at: None), threading.Event()

    def show() -> None:
        number = 0
        while not ending.wait(0.02):
            number += 1
            done, data = cv2.imencode(".jpg", np.full((16, 16, 3), number % 250, np.uint8))
            assert done
            made.show(number, data.tobytes())

    threading.Thread(target=show, daemon=True).start()
    yield made
    ending.set()
    made.close()


def settings(server: CameraServer, **more: object) -> Settings:
    return Settings.model_validate({"url": f"http://127.0.0.1:{server.port}/stream", **more})


async def many(camera: MjpegCamera) -> None:
    for _ in range(1000):
        await anext(camera)


async def test_pictures_come_with_the_cameras_numbers_and_are_stamped_less_the_latency(
    server: CameraServer,
) -> None:
    async with open_camera(settings(server, latency_ms=40, most_fps=60), CLOCK) as camera:
        first, second = await anext(camera), await anext(camera)
    assert second.number > first.number
    assert second.captured_s == pytest.approx(second.arrived_s - 0.040)
    assert second.image.shape == (16, 16, 3)


async def test_pictures_too_many_are_passed_over_before_they_are_decoded(server: CameraServer) -> None:
    async with open_camera(settings(server, most_fps=10), CLOCK) as camera:
        frames = [await anext(camera) for _ in range(5)]
        assert camera.counters["passed_over"] >= 8
    gaps = [b.arrived_s - a.arrived_s for a, b in pairwise(frames)]
    assert min(gaps) > 0.04, "evenly"


async def test_silence_and_the_end_of_a_stream_are_told_apart(server: CameraServer) -> None:
    async with open_camera(settings(server, read_timeout_s=0.3), CLOCK) as camera:
        await anext(camera)
        server.silent = True
        with pytest.raises(DeviceLost, match="silent"):
            await many(camera)
    server.silent = False
    async with open_camera(settings(server), CLOCK) as camera:
        await anext(camera)
        server.close()
        with pytest.raises(DeviceLost, match="closed"):
            await many(camera)
    with pytest.raises(DeviceLost, match="refused"):
        async with open_camera(settings(server), CLOCK):
            raise AssertionError("nobody listens")


@pytest.mark.parametrize(("right", "opens"), [(True, True), (False, False)])
async def test_name_and_password_are_sent_as_basic_login(right: bool, opens: bool) -> None:
    """RFC 7617, section 2: Aladdin and "open sesame" are QWxhZGRpbjpvcGVuIHNlc2FtZQ==."""
    asked: list[bytes] = []
    picture = cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))[1].tobytes()

    async def serve(client: anyio.abc.SocketStream) -> None:
        async with client:
            asked.append(await client.receive())
            good = b"\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n" in asked[-1]
            if not good:
                await client.send(b"HTTP/1.1 401 Unauthorized\r\n\r\n")
                return
            head = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n"
            part = b"--b\r\nContent-Length: %d\r\n\r\n" % len(picture)
            await client.send(head + part + picture + b"\r\n")
            await anyio.sleep_forever()

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    told = Settings(
        url=f"http://127.0.0.1:{port}/",
        user="Aladdin",
        password="open sesame" if right else "wrong",  # type: ignore[arg-type]
    )
    assert "sesame" not in repr(told)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        async with open_camera(told, CLOCK) as camera:
            if opens:
                await anext(camera)
            else:
                with pytest.raises(DeviceLost, match=r"refused: HTTP/1\.1 401 Unauthorized"):
                    await anext(camera)
        tasks.cancel_scope.cancel()
    assert asked[0].startswith(b"GET / HTTP/1.1\r\n")


def test_a_password_in_the_address_and_a_name_that_would_break_the_header_are_no_settings() -> None:
    for told in (
        {"url": "http://me:pw@10.0.0.5/a"},
        {"url": "http://10.0.0.5/a", "user": "a\r\nX: y"},
        {"url": "http://10.0.0.5/a", "user": "a:b"},
    ):
        with pytest.raises(ValidationError):
            Settings.model_validate(told)


@pytest.mark.parametrize("end", [b"", b"\r\n", b"\r\n\r\n"])
@pytest.mark.parametrize("cut", [0, 1, 30, 80])
def test_a_picture_is_stamped_with_its_own_first_byte_not_with_the_end_of_the_one_before(
    end: bytes, cut: int
) -> None:
    _, data = cv2.imencode(".jpg", np.full((16, 16, 3), 90, np.uint8))
    jpeg = data.tobytes()
    part = b"--b\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg) + jpeg + end
    reader = MjpegReader()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n"
    assert list(reader.receive(head, 1.0)) == []
    stamps = []
    for n in range(1, 6):
        for data_part, at_s in ((part[:cut], 10.0 * n), (part[cut:], 10.0 * n + 0.5)):
            stamps += [picture.first_byte_s for picture in reader.receive(data_part, at_s)]
    first = 0.5 if cut == 0 else 0.0
    assert stamps == [10.0 * n + first for n in range(1, 6)]
