"""A cloud's network for one address: leads a host's packets to the machine that the cloud names.

No host finds such an address by ARP: the network itself knows where it is. Here the neighbour entry
of the host `space` is set instead, some 20 ms after the cloud has moved the address (that is not at
once there either).
"""

import subprocess
import time
from collections.abc import Callable

_NOWHERE = "02:00:00:00:ff:ff"


def follow(holder: Callable[[], str], address: str, space: str, machines: list[str],
           interval: float = 0.02) -> None:
    """For ever. `machines` are NAME=LINK_ADDRESS; `holder` gives a NAME, or "" where there is none."""
    links = dict(machine.split("=", 1) for machine in machines)
    before = None
    while True:
        try:
            name = holder()
        except (OSError, RuntimeError) as error:
            print(error, flush=True)
            time.sleep(1)
            continue
        link = links.get(name, _NOWHERE)
        if link != before:
            subprocess.run(["ip", "-n", space, "neigh", "replace", address, "lladdr", link,
                            "nud", "permanent", "dev", "eth0"], check=True)
            print(time.monotonic(), name, link, flush=True)
            before = link
        time.sleep(interval)
