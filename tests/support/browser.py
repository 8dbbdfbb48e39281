"""A headless Chromium, driven by its own protocol over a pipe: no driver, no port, no network."""

import base64
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage", "--hide-scrollbars",
)  # fmt: skip


def chromium() -> str | None:
    """The Chromium of this machine."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@dataclass
class Browser:
    """One page. `console` is what it printed on its console, `failed` what it could not load, `asked` all that it asked
    for."""

    commands: BinaryIO
    answers: BinaryIO
    session: str = ""
    console: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Gives the browser a command and waits for its answer."""
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters}
        self.commands.write(
            json.dumps(message | ({"sessionId": self.session} if self.session else {})).encode() + b"\0"
        )
        while (answer := self.message()).get("id") != number:
            pass
        assert "error" not in answer, (method, answer)
        result: dict[str, Any] = answer["result"]
        return result

    def message(self) -> dict[str, Any]:
        """The next thing the browser says; what happens to the page is kept."""
        held = bytearray()
        while (byte := self.answers.read(1)) != b"\0":
            assert byte, "the browser ended"
            held += byte
        message: dict[str, Any] = json.loads(held)
        match message.get("method"):
            case "Runtime.consoleAPICalled" | "Runtime.exceptionThrown" | "Log.entryAdded":
                self.console.append(json.dumps(message["params"]))
            case "Network.loadingFailed":
                self.failed.append(json.dumps(message["params"]))
            case "Network.requestWillBeSent":
                self.asked.append(message["params"]["request"]["url"])
        return message

    def open(
        self, page: Path, *, width: int = 1280, height: int = 900, scheme: str = "light", script: bool = True
    ) -> None:
        """Opens a file on a screen of this size, without a network, and waits until it is there."""
        if not self.session:
            target = self.call("Target.createTarget", url="about:blank")["targetId"]
            self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.call(f"{domain}.enable")
        self.call("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        features = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
        self.call("Emulation.setEmulatedMedia", features=[{"name": name, "value": features[name]} for name in features])
        self.call("Emulation.setScriptExecutionDisabled", value=not script)
        self.call("Page.navigate", url=page.resolve().as_uri())
        while self.message().get("method") != "Page.loadEventFired":
            pass

    def ask(self, expression: str) -> Any:
        """The value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def point(self, selector: str) -> None:
        """Moves the mouse onto the middle of an element."""
        x, y = self.middle(selector)
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        self.wait()

    def click(self, selector: str) -> None:
        """Clicks on the middle of an element."""
        x, y = self.middle(selector)
        for happening in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=happening, x=x, y=y, button="left", clickCount=1)
        self.wait()

    def tap(self, selector: str) -> None:
        """Taps on the middle of an element with a finger."""
        x, y = self.middle(selector)
        self.call("Emulation.setTouchEmulationEnabled", enabled=True)
        self.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        self.call("Emulation.setTouchEmulationEnabled", enabled=False)
        self.wait()

    def middle(self, selector: str) -> tuple[float, float]:
        """Scrolls to an element, and says where its middle is on the screen."""
        centre = "{block: 'center', behavior: 'instant'}"
        self.ask(f"document.querySelector({json.dumps(selector)}).scrollIntoView({centre})")
        self.wait()  # until the page knows that it was scrolled
        x, y = self.ask(
            f"(() => {{ const box = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        return x, y

    def wait(self) -> None:
        """Waits until the page was drawn again, and has heard of it."""
        self.ask("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))")

    def picture(self, file: Path, *, whole: bool = True) -> None:
        """Takes a screenshot of the whole page, or of what the screen shows; docs/pictures/draw.py uses it."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(shot["data"]))


@contextmanager
def browser(program: str, profile: Path) -> Iterator[Browser]:
    """A browser with a profile of its own in this directory, for as long as the block runs."""
    (to_read, to_write), (from_read, from_write) = os.pipe(), os.pipe()
    # It reads its commands from descriptor 3 and writes to 4, wherever these lie here.
    line = f'exec "$0" "$@" 3<&{to_read} 4>&{from_write}'
    command = [
        "bash",
        "-c",
        line,
        program,
        *FLAGS,
        f"--user-data-dir={profile}",
        "--remote-debugging-pipe",
        "about:blank",
    ]
    process = subprocess.Popen(command, pass_fds=(to_read, from_write), stderr=subprocess.DEVNULL)
    os.close(to_read)
    os.close(from_write)
    try:
        with os.fdopen(to_write, "wb", buffering=0) as commands, os.fdopen(from_read, "rb") as answers:
            yield Browser(commands, answers)
    finally:
        process.terminate()
        process.wait(60)
