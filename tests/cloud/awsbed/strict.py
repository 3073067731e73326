"""What moto's EC2 leaves out of the EC2 API Reference and moving an address depends on.

Imported once, before the server starts. Each change says which; README.rst has the places in the
reference. Error texts are ours, only the codes are EC2's.
"""
import fnmatch
import ipaddress
import os

import moto.ec2.models  # noqa: F401  (its parts import each other)
import moto.ec2.utils
from moto.ec2.exceptions import EC2ClientError, RouteAlreadyExistsError
from moto.ec2.models.elastic_ip_addresses import ElasticAddressBackend
from moto.ec2.models.elastic_network_interfaces import NetworkInterface, NetworkInterfaceBackend
from moto.ec2.models.route_tables import RouteBackend
from moto.ec2.responses import elastic_network_interfaces
from moto.ec2.responses.elastic_ip_addresses import ElasticIPAddresses
from moto.ec2.responses.elastic_network_interfaces import (
    ASSIGN_PRIVATE_IP_ADDRESSES, ElasticNetworkInterfaces)
from moto.ec2.responses.route_tables import RouteTables
from moto.iam.access_control import IAMRequest

MOST_ADDRESSES = int(os.environ.get("BED_ADDRESSES_PER_INTERFACE", "10"))


def addresses_of(eni):
    return [one["PrivateIpAddress"] for one in eni.private_ip_addresses]


def invalid(text):
    return EC2ClientError("InvalidParameterValue", text)


# AssignPrivateIpAddresses: AllowReassignment, the subnet's range, the limit, DryRun.

def holders_beside(backend, eni, address):
    return [other for other in backend.enis.values()
            if other is not eni and other.subnet.id == eni.subnet.id
            and address in addresses_of(other)]


def assign_private_ip_addresses(self):
    wanted = self._get_multi_param("PrivateIpAddress") or []
    may_reassign = str(self._get_param("AllowReassignment")).lower() == "true"
    count = self._get_int_param("SecondaryPrivateIpAddressCount", 0)
    backend = self.ec2_backend
    eni = backend.get_network_interface(self._get_param("NetworkInterfaceId"))
    subnet = ipaddress.ip_network(eni.subnet.cidr_block)
    for address in wanted:
        if ipaddress.ip_address(address) not in subnet:
            raise invalid(f"Address {address} does not fall within the subnet's address range")
        for other in holders_beside(backend, eni, address):
            if address == other.private_ip_address:
                raise invalid(f"{address} is the primary address of {other.id}")
            if not may_reassign:
                raise invalid(f"{address} is already assigned to {other.id}")
    if len(set(addresses_of(eni)) | set(wanted)) > MOST_ADDRESSES:
        raise EC2ClientError("PrivateIpAddressLimitExceeded",
                             f"Number of private addresses will exceed limit on {eni.id}")
    self.error_on_dryrun()
    for address in wanted:
        for other in holders_beside(backend, eni, address):
            other.private_ip_addresses = [one for one in other.private_ip_addresses
                                          if one["PrivateIpAddress"] != address]
    wanted = [address for address in wanted if address not in addresses_of(eni)]
    if wanted or count:
        eni = backend.assign_private_ip_addresses(eni.id, wanted, count)
    return self.response_template(ASSIGN_PRIVATE_IP_ADDRESSES).render(eni=eni)


# UnassignPrivateIpAddresses: only a secondary address that the interface has.

stock_unassign = NetworkInterfaceBackend.unassign_private_ip_addresses


def unassign_private_ip_addresses(self, eni_id, private_ip_address=None):
    eni = self.get_network_interface(eni_id)
    bad = [address for address in private_ip_address or []
           if address not in addresses_of(eni) or address == eni.private_ip_address]
    if bad:
        raise invalid(f"Some of {bad} are not secondary addresses of interface {eni_id}")
    return stock_unassign(self, eni_id, private_ip_address)


# DescribeNetworkInterfaces: filters see secondary addresses, and the device's index.

stock_filter_value = NetworkInterface.get_filter_value


def get_filter_value(self, filter_name, method_name=None):
    if filter_name in ("addresses.private-ip-address", "private-ip-address"):
        return addresses_of(self)
    if filter_name == "attachment.device-index":
        return str(self.device_index)
    return stock_filter_value(self, filter_name, method_name)


# A filter with several values fits what has any of them, not only what has nothing else.

stock_is_filter_matching = moto.ec2.utils.is_filter_matching


def is_filter_matching(obj, name, wanted):
    values = obj.get_filter_value(name)
    if isinstance(values, list) and isinstance(wanted, list):
        return any(fnmatch.fnmatch(value, pattern) for value in values for pattern in wanted)
    return stock_is_filter_matching(obj, name, wanted)


# AssociateAddress: PrivateIpAddress is one of the interface's; the old interface loses it.

stock_associate = ElasticAddressBackend.associate_address
stock_associate_response = ElasticIPAddresses.associate_address


def associate_address(self, instance=None, eni=None, address=None, allocation_id=None,
                      reassociate=False):
    eip = (self.address_by_ip([address]) if address
           else self.address_by_allocation([allocation_id]))[0]
    old = eip.eni
    # Again what it is already is no error in EC2.
    same = old is not None and old is eni
    done = stock_associate(self, instance, eni, address, allocation_id, reassociate or same)
    if old is not None and old is not done.eni:
        old.public_ip = None
    return done


def associate_address_response(self):
    private, eni_id = self._get_param("PrivateIpAddress"), self._get_param("NetworkInterfaceId")
    if private and eni_id:
        if private not in addresses_of(self.ec2_backend.get_network_interface(eni_id)):
            raise invalid(f"{private} is not an address of {eni_id}")
    return stock_associate_response(self)



# CreateRoute: RouteAlreadyExists.

stock_create_route = RouteBackend.create_route


def create_route(self, route_table_id, destination_cidr_block, *rest, **named):
    wanted = destination_cidr_block or named.get("destination_ipv6_cidr_block") or (
        rest[0] if rest else None)
    if wanted and not named.get("local"):
        for route in self.get_route_table(route_table_id).routes.values():
            there = route.destination_cidr_block or route.destination_ipv6_cidr_block
            if there == wanted and not route.local:
                raise RouteAlreadyExistsError(wanted)
    return stock_create_route(self, route_table_id, destination_cidr_block, *rest, **named)


# A missing permission has a code of EC2's own.

class UnauthorizedOperation(EC2ClientError):
    code = 403


stock_access_denied = IAMRequest._raise_access_denied


def raise_access_denied(self):
    if self._service == "ec2":
        raise UnauthorizedOperation("UnauthorizedOperation",
                                    f"You are not authorized to perform this operation. User: "
                                    f"{self._access_key.arn} is not authorized to perform: "
                                    f"{self._action}")
    stock_access_denied(self)


# DryRun of what stock moto would do at once.

def with_dry_run(response):
    def respond(self):
        self.error_on_dryrun()
        return response(self)
    return respond


# moto's has another name ("UnAssign...") and no <return>: no client that reads it would believe it.
UNASSIGNED = """<UnassignPrivateIpAddressesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
  <requestId>59dbff89-35bd-4eac-99ed-be587EXAMPLE</requestId>
  <return>true</return>
</UnassignPrivateIpAddressesResponse>"""


def apply():
    elastic_network_interfaces.UNASSIGN_PRIVATE_IP_ADDRESSES = UNASSIGNED
    ElasticNetworkInterfaces.assign_private_ip_addresses = assign_private_ip_addresses
    NetworkInterfaceBackend.unassign_private_ip_addresses = unassign_private_ip_addresses
    NetworkInterface.get_filter_value = get_filter_value
    moto.ec2.utils.is_filter_matching = is_filter_matching
    ElasticAddressBackend.associate_address = associate_address
    ElasticIPAddresses.associate_address = associate_address_response
    RouteBackend.create_route = create_route
    IAMRequest._raise_access_denied = raise_access_denied
    ElasticNetworkInterfaces.unassign_private_ip_addresses = with_dry_run(
        ElasticNetworkInterfaces.unassign_private_ip_addresses)
    for name in ("create_route", "replace_route", "delete_route"):
        setattr(RouteTables, name, with_dry_run(getattr(RouteTables, name)))
