#!/usr/bin/python3
"""Asks EC2 who has an address, or gives it to an interface.

usage: aws_view.py URL REGION KEY SECRET holders ADDRESS
       aws_view.py URL REGION KEY SECRET assign ADDRESS INTERFACE
"""

import sys

from awsbed.aws_client import Client


def holders(client: Client, address: str) -> list[str]:
    seen = client.must("ec2", "DescribeNetworkInterfaces",
                       Filter__1__Name="addresses.private-ip-address", Filter__1__Value__1=address)
    return seen.texts(".//networkInterfaceSet/item/networkInterfaceId")


def main() -> None:
    url, region, key, secret, verb, address, *more = sys.argv[1:]
    client = Client(url, region, key, secret)
    if verb == "assign":
        client.must("ec2", "AssignPrivateIpAddresses", NetworkInterfaceId=more[0],
                    PrivateIpAddress__1=address, AllowReassignment="true")
    print(*holders(client, address))


if __name__ == "__main__":
    main()
