"""What the tests rely on, proved."""
from .client import Cloud, call, credential_auth, password_auth
from .commands import BedError
from .world import FIXED_VIP, PAIR_VIP


class Proof:
    def __init__(self):
        self.done = 0

    def that(self, what, seen, expected):
        if seen != expected:
            raise BedError(f"{what}: {seen!r}, not {expected!r}")
        self.done += 1


def refusal(answer):
    """Status and type of a refusing answer."""
    status, body = answer
    error = (body or {}).get("NeutronError", {})
    return status, error.get("type", "") if isinstance(error, dict) else ""


def selftest(servers, world):
    proof = Proof()
    impossible = 2147483647
    a, b = world["ports"]["a"]["id"], world["ports"]["b"]["id"]
    clouds = {name: Cloud(servers.keystone, credential_auth(credential))
              for name, credential in world["credentials"].items()}
    dba = Cloud(servers.keystone, password_auth("dba", "dba-password", "db"))
    poor = Cloud(servers.keystone, password_auth("poor", "poor-password", "db"))
    for cloud in (*clouds.values(), dba, poor):
        proof.that("the endpoint of the catalog", cloud.network, servers.neutron + "/v2.0")

    def port(cloud, ident):
        return cloud.neutron("GET", f"/ports/{ident}")["port"]

    def put(cloud, ident, revision, **fields):
        return cloud.neutron("PUT", f"/ports/{ident}", {"port": fields}, expect="any", revision=revision)

    # Pairs: with the revision that was read, and with another one.
    mine = clouds["address_pair"]
    found = mine.neutron("GET", "/ports?fixed_ips=ip_address%3D10.0.1.11")["ports"]
    proof.that("the port of an address", [each["id"] for each in found], [a])
    before = port(mine, a)
    pairs = before["allowed_address_pairs"]
    proof.that("a pair has the port's link address", pairs,
               [{"ip_address": PAIR_VIP, "mac_address": before["mac_address"]}])
    stale = put(mine, a, before["revision_number"] - 1, allowed_address_pairs=[])
    proof.that("a stale revision", refusal(stale), (412, "RevisionNumberConstraintFailed"))
    status, _ = put(mine, a, before["revision_number"], allowed_address_pairs=[])
    proof.that("the right revision", (status, port(mine, a)["allowed_address_pairs"]), (200, []))
    again = put(mine, a, before["revision_number"], allowed_address_pairs=pairs)
    proof.that("the old revision", refusal(again), (412, "RevisionNumberConstraintFailed"))
    status, _ = put(mine, a, port(mine, a)["revision_number"], allowed_address_pairs=pairs)
    proof.that("the pair is back", (status, port(mine, a)["allowed_address_pairs"]), (200, pairs))

    # Asking for what is there under a revision that cannot be: permitted or not, nothing changes.
    mine = clouds["fixed_ip"]
    for field in ("allowed_address_pairs", "fixed_ips"):
        before = port(mine, a)
        status, _ = put(mine, a, impossible, **{field: before[field]})
        proof.that(f"asking whether {field} may be changed", status in (200, 412), True)
        after = port(mine, a)
        for name in ("revision_number", "updated_at"):
            del before[name], after[name]
        proof.that("that changed nothing", after, before)

    # Fixed addresses: the old port must lose it first.
    fixed = {ident: port(mine, ident)["fixed_ips"] for ident in (a, b)}

    def put_fixed(ident, *more):
        return put(mine, ident, port(mine, ident)["revision_number"],
                   fixed_ips=fixed[ident] + [{"ip_address": each} for each in more])

    proof.that("an address more", put_fixed(a, FIXED_VIP)[0], 200)
    proof.that("an address that is taken", refusal(put_fixed(b, FIXED_VIP)),
               (409, "IpAddressAlreadyAllocated"))
    proof.that("who has it", [each["id"] for each in mine.neutron(
        "GET", f"/ports?fixed_ips=ip_address%3D{FIXED_VIP}&network_id={world['network']}")["ports"]], [a])
    proof.that("without it", put_fixed(a)[0], 200)
    proof.that("now it is free", put_fixed(b, FIXED_VIP)[0], 200)
    proof.that("and free again", put_fixed(b)[0], 200)
    proof.that("an address of no subnet", refusal(put_fixed(a, "10.9.9.9")), (400, "InvalidIpForNetwork"))
    proof.that("a subnet", mine.neutron("GET", f"/subnets/{world['subnet']}")["subnet"]["cidr"],
               "10.0.1.0/24")

    # Floating IPs.
    mine = clouds["floating_ip"]
    path = f"/floatingips/{world['floating_ip']['id']}"
    address = world["floating_ip"]["address"]
    proof.that("a floating IP by its address", [each["id"] for each in mine.neutron(
        "GET", f"/floatingips?floating_ip_address={address}")["floatingips"]], [world["floating_ip"]["id"]])

    def put_floating(revision, ident, fixed_address):
        body = {"port_id": ident}
        if ident is not None:
            body["fixed_ip_address"] = fixed_address
        return mine.neutron("PUT", path, {"floatingip": body}, expect="any", revision=revision)

    for ident, to in ((a, "10.0.1.11"), (b, "10.0.1.12")):
        revision = mine.neutron("GET", path)["floatingip"]["revision_number"]
        proof.that("an impossible revision", refusal(put_floating(impossible, ident, to))[0], 412)
        proof.that("in one call to a port", put_floating(revision, ident, to)[0], 200)
        seen = mine.neutron("GET", path)["floatingip"]
        proof.that("it leads there", (seen["port_id"], seen["fixed_ip_address"]), (ident, to))
        proof.that("the old revision", refusal(put_floating(revision, a, "10.0.1.11"))[0], 412)
    revision = mine.neutron("GET", path)["floatingip"]["revision_number"]
    proof.that("an address not of that port", put_floating(revision, a, "10.0.1.12")[0], 400)
    proof.that("away from every port", put_floating(revision, None, None)[0], 200)
    proof.that("it leads nowhere", mine.neutron("GET", path)["floatingip"]["port_id"], None)

    # Who may not.
    proof.that("an application credential without the role reader", clouds["blind"].neutron(
        "GET", "/ports")["ports"], [])
    policy = (403, "PolicyNotAuthorized")
    proof.that("a reader reads", port(poor, a)["id"], a)
    proof.that("a reader changes no pairs", refusal(put(
        poor, a, impossible, allowed_address_pairs=port(poor, a)["allowed_address_pairs"])), policy)
    proof.that("a reader changes no floating IP", refusal(poor.neutron(
        "PUT", path, {"floatingip": {"port_id": None}}, expect="any", revision=impossible)), policy)
    shared = world["shared_port"]["id"]
    for field in ("allowed_address_pairs", "fixed_ips"):
        proof.that(f"a member, {field} on a shared network", refusal(put(
            dba, shared, impossible, **{field: port(dba, shared)[field]})), policy)
    proof.that("what the access rules lack", clouds["address_pair"].neutron(
        "GET", path, expect="any")[0], 401)
    proof.that("what is not there", refusal(dba.neutron(
        "GET", "/ports/00000000-0000-4000-8000-000000000000", expect="any")), (404, "PortNotFound"))
    proof.that("a wrong password", call("POST", servers.keystone + "/auth/tokens", {
        "auth": password_auth("dba", "wrong", "db")}, {}, "any")[0], 401)
    call("DELETE", servers.keystone + "/auth/tokens", None,
         {"X-Auth-Token": dba.token, "X-Subject-Token": dba.token}, (204,))
    proof.that("a revoked token", dba.neutron("GET", f"/ports/{a}", expect="any")[0], 401)
    print(f"{proof.done} facts about Keystone and Neutron, all as the tests rely on them")
