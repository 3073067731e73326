#!/usr/bin/python3
"""Asks EC2 who has an address, or gives it to an interface.

usage: aws_view.py URL REGION KEY SECRET holders WHAT
       aws_view.py URL REGION KEY SECRET assign WHAT INTERFACE

WHAT is secondary_ip:ADDRESS, eip:ALLOCATION, or route:DESTINATION:TABLE[,TABLE...].
"""

import sys

from awsbed.aws_client import Client


def holders(client: Client, what: str) -> list[str]:
    """Interfaces, each once."""
    mode, _, rest = what.partition(":")
    if mode == "secondary_ip":
        seen = client.must("ec2", "DescribeNetworkInterfaces", Filter__1__Value__1=rest,
                           Filter__1__Name="addresses.private-ip-address")
        return seen.texts(".//networkInterfaceSet/item/networkInterfaceId")
    if mode == "eip":
        seen = client.must("ec2", "DescribeAddresses", AllocationId__1=rest)
        return [name for name in seen.texts(".//addressesSet/item/networkInterfaceId") if name]
    destination, _, tables = rest.partition(":")
    seen = client.must("ec2", "DescribeRouteTables",
                       **{f"RouteTableId__{number}": table
                          for number, table in enumerate(tables.split(","), 1)})
    routes = seen.root.findall(".//routeSet/item")
    return sorted({route.findtext("networkInterfaceId") for route in routes
                   if route.findtext("destinationCidrBlock") == destination} - {None, ""})


def assign(client: Client, what: str, interface: str) -> None:
    mode, _, rest = what.partition(":")
    if mode == "secondary_ip":
        client.must("ec2", "AssignPrivateIpAddresses", NetworkInterfaceId=interface,
                    PrivateIpAddress__1=rest, AllowReassignment="true")
    elif mode == "eip":
        client.must("ec2", "AssociateAddress", AllocationId=rest, NetworkInterfaceId=interface,
                    AllowReassociation="true")
    else:
        destination, _, tables = rest.partition(":")
        for table in tables.split(","):
            client.must("ec2", "CreateRoute", RouteTableId=table, NetworkInterfaceId=interface,
                        DestinationCidrBlock=destination)


def main() -> None:
    url, region, key, secret, verb, what, *more = sys.argv[1:]
    client = Client(url, region, key, secret)
    if verb == "assign":
        assign(client, what, *more)
    print(*holders(client, what))


if __name__ == "__main__":
    main()
