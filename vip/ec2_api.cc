// From XML to types (element names: EC2 API Reference, "Actions" and "Data types").
#include "vip/ec2_api.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace mha {
namespace {

// A describing call that goes on for longer does not end by itself.
constexpr std::size_t kMostPages = 20;

std::string text(pugi::xml_node node, const char* child) { return node.child_value(child); }

Error incomplete(const std::string& action, const std::string& part) {
  return Error{
      Code::kRefused,
      fmt::format("EC2 {}: the answer has no {}; nothing can be told from it", action, part)};
}

Ec2Parameters parameters_of(const std::vector<Ec2Filter>& filters) {
  Ec2Parameters parameters;
  for (std::size_t i = 0; i < filters.size(); ++i) {
    parameters.emplace_back(fmt::format("Filter.{}.Name", i + 1), filters[i].name);
    for (std::size_t k = 0; k < filters[i].values.size(); ++k) {
      parameters.emplace_back(fmt::format("Filter.{}.Value.{}", i + 1, k + 1),
                              filters[i].values[k]);
    }
  }
  return parameters;
}

Ec2Interface interface_from(pugi::xml_node item) {
  Ec2Interface found{text(item, "networkInterfaceId"),
                     text(item, "subnetId"),
                     text(item, "vpcId"),
                     text(item.child("attachment"), "instanceId"),
                     text(item, "privateIpAddress"),
                     {},
                     text(item, "sourceDestCheck") != "false"};
  for (const pugi::xml_node one : item.child("privateIpAddressesSet").children("item")) {
    found.private_ips.push_back(text(one, "privateIpAddress"));
  }
  if (!found.primary_ip.empty() && !found.has(found.primary_ip)) {
    found.private_ips.push_back(found.primary_ip);
  }
  return found;
}

Ec2Route route_from(pugi::xml_node item) {
  Ec2Route route{text(item, "destinationCidrBlock"), ""};
  if (route.destination.empty()) route.destination = text(item, "destinationIpv6CidrBlock");
  for (const char* kind :
       {"networkInterfaceId", "instanceId", "gatewayId", "natGatewayId", "transitGatewayId",
        "vpcPeeringConnectionId", "egressOnlyInternetGatewayId", "localGatewayId",
        "carrierGatewayId", "coreNetworkArn"}) {
    if (route.target.empty()) route.target = text(item, kind);
  }
  return route;
}

Ec2Change route_change(const std::string& action, const std::string& table_id,
                       const std::string& destination) {
  const bool is_v6 = destination.find(':') != std::string::npos;
  return {action,
          {{"RouteTableId", table_id},
           {is_v6 ? "DestinationIpv6CidrBlock" : "DestinationCidrBlock", destination}}};
}

}  // namespace

bool Ec2Interface::has(const std::string& ip) const {
  return std::find(private_ips.begin(), private_ips.end(), ip) != private_ips.end();
}

std::string Ec2RouteTable::target_of(const std::string& destination) const {
  for (const Ec2Route& route : routes) {
    if (route.destination == destination) return route.target;
  }
  return "";
}

Ec2Change assign_private_ip(const std::string& interface_id, const std::string& ip) {
  return {"AssignPrivateIpAddresses",
          {{"NetworkInterfaceId", interface_id},
           {"PrivateIpAddress.1", ip},
           {"AllowReassignment", "true"}}};
}

Ec2Change unassign_private_ip(const std::string& interface_id, const std::string& ip) {
  return {"UnassignPrivateIpAddresses",
          {{"NetworkInterfaceId", interface_id}, {"PrivateIpAddress.1", ip}}};
}

Ec2Change associate_address(const std::string& allocation_id, const std::string& interface_id,
                            const std::string& private_ip) {
  Ec2Change change{"AssociateAddress",
                   {{"AllocationId", allocation_id},
                    {"NetworkInterfaceId", interface_id},
                    {"AllowReassociation", "true"}}};
  if (!private_ip.empty()) change.parameters.emplace_back("PrivateIpAddress", private_ip);
  return change;
}

Ec2Change disassociate_address(const std::string& association_id) {
  return {"DisassociateAddress", {{"AssociationId", association_id}}};
}

Ec2Change replace_route(const std::string& table_id, const std::string& destination,
                        const std::string& interface_id) {
  Ec2Change change = route_change("ReplaceRoute", table_id, destination);
  change.parameters.emplace_back("NetworkInterfaceId", interface_id);
  return change;
}

Ec2Change create_route(const std::string& table_id, const std::string& destination,
                       const std::string& interface_id) {
  Ec2Change change = route_change("CreateRoute", table_id, destination);
  change.parameters.emplace_back("NetworkInterfaceId", interface_id);
  return change;
}

Ec2Change delete_route(const std::string& table_id, const std::string& destination) {
  return route_change("DeleteRoute", table_id, destination);
}

Ec2Api::Ec2Api(CloudPorts ports, std::string profile, std::string region, std::string ca_file,
               std::string place)
    : identity_(ports, std::move(profile), std::move(region), std::move(place)),
      query_(ports, identity_, std::move(ca_file)) {}

Status Ec2Api::find_credentials(Deadline deadline) {
  if (const auto region = identity_.region(deadline); !region.ok()) return region.error();
  return identity_.credentials(deadline).status();
}

// All pages; each must have the element `set`.
Result<std::vector<Ec2Answer>> Ec2Api::describe(const std::string& action, Ec2Parameters parameters,
                                                const std::string& set, Deadline deadline) {
  std::vector<Ec2Answer> pages;
  std::string next;
  do {
    Ec2Parameters page = parameters;
    if (!next.empty()) page.emplace_back("NextToken", next);
    Result<Ec2Answer> answer = query_.call(action, page, deadline);
    if (!answer.ok()) return answer.error();
    if (!answer.value().refusal.empty()) return answer.value().error;
    if (!answer.value().root().child(set.c_str())) return incomplete(action, set);
    next = text(answer.value().root(), "nextToken");
    pages.push_back(std::move(answer).value());
    if (pages.size() > kMostPages) return incomplete(action, "end");
  } while (!next.empty());
  return pages;
}

Result<std::vector<Ec2Interface>> Ec2Api::interfaces(const std::vector<Ec2Filter>& filters,
                                                     Deadline deadline) {
  const char* action = "DescribeNetworkInterfaces";
  const auto pages = describe(action, parameters_of(filters), "networkInterfaceSet", deadline);
  if (!pages.ok()) return pages.error();
  std::vector<Ec2Interface> found;
  for (const Ec2Answer& page : pages.value()) {
    for (const pugi::xml_node item : page.root().child("networkInterfaceSet").children("item")) {
      found.push_back(interface_from(item));
      if (found.back().id.empty() || found.back().vpc_id.empty()) {
        return incomplete(action, "networkInterfaceId or vpcId");
      }
    }
  }
  return found;
}

Result<Ec2Address> Ec2Api::address(const std::string& allocation_id, Deadline deadline) {
  const char* action = "DescribeAddresses";
  const auto pages =
      describe(action, {{"AllocationId.1", allocation_id}}, "addressesSet", deadline);
  if (!pages.ok()) return pages.error();
  for (const pugi::xml_node item :
       pages.value().front().root().child("addressesSet").children("item")) {
    if (text(item, "allocationId") != allocation_id) continue;
    Ec2Address found{allocation_id, text(item, "publicIp"), text(item, "associationId"),
                     text(item, "networkInterfaceId"), text(item, "privateIpAddress")};
    if (found.public_ip.empty()) return incomplete(action, "publicIp");
    return found;
  }
  return Error{Code::kRefused,
               fmt::format("EC2 {}: there is no Elastic IP {} (aws_allocation_id) in this region",
                           action, allocation_id)};
}

Result<std::vector<Ec2RouteTable>> Ec2Api::route_tables(const std::vector<std::string>& ids,
                                                        Deadline deadline) {
  const char* action = "DescribeRouteTables";
  Ec2Parameters parameters;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    parameters.emplace_back(fmt::format("RouteTableId.{}", i + 1), ids[i]);
  }
  const auto pages = describe(action, std::move(parameters), "routeTableSet", deadline);
  if (!pages.ok()) return pages.error();
  std::vector<Ec2RouteTable> found;
  std::vector<std::string> missing = ids;
  for (const Ec2Answer& page : pages.value()) {
    for (const pugi::xml_node item : page.root().child("routeTableSet").children("item")) {
      Ec2RouteTable table{text(item, "routeTableId"), text(item, "vpcId"), {}};
      if (!item.child("routeSet")) return incomplete(action, "routeSet");
      for (const pugi::xml_node route : item.child("routeSet").children("item")) {
        table.routes.push_back(route_from(route));
      }
      missing.erase(std::remove(missing.begin(), missing.end(), table.id), missing.end());
      found.push_back(std::move(table));
    }
  }
  if (!missing.empty()) return incomplete(action, fmt::format("{}", fmt::join(missing, ", ")));
  return found;
}

Result<std::string> Ec2Api::subnet_range(const std::string& subnet_id, Deadline deadline) {
  const char* action = "DescribeSubnets";
  const auto pages = describe(action, {{"SubnetId.1", subnet_id}}, "subnetSet", deadline);
  if (!pages.ok()) return pages.error();
  std::string range =
      text(pages.value().front().root().child("subnetSet").child("item"), "cidrBlock");
  if (range.empty()) return incomplete(action, "cidrBlock");
  return range;
}

Result<std::vector<std::string>> Ec2Api::subnet_ranges(Deadline deadline) {
  const auto pages = describe("DescribeSubnets", {}, "subnetSet", deadline);
  if (!pages.ok()) return pages.error();
  std::vector<std::string> ranges;
  for (const Ec2Answer& page : pages.value()) {
    for (const pugi::xml_node item : page.root().child("subnetSet").children("item")) {
      ranges.push_back(text(item, "cidrBlock"));
    }
  }
  return ranges;
}

Result<std::vector<std::string>> Ec2Api::vpc_ranges(const std::string& vpc_id, Deadline deadline) {
  const char* action = "DescribeVpcs";
  const auto pages = describe(action, {{"VpcId.1", vpc_id}}, "vpcSet", deadline);
  if (!pages.ok()) return pages.error();
  const pugi::xml_node vpc = pages.value().front().root().child("vpcSet").child("item");
  std::vector<std::string> ranges;
  if (!text(vpc, "cidrBlock").empty()) ranges.push_back(text(vpc, "cidrBlock"));
  for (const pugi::xml_node one : vpc.child("cidrBlockAssociationSet").children("item")) {
    ranges.push_back(text(one, "cidrBlock"));
  }
  for (const pugi::xml_node one : vpc.child("ipv6CidrBlockAssociationSet").children("item")) {
    ranges.push_back(text(one, "ipv6CidrBlock"));
  }
  if (ranges.empty()) return incomplete(action, "cidrBlock");
  return ranges;
}

Result<std::string> Ec2Api::instance_type(const std::string& instance_id, Deadline deadline) {
  const char* action = "DescribeInstances";
  const auto pages = describe(action, {{"InstanceId.1", instance_id}}, "reservationSet", deadline);
  if (!pages.ok()) return pages.error();
  const pugi::xml_node reservation =
      pages.value().front().root().child("reservationSet").child("item");
  std::string type = text(reservation.child("instancesSet").child("item"), "instanceType");
  if (type.empty()) return incomplete(action, "instanceType");
  return type;
}

Result<unsigned> Ec2Api::addresses_per_interface(const std::string& instance_type,
                                                 Deadline deadline) {
  const char* action = "DescribeInstanceTypes";
  const auto pages =
      describe(action, {{"InstanceType.1", instance_type}}, "instanceTypeSet", deadline);
  if (!pages.ok()) return pages.error();
  const std::string number =
      text(pages.value().front().root().child("instanceTypeSet").child("item").child("networkInfo"),
           "ipv4AddressesPerInterface");
  unsigned most = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), most);
  if (error != std::errc{} || most == 0) return incomplete(action, "ipv4AddressesPerInterface");
  return most;
}

Result<Ec2Outcome> Ec2Api::change(const Ec2Change& change, Deadline deadline) {
  Result<Ec2Answer> answer = query_.call(change.action, change.parameters, deadline);
  if (!answer.ok()) return answer.error();
  if (!answer.value().refusal.empty()) {
    return Ec2Outcome{answer.value().refusal, answer.value().error};
  }
  if (text(answer.value().root(), "return") != "true") return incomplete(change.action, "<return>");
  return Ec2Outcome{};
}

Status Ec2Api::dry_run(const Ec2Change& change, Deadline deadline) {
  Ec2Parameters parameters = change.parameters;
  parameters.emplace_back("DryRun", "true");
  Result<Ec2Answer> answer = query_.call(change.action, parameters, deadline);
  if (!answer.ok()) return answer.error();
  if (answer.value().refusal == "DryRunOperation") return {};
  if (!answer.value().refusal.empty()) return answer.value().error;
  return Error{Code::kInternal,
               fmt::format("EC2 {}: DryRun was answered as if it had been done", change.action)};
}

}  // namespace mha
