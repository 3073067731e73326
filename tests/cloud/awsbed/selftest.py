"""The calls that the driver makes, and the answers that its tests rely on (README.rst)."""
import json
import urllib.error
import urllib.request

from awsbed.aws_client import OPENER, Client


class Tally:
    def __init__(self):
        self.failed = 0

    def expect(self, what, found, wanted):
        good = found == wanted
        self.failed += not good
        print(f"{'ok    ' if good else 'FAILED'} {what}" + ("" if good else f": {found!r}, not {wanted!r}"))


def fetch(url, method="GET", headers=None, body=None):
    request = urllib.request.Request(url, body, headers or {}, method=method)
    try:
        with OPENER.open(request, timeout=30) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def addresses(ec2, interface):
    seen = ec2("DescribeNetworkInterfaces", Filter__1__Name="network-interface-id",
               Filter__1__Value__1=interface)
    return seen.texts(".//privateIpAddressesSet/item/privateIpAddress")


def holders(ec2, vpc, address):
    seen = ec2("DescribeNetworkInterfaces", Filter__1__Name="addresses.private-ip-address",
               Filter__1__Value__1=address, Filter__2__Name="vpc-id", Filter__2__Value__1=vpc)
    return seen.texts("./networkInterfaceSet/item/networkInterfaceId")


def secondary_ip(tally, ec2, world):
    a, b = (world["hosts"][name]["interface"] for name in ("a", "b"))
    vip = world["subnet_range"].rsplit(".", 1)[0] + ".100"

    def assign(interface, **more):
        return ec2("AssignPrivateIpAddresses", NetworkInterfaceId=interface, PrivateIpAddress__1=vip,
                   **more)

    def owner():
        return holders(ec2, world["vpc"], vip)
    tally.expect("nobody has the address", owner(), [])
    done = assign(a)
    tally.expect("assign", (done.code, done.text("return"), owner()), ("", "true", [a]))
    tally.expect("without AllowReassignment", assign(b).code, "InvalidParameterValue")
    dry = assign(b, AllowReassignment="true", DryRun="true")
    tally.expect("DryRun changes nothing", (dry.status, dry.code, owner()),
                 (412, "DryRunOperation", [a]))
    for _ in range(2):
        tally.expect("with AllowReassignment, again too",
                     (assign(b, AllowReassignment="true").code, owner()), ("", [b]))
    tally.expect("the old one has lost it", vip in addresses(ec2, a), False)
    tally.expect("a primary address stays", ec2(
        "AssignPrivateIpAddresses", NetworkInterfaceId=b, AllowReassignment="true",
        PrivateIpAddress__1=world["hosts"]["a"]["ip"]).code, "InvalidParameterValue")
    tally.expect("out of the subnet", ec2(
        "AssignPrivateIpAddresses", NetworkInterfaceId=b,
        PrivateIpAddress__1="203.0.113.1").code, "InvalidParameterValue")

    def unassign(interface, **more):
        return ec2("UnassignPrivateIpAddresses", NetworkInterfaceId=interface,
                   PrivateIpAddress__1=vip, **more)
    tally.expect("unassign elsewhere", unassign(a).code, "InvalidParameterValue")
    tally.expect("unassign, DryRun", unassign(b, DryRun="true").code, "DryRunOperation")
    done = unassign(b)
    tally.expect("unassign", (done.root.tag, done.text("return"), owner()),
                 ("UnassignPrivateIpAddressesResponse", "true", []))
    seen = ec2("DescribeSubnets", SubnetId__1=world["subnet"])
    tally.expect("subnet", seen.text("cidrBlock"), world["subnet_range"])
    kind = ec2("DescribeInstances", InstanceId__1=world["hosts"]["a"]["instance"])
    tally.expect("instance type", kind.text("instanceType"), "t3.micro")
    limits = ec2("DescribeInstanceTypes", InstanceType__1="t3.micro")
    tally.expect("addresses of an interface", limits.text("ipv4AddressesPerInterface"), "2")
    first = ec2("DescribeNetworkInterfaces", Filter__1__Name="attachment.instance-id",
                Filter__1__Value__1=world["hosts"]["b"]["instance"],
                Filter__2__Name="attachment.device-index", Filter__2__Value__1="0")
    tally.expect("first interface of an instance",
                 first.texts("./networkInterfaceSet/item/networkInterfaceId"), [b])


def elastic_ip(tally, ec2, world):
    a, b = (world["hosts"][name]["interface"] for name in ("a", "b"))
    allocation = world["eip"]["allocation"]

    def seen(name):
        return ec2("DescribeAddresses", AllocationId__1=allocation).text(name)

    def associate(interface, **more):
        return ec2("AssociateAddress", AllocationId=allocation, NetworkInterfaceId=interface,
                   **more).code
    tally.expect("associate", (associate(a, AllowReassociation="true"), seen("networkInterfaceId")),
                 ("", a))
    tally.expect("maps to the primary address", seen("privateIpAddress"), world["hosts"]["a"]["ip"])
    tally.expect("without AllowReassociation", associate(b, AllowReassociation="false"),
                 "Resource.AlreadyAssociated")
    tally.expect("associate, DryRun", (associate(b, AllowReassociation="true", DryRun="true"),
                                       seen("networkInterfaceId")), ("DryRunOperation", a))
    for _ in range(2):
        tally.expect("with AllowReassociation, again too",
                     (associate(b, AllowReassociation="true"), seen("networkInterfaceId")), ("", b))
    tally.expect("a private address of another", associate(
        b, AllowReassociation="true", PrivateIpAddress="10.0.1.250"), "InvalidParameterValue")
    association = seen("associationId")
    tally.expect("disassociate, DryRun", ec2("DisassociateAddress", AssociationId=association,
                                             DryRun="true").code, "DryRunOperation")
    tally.expect("disassociate", (ec2("DisassociateAddress", AssociationId=association).code,
                                  seen("networkInterfaceId")), ("", ""))
    tally.expect("disassociate again", ec2("DisassociateAddress", AssociationId=association).code,
                 "InvalidAssociationID.NotFound")


def routes(tally, ec2, world):
    a, b = (world["hosts"][name]["interface"] for name in ("a", "b"))
    overlay = "192.168.77.10/32"

    def route(action, table, **more):
        return ec2(action, RouteTableId=table, DestinationCidrBlock=overlay, **more).code

    def target(table):
        seen = ec2("DescribeRouteTables", RouteTableId__1=table)
        for item in seen.root.findall(".//routeSet/item"):
            if item.findtext("destinationCidrBlock") == overlay:
                return item.findtext("networkInterfaceId")
        return None
    for table in world["route_tables"]:
        tally.expect("replace where there is none", route("ReplaceRoute", table,
                                                          NetworkInterfaceId=a),
                     "InvalidParameterValue")
        tally.expect("create, DryRun", (route("CreateRoute", table, NetworkInterfaceId=a,
                                              DryRun="true"), target(table)),
                     ("DryRunOperation", None))
        tally.expect("create", (route("CreateRoute", table, NetworkInterfaceId=a), target(table)),
                     ("", a))
        tally.expect("create where there is one", route("CreateRoute", table, NetworkInterfaceId=b),
                     "RouteAlreadyExists")
        tally.expect("replace", (route("ReplaceRoute", table, NetworkInterfaceId=b), target(table)),
                     ("", b))
        tally.expect("replace and delete, DryRun",
                     (route("ReplaceRoute", table, NetworkInterfaceId=a, DryRun="true"),
                      route("DeleteRoute", table, DryRun="true"), target(table)),
                     ("DryRunOperation", "DryRunOperation", b))
        tally.expect("delete", (route("DeleteRoute", table), target(table)), ("", None))
        tally.expect("delete again", route("DeleteRoute", table), "InvalidRoute.NotFound")
    seen = ec2("DescribeVpcs", VpcId__1=world["vpc"])
    tally.expect("the VPC's range", seen.texts(".//cidrBlockAssociationSet/item/cidrBlock"),
                 ["10.0.0.0/16"])
    seen = ec2("DescribeNetworkInterfaces", Filter__1__Name="network-interface-id",
               Filter__1__Value__1=a)
    tally.expect("source/dest check is off", seen.text("sourceDestCheck"), "false")


def permissions(tally, bed, world):
    def client(user, **changed):
        keys = {**world["users"][user], **changed}
        return Client(bed["ec2"], world["region"], keys["key"], keys["secret"]).ec2
    a = world["hosts"]["a"]["interface"]
    tally.expect("wrong secret", client("good", secret="wrong")("DescribeInstances").code,
                 "AuthFailure")
    tally.expect("unknown key", client("good", key="AKIANOBODY")("DescribeInstances").code,
                 "AuthFailure")
    tally.expect("poor may look", client("poor")("DescribeInstances").code, "")
    for more in ({}, {"DryRun": "true"}):
        denied = client("poor")("AssignPrivateIpAddresses", NetworkInterfaceId=a,
                                PrivateIpAddress__1="10.0.1.100", **more)
        tally.expect("poor may not assign", (denied.status, denied.code),
                     (403, "UnauthorizedOperation"))
    role = world["role"]
    with_token = Client(bed["ec2"], world["region"], role["AccessKeyId"], role["SecretAccessKey"],
                        role["Token"])
    tally.expect("the role's keys", with_token.ec2("DescribeInstances").code, "")
    without = Client(bed["ec2"], world["region"], role["AccessKeyId"], role["SecretAccessKey"])
    tally.expect("the role's keys without the token", without.ec2("DescribeInstances").code,
                 "AuthFailure")


def metadata(tally, bed, world):
    base = bed["imds"] + "/latest/"
    roles = base + "meta-data/iam/security-credentials/"
    tally.expect("no version 1", fetch(roles)[0], 401)
    tally.expect("a token needs its time", fetch(base + "api/token", "PUT")[0], 400)
    status, token = fetch(base + "api/token", "PUT",
                          {"X-aws-ec2-metadata-token-ttl-seconds": "21600"})
    tally.expect("a token", (status, len(token) > 0), (200, True))
    with_token = {"X-aws-ec2-metadata-token": token}
    tally.expect("the role", fetch(roles, headers=with_token), (200, "dbrole"))
    keys = json.loads(fetch(roles + "dbrole", headers=with_token)[1])
    tally.expect("its keys", {name: keys[name] for name in world["role"]}, world["role"])
    tally.expect("the region", fetch(base + "meta-data/placement/region", headers=with_token),
                 (200, world["region"]))
    fetch(bed["imds"] + "/bed/imds", "POST", body=b'{"role": "", "token_status": 403}')
    tally.expect("no role", fetch(roles, headers=with_token)[0], 404)
    tally.expect("switched off", fetch(base + "api/token", "PUT",
                                       {"X-aws-ec2-metadata-token-ttl-seconds": "60"})[0], 403)
    fetch(bed["imds"] + "/bed/imds", "POST", body=b'{"role": "dbrole", "token_status": 200}')


def run(bed):
    """How many expectations failed."""
    tally, world = Tally(), bed["world"]
    good = world["users"]["good"]
    ec2 = Client(bed["ec2"], world["region"], good["key"], good["secret"]).ec2
    secondary_ip(tally, ec2, world)
    elastic_ip(tally, ec2, world)
    routes(tally, ec2, world)
    permissions(tally, bed, world)
    metadata(tally, bed, world)
    status, text = fetch(bed["imds"] + "/bed/world", "POST", body=b"{}")
    tally.expect("a new world", (status, set(json.loads(text)["hosts"])),
                 (200, set(world["hosts"])))
    print(f"{tally.failed} failed" if tally.failed else "all as expected")
    return tally.failed
