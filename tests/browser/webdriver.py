"""The browsers that people have, driven by one protocol: W3C WebDriver.

Chromium and WebKitGTK (the engine of Safari) bring a driver that speaks it over HTTP. Firefox speaks the same commands
itself, over a socket (Marionette), so that no driver is needed which Debian does not package. WebKit's browser has no
mode without a window: it gets a display of its own.
"""

import base64
import contextlib
import functools
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from config.local.services.ports import HOST, any_free_port
from config.local.supervisor.watchdog import signal_group
from providers.sandbox.waiting import NotInTime, until
from tests.browser import LEAN
from tests.campaigns.stacks import listens

PACKAGES = {
    "chromium": ("chromium", "chromium-driver"),
    "firefox": ("firefox-esr",),
    "webkit": ("webkit2gtk-driver", "xvfb"),
}
_START_SECONDS = 60.0
_WAIT_SECONDS = 90.0
_PAUSE_SECONDS = 0.25
_MOST_PRESSES = 3
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver §12.3, the web element identifier
# Commands as Marionette names them, and where WebDriver's HTTP has them.
_OVER_HTTP = {
    "Navigate": ("POST", "/url"),
    "GetCurrentURL": ("GET", "/url"),
    "FindElements": ("POST", "/elements"),
    "ElementClick": ("POST", "/element/{id}/click"),
    "ElementClear": ("POST", "/element/{id}/clear"),
    "ElementSendKeys": ("POST", "/element/{id}/value"),
    "ExecuteScript": ("POST", "/execute/sync"),
    "GetCookies": ("GET", "/cookie"),
    "SwitchToFrame": ("POST", "/frame"),
    "GetWindowHandles": ("GET", "/window/handles"),
    "SwitchToWindow": ("POST", "/window"),
    "TakeScreenshot": ("GET", "/screenshot"),
    "DeleteSession": ("DELETE", ""),
}
# Firefox calls nobody but the pages under test, and makes nothing ready that they do not ask for. Nothing moves.
_FIREFOX_PREFERENCES: dict[str, object] = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.newtab.preload": False,
    "browser.sessionstore.resume_from_crash": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "browser.safebrowsing.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.ipc.processPrelaunch.enabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.proxy.type": 0,
    "services.settings.server": "data:,",
    "toolkit.telemetry.enabled": False,
    "ui.prefersReducedMotion": 1,
}
# What WebKit takes from its toolkit: nothing moves there either.
_GTK_SETTINGS = "[Settings]\ngtk-enable-animations=0\n"


class WebDriverError(Exception):
    """The browser could not do what it was told, or never showed what was waited for."""


class Browser(ABC):
    """One browser with an empty profile, and one window at first."""

    @abstractmethod
    def _send(self, command: str, parameters: dict[str, Any]) -> Any:
        """Return what the browser answers. Raises ``WebDriverError``."""

    def open(self, url: str) -> None:
        """Go to an address, and return when the page has loaded."""
        self._send("Navigate", {"url": url})

    @property
    def url(self) -> str:
        """The address of the page."""
        return str(self._send("GetCurrentURL", {}))

    @property
    def text(self) -> str:
        """What a person reads on the page."""
        return str(self.run("return document.body ? document.body.innerText : ''"))

    @property
    def cookies(self) -> dict[str, dict[str, Any]]:
        """The cookies that go with the page, by name."""
        return {cookie["name"]: cookie for cookie in self._send("GetCookies", {})}

    def run(self, script: str) -> Any:
        """Return what ``script`` returns."""
        return self._send("ExecuteScript", {"script": script, "args": []})

    def fill(self, name: str, text: str) -> None:
        """Type into the field of this name. On a busy machine WebKit loses a key now and then: it is typed again."""
        css = f"input[name={name}]"

        def is_filled() -> bool:
            field = self._one("css selector", css)
            self._send("ElementClear", {"id": field})
            self._send("ElementSendKeys", {"id": field, "text": text})
            return bool(self.run(f"return document.querySelector('{css}').value") == text)

        self.wait_for(is_filled, f"“{text}” in {name}")

    def press(self, label: str) -> None:
        """Press the first button or link with this label, as soon as it is there and enabled."""
        says = " or ".join(f"{part}='{label}'" for part in ("normalize-space()", "@aria-label", "*"))
        found = self._one("xpath", f"//*[self::button or self::a][{says}][not(@disabled)]")
        self._send("ElementClick", {"id": found})

    def press_until(self, label: str, claim: Callable[[], object], what: str) -> None:
        """Press it until ``claim`` holds, as a person would: on a busy machine Firefox loses a click now and then."""
        for _ in range(_MOST_PRESSES - 1):
            self.press(label)
            with contextlib.suppress(NotInTime):
                return self.wait_for(claim, what, seconds=_WAIT_SECONDS / _MOST_PRESSES)
        self.press(label)
        return self.wait_for(claim, what)

    def press_enter(self, name: str) -> None:
        """Press the enter key in the field of this name."""
        self._send("ElementSendKeys", {"id": self._one("css selector", f"input[name={name}]"), "text": "\ue007"})

    def wait_for(
        self, claim: Callable[[], object], what: str, *, seconds: float = _WAIT_SECONDS, pause: float = _PAUSE_SECONDS
    ) -> None:
        """Return when ``claim`` holds. A page that is just being replaced is looked at again.

        Each look costs a browser more than it costs us: ``pause`` longer for what takes its time.
        """

        def holds() -> bool:
            with contextlib.suppress(WebDriverError):
                return bool(claim())
            return False

        until(holds, lambda: f"{what} at {self.url}:\n{self.text[:1500]}", seconds=seconds, pause=pause)

    def wait_for_text(self, words: str, *, seconds: float = _WAIT_SECONDS, pause: float = _PAUSE_SECONDS) -> None:
        """Return when the page says this."""
        self.wait_for(lambda: words in self.text, f"“{words}”", seconds=seconds, pause=pause)

    def enter_frame(self) -> None:
        """Go on in the first frame of the page, as soon as there is one."""
        self.wait_for(lambda: self._send("SwitchToFrame", {"id": 0}) is None, "a frame")

    @property
    def windows(self) -> list[str]:
        """The windows that are open."""
        return [str(handle) for handle in self._send("GetWindowHandles", {})]

    def enter_window(self, handle: str) -> None:
        """Go on in this window."""
        self._send("SwitchToWindow", {"handle": handle})

    def screenshot(self, path: Path) -> None:
        """Write a picture of the window (PNG)."""
        path.write_bytes(base64.b64decode(self._send("TakeScreenshot", {})))

    def _one(self, using: str, value: str) -> str:
        found: list[dict[str, str]] = []

        def is_there() -> bool:
            found[:] = self._send("FindElements", {"using": using, "value": value})
            return bool(found)

        self.wait_for(is_there, value)
        return found[0][_ELEMENT]


class _OverHttp(Browser):
    def __init__(self, driver: str, capabilities: dict[str, Any]) -> None:
        self._http = requests.Session()
        self._http.trust_env = False
        self._session = driver
        answer = self._call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        self._session = f"{driver}/session/{answer['sessionId']}"

    def _send(self, command: str, parameters: dict[str, Any]) -> Any:
        method, path = _OVER_HTTP[command]
        in_path = {"id"} if "{id}" in path else set()
        body = {name: value for name, value in parameters.items() if name not in in_path}
        return self._call(method, path.format(id=parameters.get("id")), body if method == "POST" else None)

    def _call(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        answer = self._http.request(method, self._session + path, json=body, timeout=_START_SECONDS)
        value = answer.json()["value"]
        if not answer.ok:
            raise WebDriverError(f"{value['error']}: {value['message'][:500]}")
        return value


class _OverMarionette(Browser):
    def __init__(self, port: int, capabilities: dict[str, Any]) -> None:
        self._socket = socket.create_connection((HOST, port), timeout=_START_SECONDS)
        self._stream = self._socket.makefile("rb")
        self._numbers = itertools.count(1)
        self._receive()  # the greeting
        self._send("NewSession", capabilities)

    def _send(self, command: str, parameters: dict[str, Any]) -> Any:
        number = next(self._numbers)
        message = json.dumps([0, number, f"WebDriver:{command}", parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(message), message))
        _, answered, error, result = self._receive()
        if answered != number:
            raise WebDriverError(f"the answer to {answered} came to {command}, which was {number}")
        if error is not None:
            raise WebDriverError(f"{error['error']}: {error['message'][:500]}")
        return result["value"] if isinstance(result, dict) and "value" in result else result

    def _receive(self) -> Any:
        length = b""
        while (byte := self._stream.read(1)) != b":":
            if not byte:
                raise WebDriverError("Firefox has ended")
            length += byte
        return json.loads(self._stream.read(int(length)))


def missing_packages(name: str) -> list[str]:
    """Return the Debian packages that this machine needs before the browser can be driven."""
    programs = {
        "chromium": _program("chromium", "chromium-browser", "google-chrome"),
        "chromium-driver": _program("chromedriver"),
        "firefox-esr": _program("firefox-esr", "firefox"),
        "webkit2gtk-driver": _program("WebKitWebDriver") and _mini_browser(),
        "xvfb": os.environ.get("DISPLAY") or _program("Xvfb"),
    }
    return [package for package in PACKAGES[name] if not programs[package]]


def need(name: str) -> None:
    """Skip a test whose browser is missing, with what to do; in continuous integration none may be missing."""
    if missing := missing_packages(name):
        told = f"apt-get install --no-install-recommends {' '.join(missing)}"
        assert not os.environ.get("CI"), told
        pytest.skip(told)


@contextlib.contextmanager
def started(name: str, folder: Path, *, keeps_cookies: bool = True, through: int | None = None) -> Iterator[Browser]:
    """Run ``chromium``, ``firefox`` or ``webkit`` with a new profile in ``folder``, until the block ends.

    Only Firefox can be told to keep no cookies. ``through`` is the port of a proxy on this machine that leads to the
    sites of a test: the browser takes their certificates for good then.
    """
    folder.mkdir()
    if not keeps_cookies and name != "firefox":
        raise ValueError(name)
    cookies = {} if keeps_cookies else {"network.cookie.cookieBehavior": 2}
    asked = {} if through is None else _through(through)
    starts = {"chromium": _chromium, "firefox": functools.partial(_firefox, preferences=cookies), "webkit": _webkit}
    start = functools.partial(starts[name], asked=asked)
    with contextlib.ExitStack() as cleanup:
        # A proxy of the machine's has no business before loopback; and nobody's own profile is touched.
        environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        environment |= {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
        for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
            environment[variable] = str(folder / variable.lower())
        for toolkit in ("gtk-3.0", "gtk-4.0"):
            settings = folder / "xdg_config_home" / toolkit / "settings.ini"
            settings.parent.mkdir(parents=True)
            settings.write_text(_GTK_SETTINGS)
        browser = start(folder, environment, cleanup)
        try:
            yield browser
        finally:
            with contextlib.suppress(WebDriverError, requests.RequestException, OSError):
                browser._send("DeleteSession", {})


def _through(port: int) -> dict[str, Any]:
    """Return the capabilities (WebDriver §7) of a browser that goes through the proxy at ``port``."""
    proxy = {"proxyType": "manual", "httpProxy": f"{HOST}:{port}", "sslProxy": f"{HOST}:{port}"}
    return {"acceptInsecureCerts": True, "proxy": proxy}


def _chromium(
    folder: Path, environment: dict[str, str], cleanup: contextlib.ExitStack, *, asked: dict[str, Any]
) -> Browser:
    driver = _driver(["chromedriver", "--port={port}"], folder, environment, cleanup)
    options = {
        "binary": _program("chromium", "chromium-browser", "google-chrome"),
        "args": ["--headless=new", *LEAN, f"--user-data-dir={folder}/data"],
    }
    return _OverHttp(driver, {"goog:chromeOptions": options} | asked)


def _webkit(
    folder: Path, environment: dict[str, str], cleanup: contextlib.ExitStack, *, asked: dict[str, Any]
) -> Browser:
    if not environment.get("DISPLAY"):
        display = subprocess.Popen(
            ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        cleanup.callback(_end, display)
        assert display.stdout is not None
        environment = environment | {"DISPLAY": f":{display.stdout.readline().strip()}"}
    if proxy := asked.pop("proxy", None):  # its driver would have the proxy speak TLS
        environment = environment | {"https_proxy": f"http://{proxy['sslProxy']}"}
    driver = _driver(["WebKitWebDriver", f"--host={HOST}", "--port={port}"], folder, environment, cleanup)
    options = {"binary": _mini_browser(), "args": ["--automation"]}
    return _OverHttp(driver, {"webkitgtk:browserOptions": options} | asked)


def _firefox(
    folder: Path,
    environment: dict[str, str],
    cleanup: contextlib.ExitStack,
    *,
    asked: dict[str, Any],
    preferences: dict[str, object],
) -> Browser:
    port = any_free_port()
    settings = _FIREFOX_PREFERENCES | preferences | {"marionette.port": port}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in settings.items()]
    (folder / "profile").mkdir()
    (folder / "profile" / "user.js").write_text("\n".join(lines) + "\n")
    program = _program("firefox-esr", "firefox")
    command = [program, "--headless", "--marionette", "--no-remote", "--profile", str(folder / "profile")]
    _run(command, folder, environment, cleanup)
    _wait_for_port(port, folder)
    return _OverMarionette(port, asked)


def _driver(command: list[str], folder: Path, environment: dict[str, str], cleanup: contextlib.ExitStack) -> str:
    port = any_free_port()
    _run([word.format(port=port) for word in command], folder, environment, cleanup)
    _wait_for_port(port, folder)
    return f"http://{HOST}:{port}"


def _run(command: list[str], folder: Path, environment: dict[str, str], cleanup: contextlib.ExitStack) -> None:
    log = cleanup.enter_context((folder / "output.txt").open("wb"))
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
    )
    cleanup.callback(_end, process)


def _end(process: "subprocess.Popen[Any]") -> None:
    """End a process, and after a moment's patience whatever it has started."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)
    signal_group(process.pid, signal.SIGKILL)
    process.wait()


def _wait_for_port(port: int, folder: Path) -> None:
    def told() -> str:
        return f"a browser that starts; it says: {(folder / 'output.txt').read_text(errors='replace')[-2000:]}"

    until(lambda: listens(port), told, seconds=_START_SECONDS, pause=0.1)


def _program(*names: str) -> str:
    return next((found for name in names if (found := shutil.which(name))), "")


def _mini_browser() -> str:
    """Return the path of WebKitGTK's own small browser, which is on no PATH."""
    found = [
        path for library in ("/usr/lib", "/usr/libexec") for path in Path(library).glob("**/webkit2gtk-4*/MiniBrowser")
    ]
    return str(sorted(found)[-1]) if found else ""
