"""A cloud around the lab's hosts: its interface runs on mgr, its network does as the interface says.

Each cloud is a module of its own: the bed of tests/cloud that it starts, what the helper
configuration and the environment of mgr's programs need, and who has the virtual IP by its word.
"""

import importlib
import json
import os
import pathlib
import shlex
import subprocess
import time

from halab import options
from halab.cloud_proxy import Proxy
from halab.errors import LabError
from halab.hosts import Host
from halab.network import Network
from halab.sandbox import Sandbox

BEDS = options.PROJECT / "tests" / "cloud"
KINDS = ("aws", "openstack")
_LOG = "cloud.log"


def cache() -> str:
    """Where the beds keep what they have fetched: outside of every lab."""
    chosen = os.environ.get("MHA_TEST_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return chosen or os.path.join(base, "mha-helper-tests")


def prepare(kind: str) -> None:
    """Fetches what the bed needs, where it is not there yet; seconds to a minute."""
    done = subprocess.run([BEDS / f"{kind}_bed", "--prepare"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False,
                          env={**os.environ, "MHA_TEST_CACHE": cache()})
    if done.returncode != 0:
        raise LabError(f"{kind}_bed --prepare: {done.stderr.strip()[-500:]}")


class Bed:
    """The cloud's servers, as a process on mgr that ends with the lab."""

    def __init__(self, host: Host, kind: str) -> None:
        self._host = host
        self._kind = kind

    def start(self, *arguments: str, timeout: float = 120.0) -> None:
        # The bed ends with its standard input: this one stays open as long as the host runs.
        bed = shlex.join([str(BEDS / f"{self._kind}_bed"), *arguments])
        self._host.start_in_background(["sh", "-c", f"sleep infinity | {bed}"], _LOG,
                                       {"MHA_TEST_CACHE": cache(), "PYTHONDONTWRITEBYTECODE": "1"})
        deadline = time.monotonic() + timeout
        while self._ready() is None:
            if time.monotonic() > deadline:
                raise LabError(f"{self._kind}_bed was not ready within {timeout:g} s: "
                               f"{self._log().strip()[-500:]}")
            time.sleep(0.05)

    def _log(self) -> str:
        path = self._host.folder / "log" / _LOG
        return path.read_text("utf-8", errors="replace") if path.exists() else ""

    def _ready(self) -> dict | None:
        for line in self._log().splitlines():
            if line.startswith("{"):
                try:
                    return json.loads(line)
                except ValueError:  # half a line
                    return None
        return None

    def told(self) -> dict:
        """What it printed when it was ready."""
        ready = self._ready()
        if ready is None:
            raise LabError(f"{self._kind}_bed does not run")
        return ready


class Cloud:
    """What a lab asks of its cloud; this one is none."""

    # Whether its interface leads the address to one host, or only says who may have it.
    names_one_holder = True
    # What stands between it and our programs, with cloud_answers_in.
    proxy: Proxy | None = None

    def __init__(self, sandbox: Sandbox, hosts: dict[str, Host],
                 chosen: options.LabOptions) -> None:
        self.sandbox = sandbox
        self.hosts = hosts
        self.options = chosen

    def start(self) -> None:
        """Returns with the interface up and the virtual IP on the first master, by its word."""

    def helper_conf(self) -> dict[str, str | None]:
        """Keys of [default] in the helper configuration; None: left out."""
        return {}

    def environment(self) -> dict[str, str]:
        """Of the programs on mgr."""
        return {}

    def holders(self) -> list[str]:
        """Hosts to which the cloud's interface leads the virtual IP, or that may have it."""
        raise LabError("this lab has no cloud")

    def query(self, script: str, *arguments: str) -> str:
        """Runs a program of this folder on mgr, from where alone the interface can be reached."""
        done = self.hosts["mgr"].run(
            ["/usr/bin/python3", "-B", str(pathlib.Path(__file__).parent / script), *arguments],
            extra_environment={"PYTHONPATH": f"{BEDS}:{options.LAB_FOLDER}"})
        if done.status != 0:
            raise LabError(f"{script}: {done.errors.strip()[-500:]}")
        return done.output.strip()

    def watch(self, network: Network, script: str, *arguments: str) -> None:
        """Starts a program of this folder in the network of mgr, which may change that of others."""
        self.sandbox.run(
            ["sh", "-c", 'space=$1; shift; setsid ip netns exec "$space" "$@" </dev/null '
             '>/run/lab/cloud-network.log 2>&1 &', "network", network.namespace("mgr"),
             "env", f"PYTHONPATH={BEDS}", "/usr/bin/python3", "-B",
             str(pathlib.Path(__file__).parent / script), *arguments])


def translate_everywhere(network: Network, chosen: options.LabOptions) -> None:
    """A cloud that translates a public address to the host's own: here each host takes packets for
    it from the start, and has it on no interface that anybody looks at."""
    network.remove_address(options.FIRST_MASTER, chosen.vip_cidr)
    for name in options.DATABASE_HOSTS:
        network.add_hidden_address(name, f"{chosen.vip}/32")


def link_addresses(hosts: dict[str, Host], ids: dict[str, str]) -> list[str]:
    """ID=LINK_ADDRESS of each host, as the watchers want it."""
    return [f"{ids[name]}=" + hosts[name].must_run(
        ["cat", f"/sys/class/net/{options.INTERFACE}/address"]).strip() for name in ids]


def cloud_for(sandbox: Sandbox, hosts: dict[str, Host], chosen: options.LabOptions,
              network: Network) -> Cloud:
    """The cloud of the lab's vip_type."""
    if chosen.vip_type not in KINDS:
        return Cloud(sandbox, hosts, chosen)
    module = importlib.import_module(f"halab.cloud_{chosen.vip_type}")
    return module.make(sandbox, hosts, chosen, network)
