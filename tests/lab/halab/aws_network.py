#!/usr/bin/python3
"""A VPC's network for the virtual IP (fabric.py).

usage: aws_network.py URL REGION KEY SECRET WHAT ADDRESS NAMESPACE INTERFACE=LINK_ADDRESS...
WHAT is as aws_view.py takes it; ADDRESS is what the host in NAMESPACE asks for.
"""

import sys

import fabric
from aws_view import holders
from awsbed.aws_client import Client


def main() -> None:
    url, region, key, secret, what, address, space, *machines = sys.argv[1:]
    client = Client(url, region, key, secret)

    def holder() -> str:
        found = holders(client, what)
        return found[0] if found else ""

    fabric.follow(holder, address, space, machines)


if __name__ == "__main__":
    main()
