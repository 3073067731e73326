"""Puts a bad wire (chaos_wire.py) between a host and the bridge, and takes it away again."""

import time

from support import HERE, SIGNALS, Lab, options


class BadWire:
    """`how` are the options of chaos_wire.py."""

    def __init__(self, lab: Lab, host: str, *how: str) -> None:
        self._lab = lab
        self._host = host
        self._how = how
        self._pid = ""

    def put_in(self) -> None:
        near, far = f"near-{self._host}", f"far-{self._host}"
        ready = f"{SIGNALS}/wire-{self._host}"
        self._lab.path(ready).unlink(missing_ok=True)
        self._ip("link", "add", near, "type", "veth", "peer", "name", far)
        self._ip("link", "set", far, "master", self._lab.network.bridge, "up")
        self._ip("link", "set", near, "up")
        self._pid = self._lab.network.run_outside_hosts([
            "sh", "-c", 'exec 9>&1; setsid "$@" </dev/null >/dev/null 2>&1 9>&- & echo $! >&9',
            "wire", "/usr/bin/python3", "-B", str(HERE / "chaos_wire.py"), ready, self._host, near,
            *self._how]).strip()
        deadline = time.monotonic() + 10
        while not self._lab.path(ready).exists():
            if time.monotonic() > deadline:
                raise AssertionError("the bad wire does not start")
            time.sleep(0.005)
        self._ip("link", "set", self._host, "nomaster")

    def take_out(self) -> None:
        self._lab.network.run_outside_hosts(["sh", "-c", f"kill -KILL {self._pid}; true"])
        self._ip("link", "delete", f"near-{self._host}")
        if self._lab.hosts[self._host].running:
            self._lab.network.heal(self._host)

    def _ip(self, *arguments: str) -> None:
        self._lab.network.run_outside_hosts(["ip", *arguments])


def reset_connections(lab: Lab, host: str, port: int) -> None:
    """Those that the manager has to that port: both ends get a reset, whatever is under way."""
    address = options.address_v4(options.HOST_NUMBERS["mgr"])
    lab.hosts[host].must_run(["ss", "-K", "dst", address, "sport", "=", f":{port}"])
