"""The world of the tests: two masters, a third server, addresses, and who may do what."""
import json

from .client import Cloud, call, password_auth

ADMIN_PASSWORD = "admin-password"


def register_neutron(servers):
    admin = Cloud.__new__(Cloud)
    admin.keystone = servers.keystone
    _, headers, _ = call("POST", servers.keystone + "/auth/tokens",
                         {"auth": password_auth("admin", ADMIN_PASSWORD, "admin")}, {}, (201,))
    admin.token = headers["X-Subject-Token"]
    make_user(admin, make_project(admin, "service"), "neutron", "neutron-password", "admin")
    service = admin.identity("POST", "/services", {"service": {"type": "network", "name": "neutron"}})
    for kind in ("public", "internal", "admin"):
        admin.identity("POST", "/endpoints", {"endpoint": {
            "service_id": service["service"]["id"], "interface": kind, "region_id": "RegionOne",
            "url": servers.neutron}})


def make_project(admin, name):
    return admin.identity("POST", "/projects", {"project": {"name": name, "domain_id": "default"}})[
        "project"]["id"]


def make_user(admin, project, name, password, role):
    user = admin.identity("POST", "/users", {"user": {
        "name": name, "domain_id": "default", "password": password}})["user"]["id"]
    roles = admin.identity("GET", f"/roles?name={role}")["roles"]
    admin.identity("PUT", f"/projects/{project}/users/{user}/roles/{roles[0]['id']}")


def rules(*calls):
    return [{"service": "network", "method": method, "path": "/v2.0" + path}
            for method, path in (each.split() for each in calls)]


# The least that each mode needs: these are in docs/vip-openstack.rst, and --selftest proves them.
ACCESS_RULES = {
    "address_pair": rules("GET /ports", "GET /ports/*", "PUT /ports/*"),
    "fixed_ip": rules("GET /ports", "GET /ports/*", "PUT /ports/*", "GET /subnets/*"),
    "floating_ip": rules("GET /ports", "GET /ports/*", "GET /floatingips", "GET /floatingips/*",
                         "PUT /floatingips/*"),
}
PAIR_VIP, FIXED_VIP = "10.0.1.100", "10.0.1.101"


def make_world(servers):
    admin = Cloud(servers.keystone, password_auth("admin", ADMIN_PASSWORD, "admin"))
    project = make_project(admin, "db")
    make_user(admin, project, "dba", "dba-password", "member")
    make_user(admin, project, "poor", "poor-password", "reader")
    dba = Cloud(servers.keystone, password_auth("dba", "dba-password", "db"))

    def create(cloud, kind, **fields):
        return cloud.neutron("POST", f"/{kind}s", {kind: fields})[kind]

    external = create(admin, "network", name="external", **{
        "router:external": True, "provider:network_type": "flat", "provider:physical_network": "outside"})
    create(admin, "subnet", network_id=external["id"], ip_version=4, cidr="203.0.113.0/24",
           enable_dhcp=False)
    network = create(dba, "network", name="db")
    subnet = create(dba, "subnet", network_id=network["id"], ip_version=4, cidr="10.0.1.0/24")
    router = create(dba, "router", name="out", external_gateway_info={"network_id": external["id"]})
    dba.neutron("PUT", f"/routers/{router['id']}/add_router_interface", {"subnet_id": subnet["id"]})

    def port(name, address, **fields):
        return create(dba, "port", name=name, network_id=network["id"],
                      fixed_ips=[{"subnet_id": subnet["id"], "ip_address": address}], **fields)

    ports = {}
    for name, address in (("a", "10.0.1.11"), ("b", "10.0.1.12"), ("third", "10.0.1.13")):
        pairs = [] if name == "third" else [{"ip_address": PAIR_VIP}]
        made = port(name, address, device_id=f"server-{name}", device_owner="compute:nova",
                    allowed_address_pairs=pairs)
        ports[name] = {"id": made["id"], "address": address, "mac": made["mac_address"]}
    reserved = port("vip", PAIR_VIP)  # bound to no server: keeps the address from being given away
    floating = create(dba, "floatingip", floating_network_id=external["id"])
    # A provider network that an administrator shares with the project.
    shared = create(admin, "network", name="shared", shared=True, **{
        "provider:network_type": "flat", "provider:physical_network": "shared"})
    create(admin, "subnet", network_id=shared["id"], ip_version=4, cidr="192.0.2.0/24")
    on_shared = create(admin, "port", name="on-shared", network_id=shared["id"], project_id=project,
                       device_id="server-a", device_owner="compute:nova",
                       fixed_ips=[{"ip_address": "192.0.2.11"}], security_groups=[])

    everything = {json.dumps(rule): rule for mode in ACCESS_RULES.values() for rule in mode}
    # member implies reader, but not within an application credential: under the new defaults of the
    # policy one with member alone sees an empty list of ports.
    roles_of = dict.fromkeys((*ACCESS_RULES, "good"), [{"name": "member"}, {"name": "reader"}])
    roles_of["blind"] = [{"name": "member"}]
    credentials = {}
    for name, allowed in {"good": list(everything.values()), "blind": list(everything.values()),
                          **ACCESS_RULES}.items():
        made = dba.identity("POST", f"/users/{dba.user_id}/application_credentials", {
            "application_credential": {"name": name, "roles": roles_of[name],
                                       "access_rules": allowed}})["application_credential"]
        credentials[name] = {"id": made["id"], "secret": made["secret"]}
    return {
        "region": "RegionOne", "project": "db", "network": network["id"], "subnet": subnet["id"],
        "external_network": external["id"], "router": router["id"], "ports": ports,
        "pair_vip": PAIR_VIP, "reserved_port": reserved["id"], "fixed_vip": FIXED_VIP,
        "floating_ip": {"id": floating["id"], "address": floating["floating_ip_address"]},
        "shared_network": shared["id"],
        "shared_port": {"id": on_shared["id"], "address": "192.0.2.11"},
        "credentials": credentials,
        "users": {"admin": {"password": ADMIN_PASSWORD, "project": "admin"},
                  "dba": {"password": "dba-password", "project": "db"},
                  "poor": {"password": "poor-password", "project": "db"}}}


def make_place(servers, world, options):
    """The world with servers in a network of their own, as a lab has them. The last host's port does
    not let the address through, where there are more than two."""
    dba = Cloud(servers.keystone, password_auth("dba", "dba-password", "db"))
    network = dba.neutron("POST", "/networks", {"network": {"name": "place"}})["network"]["id"]
    subnet = dba.neutron("POST", "/subnets", {"subnet": {
        "network_id": network, "ip_version": 6 if ":" in options.subnet else 4,
        "cidr": options.subnet}})["subnet"]["id"]
    dba.neutron("PUT", f"/routers/{world['router']}/add_router_interface", {"subnet_id": subnet})
    ports = {}
    for number, host in enumerate(options.host):
        name, _, address = host.partition("=")
        address, _, mac = address.partition("@")
        pairs = [{"ip_address": options.vip}] if number < 2 else []
        fields = {"name": name, "network_id": network, "device_id": f"server-{name}",
                  "device_owner": "compute:nova", "allowed_address_pairs": pairs,
                  "fixed_ips": [{"subnet_id": subnet, "ip_address": address}]}
        if mac:
            fields["mac_address"] = mac
        made = dba.neutron("POST", "/ports", {"port": fields})["port"]
        ports[name] = {"id": made["id"], "address": address, "mac": made["mac_address"]}
    return {**world, "network": network, "subnet": subnet, "ports": ports, "pair_vip": options.vip,
            "fixed_vip": options.vip, "reserved_port": None}


def clouds_yaml(world, keystone):
    """JSON is YAML."""
    clouds = {}
    for name, credential in world["credentials"].items():
        clouds[name] = {"auth_type": "v3applicationcredential", "region_name": world["region"], "auth": {
            "auth_url": keystone, "application_credential_id": credential["id"],
            "application_credential_secret": credential["secret"]}}
    for name, user in world["users"].items():
        clouds[name] = {"region_name": world["region"], "auth": {
            "auth_url": keystone, "username": name, "password": user["password"],
            "project_name": user["project"], "user_domain_id": "default",
            "project_domain_id": "default"}}
    return json.dumps({"clouds": clouds}, indent=1)
