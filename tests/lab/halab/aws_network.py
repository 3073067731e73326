#!/usr/bin/python3
"""A VPC's network for one address: leads a host's packets to the machine that EC2 says has it.

usage: aws_network.py URL REGION KEY SECRET ADDRESS NAMESPACE INTERFACE=LINK_ADDRESS...

In a VPC no host finds an address by ARP: the network answers for all of them, from the interface's
own tables. Here the neighbour entry of the host in NAMESPACE is set instead, some 20 ms after EC2
has moved the address (remapping is not at once there either).
"""

import subprocess
import sys
import time

from aws_view import holders
from awsbed.aws_client import Client

_NOWHERE = "02:00:00:00:ff:ff"
_INTERVAL = 0.02


def main() -> None:
    url, region, key, secret, address, space, *machines = sys.argv[1:]
    links = dict(machine.split("=", 1) for machine in machines)
    client = Client(url, region, key, secret)
    before = None
    while True:
        try:
            found = holders(client, address)
        except (OSError, RuntimeError) as error:
            print(error, flush=True)
            time.sleep(1)
            continue
        link = links.get(found[0], _NOWHERE) if found else _NOWHERE
        if link != before:
            subprocess.run(["ip", "-n", space, "neigh", "replace", address, "lladdr", link,
                            "nud", "permanent", "dev", "eth0"], check=True)
            print(time.monotonic(), *found, link, flush=True)
            before = link
        time.sleep(_INTERVAL)


if __name__ == "__main__":
    main()
