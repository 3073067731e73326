// A region of EC2 and an instance metadata service behind the http_client port.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fakes/fault_plan.h"
#include "ports/clock.h"
#include "ports/http_client.h"

namespace mha {

// Holds interfaces, Elastic IPs and route tables, and does to them what the EC2 API Reference says.
// Records "ec2 ACTION" ("ec2 ACTION TABLE" for changes of routes, which run at once; " DryRun" at
// the end where it is one) and "imds METHOD PATH" in the fault plan, which makes chosen ones fail;
// other strange answers are queued by hand. Thread-safe.
class FakeEc2 : public HttpClient {
 public:
  struct Interface {
    std::string id;
    std::string instance_id;
    std::string subnet_id;
    std::string vpc_id;
    std::vector<std::string> ips;  // the primary one first
    bool source_dest_check = false;
  };
  struct Eip {
    std::string public_ip;
    std::string association_id;
    std::string interface_id;
    std::string private_ip;
  };
  struct Table {
    std::string vpc_id;
    std::map<std::string, std::string> routes;  // destination to target
  };
  struct World {
    std::map<std::string, Interface> interfaces;
    std::map<std::string, Eip> eips;
    std::map<std::string, Table> tables;
    std::string subnet_range = "10.0.1.0/24";
    std::vector<std::string> vpc_ranges{"10.0.0.0/16"};
    unsigned addresses_per_interface = 10;
  };
  struct Metadata {
    std::string role = "dbrole";  // empty: none
    std::string region = "eu-west-1";
    std::string credentials =  // of the role
        R"({"Code":"Success","AccessKeyId":"ASIA1","SecretAccessKey":"s1","Token":"t1",)"
        R"("Expiration":"2024-01-01T06:00:00Z"})";
    int token_status = 200;
    bool is_there = true;
  };

  FakeEc2(FaultPlan& faults, Clock& clock) : faults_(faults), clock_(clock) {}

  Result<HttpResponse> send(const HttpRequest& request, Deadline deadline) override {
    const bool is_imds = request.url.find("/latest/") != std::string::npos;
    const std::map<std::string, std::string> form = parsed(request.body.reveal());
    const std::string action = is_imds ? "" : value(form, "Action");
    const std::string call = is_imds
                                 ? fmt::format("imds {} {}", to_string(request.method),
                                               request.url.substr(request.url.find("/latest/")))
                                 : fmt::format("ec2 {}{}{}", action, table_in(action, form),
                                               value(form, "DryRun") == "true" ? " DryRun" : "");
    std::function<void(const std::string&)> on_call;
    {
      const std::lock_guard lock{mutex_};
      requests_.push_back(request);
      on_call = on_call_;
    }
    if (on_call) on_call(call);
    return faults_.around(call, [&]() -> Result<HttpResponse> {
      const std::lock_guard lock{mutex_};
      if (clock_.passed(deadline) || silent_.contains(action)) {
        clock_.sleep_until(deadline.at());
        return Error{Code::kTimeout, fmt::format("{}: no answer in time", request.url)};
      }
      if (is_imds) return metadata_answer(request);
      if (auto& queue = queued_[action]; !queue.empty()) {
        HttpResponse first = queue.front();
        queue.erase(queue.begin());
        return first;
      }
      return answer(action, form, request);
    });
  }

  // What tests look at and change.
  void with_world(const std::function<void(World&)>& change) {
    const std::lock_guard lock{mutex_};
    change(world_);
  }
  [[nodiscard]] World world() const {
    const std::lock_guard lock{mutex_};
    return world_;
  }
  void with_metadata(const std::function<void(Metadata&)>& change) {
    const std::lock_guard lock{mutex_};
    change(metadata_);
  }
  // Ids of the interfaces that have a private address.
  [[nodiscard]] std::vector<std::string> holders_of(const std::string& ip) const {
    const std::lock_guard lock{mutex_};
    std::vector<std::string> ids;
    for (const auto& [id, one] : world_.interfaces) {
      if (std::find(one.ips.begin(), one.ips.end(), ip) != one.ips.end()) ids.push_back(id);
    }
    return ids;
  }
  // No permission for these.
  void deny(std::set<std::string> actions) {
    const std::lock_guard lock{mutex_};
    denied_ = std::move(actions);
  }
  // Never answered.
  void set_silent(std::set<std::string> actions) {
    const std::lock_guard lock{mutex_};
    silent_ = std::move(actions);
  }
  // Only these keys are good; each other one is refused with `code`.
  void accept_keys(std::set<std::string> key_ids, std::string code) {
    const std::lock_guard lock{mutex_};
    good_keys_ = std::move(key_ids);
    bad_key_code_ = std::move(code);
  }
  // The next answers to an action, before the world's own.
  void answer_next(const std::string& action, std::vector<HttpResponse> responses) {
    const std::lock_guard lock{mutex_};
    queued_[action] = std::move(responses);
  }
  // So many describing calls show the world as it was before a change.
  void set_lag(int calls) {
    const std::lock_guard lock{mutex_};
    lag_ = calls;
  }
  void set_on_call(std::function<void(const std::string&)> on_call) {
    const std::lock_guard lock{mutex_};
    on_call_ = std::move(on_call);
  }
  [[nodiscard]] std::vector<HttpRequest> requests() const {
    const std::lock_guard lock{mutex_};
    return requests_;
  }
  // Those of EC2 in order, without "ec2 ".
  [[nodiscard]] std::vector<std::string> actions() const {
    std::vector<std::string> found;
    for (const std::string& call : faults_.calls()) {
      if (call.starts_with("ec2 ")) found.push_back(call.substr(4));
    }
    return found;
  }

  static HttpResponse refusal(int status, const std::string& code, const std::string& message) {
    return {status,
            {},
            fmt::format("<?xml version=\"1.0\"?><Response><Errors><Error><Code>{}</Code><Message>"
                        "{}</Message></Error></Errors><RequestID>r</RequestID></Response>",
                        code, message)};
  }

 private:
  using Form = std::map<std::string, std::string>;

  static std::string decoded(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '%' && i + 2 < text.size()) {
        out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
        i += 2;
      } else {
        out += text[i];
      }
    }
    return out;
  }
  static Form parsed(const std::string& body) {
    Form form;
    for (std::size_t at = 0; at < body.size();) {
      const std::size_t end = std::min(body.find('&', at), body.size());
      const std::string pair = body.substr(at, end - at);
      const std::size_t equals = std::min(pair.find('='), pair.size());
      form[decoded(pair.substr(0, equals))] =
          equals < pair.size() ? decoded(pair.substr(equals + 1)) : "";
      at = end + 1;
    }
    return form;
  }
  static std::string value(const Form& form, const std::string& name) {
    const auto found = form.find(name);
    return found == form.end() ? "" : found->second;
  }
  static std::vector<std::string> values(const Form& form, const std::string& prefix) {
    std::vector<std::string> all;
    for (int i = 1; form.contains(fmt::format("{}.{}", prefix, i)); ++i) {
      all.push_back(value(form, fmt::format("{}.{}", prefix, i)));
    }
    return all;
  }
  static bool has(const std::vector<std::string>& all, const std::string& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  }

  static std::string table_in(const std::string& action, const Form& form) {
    return action.ends_with("Route") ? " " + value(form, "RouteTableId") : "";
  }

  static HttpResponse done(const std::string& action, const std::string& inside) {
    return {200,
            {},
            fmt::format("<?xml version=\"1.0\"?><{0}Response "
                        "xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r"
                        "</requestId>{1}</{0}Response>",
                        action, inside)};
  }
  static HttpResponse changed(const std::string& action) {
    return done(action, "<return>true</return>");
  }

  HttpResponse answer(const std::string& action, const Form& form, const HttpRequest& request) {
    const std::string key = request.signature ? request.signature->access_key_id : "";
    if (!good_keys_.empty() && !good_keys_.contains(key)) {
      return refusal(bad_key_code_ == "AuthFailure" ? 401 : 400, bad_key_code_,
                     "The credentials are not good\nThe Canonical String was SECRET-IN-ANSWER");
    }
    if (denied_.contains(action)) {
      return refusal(403, "UnauthorizedOperation",
                     "You are not authorized to perform this operation.");
    }
    if (action.starts_with("Describe")) {
      if (stale_.has_value() && lag_ > 0) {
        --lag_;
        std::swap(world_, *stale_);
        HttpResponse old = describe(action, form);
        std::swap(world_, *stale_);
        return old;
      }
      return describe(action, form);
    }
    if (value(form, "DryRun") == "true") {
      World copy = world_;
      HttpResponse would = change(action, form);
      world_ = std::move(copy);
      if (would.status != 200) return would;
      return refusal(412, "DryRunOperation", "Request would have succeeded, but DryRun is set.");
    }
    World before = world_;
    HttpResponse made = change(action, form);
    if (lag_ > 0) stale_ = std::move(before);
    return made;
  }

  HttpResponse describe(const std::string& action, const Form& form) {
    if (action == "DescribeNetworkInterfaces") return describe_interfaces(action, form);
    if (action == "DescribeAddresses") return describe_addresses(action, form);
    if (action == "DescribeRouteTables") return describe_tables(action, form);
    if (action == "DescribeSubnets") {
      const std::string item =
          fmt::format("<item><cidrBlock>{}</cidrBlock></item>", world_.subnet_range);
      return done(action, fmt::format("<subnetSet>{}</subnetSet>",
                                      world_.subnet_range.empty() ? "" : item));
    }
    if (action == "DescribeVpcs") {
      std::string ranges;
      for (const std::string& range : world_.vpc_ranges) {
        ranges += fmt::format("<item><cidrBlock>{}</cidrBlock></item>", range);
      }
      return done(action,
                  fmt::format("<vpcSet><item><cidrBlock>{}</cidrBlock><cidrBlockAssociationSet>{}"
                              "</cidrBlockAssociationSet></item></vpcSet>",
                              world_.vpc_ranges.front(), ranges));
    }
    if (action == "DescribeInstances") {
      return done(action,
                  "<reservationSet><item><instancesSet><item><instanceType>t3.micro</instanceType>"
                  "</item></instancesSet></item></reservationSet>");
    }
    if (action == "DescribeInstanceTypes") {
      return done(action,
                  fmt::format("<instanceTypeSet><item><networkInfo><ipv4AddressesPerInterface>{}"
                              "</ipv4AddressesPerInterface></networkInfo></item></instanceTypeSet>",
                              world_.addresses_per_interface));
    }
    return refusal(400, "InvalidAction", action);
  }

  HttpResponse describe_interfaces(const std::string& action, const Form& form) {
    std::string items;
    for (const auto& [id, one] : world_.interfaces) {
      bool fits = true;
      for (int i = 1; form.contains(fmt::format("Filter.{}.Name", i)); ++i) {
        const std::string name = value(form, fmt::format("Filter.{}.Name", i));
        const std::vector<std::string> wanted = values(form, fmt::format("Filter.{}.Value", i));
        std::vector<std::string> own;
        if (name == "network-interface-id") own = {id};
        if (name == "addresses.private-ip-address") own = one.ips;
        if (name == "vpc-id") own = {one.vpc_id};
        if (name == "attachment.instance-id") own = {one.instance_id};
        if (name == "attachment.device-index") own = {"0"};
        fits = fits && std::any_of(own.begin(), own.end(),
                                   [&](const std::string& mine) { return has(wanted, mine); });
      }
      if (!fits) continue;
      std::string ips;
      for (const std::string& ip : one.ips) {
        ips += fmt::format("<item><privateIpAddress>{}</privateIpAddress></item>", ip);
      }
      items += fmt::format(
          "<item><networkInterfaceId>{}</networkInterfaceId><subnetId>{}</subnetId><vpcId>{}"
          "</vpcId><privateIpAddress>{}</privateIpAddress><sourceDestCheck>{}</sourceDestCheck>"
          "<attachment><instanceId>{}</instanceId></attachment><privateIpAddressesSet>{}"
          "</privateIpAddressesSet></item>",
          id, one.subnet_id, one.vpc_id, one.ips.front(), one.source_dest_check, one.instance_id,
          ips);
    }
    return done(action, "<networkInterfaceSet>" + items + "</networkInterfaceSet>");
  }

  HttpResponse describe_addresses(const std::string& action, const Form& form) {
    const std::string wanted = value(form, "AllocationId.1");
    const auto found = world_.eips.find(wanted);
    if (found == world_.eips.end()) {
      return refusal(400, "InvalidAllocationID.NotFound", wanted + " does not exist");
    }
    const Eip& eip = found->second;
    std::string parts = fmt::format("<publicIp>{}</publicIp><allocationId>{}</allocationId>",
                                    eip.public_ip, wanted);
    if (!eip.association_id.empty()) {
      parts += fmt::format(
          "<associationId>{}</associationId><networkInterfaceId>{}</networkInterfaceId>"
          "<privateIpAddress>{}</privateIpAddress>",
          eip.association_id, eip.interface_id, eip.private_ip);
    }
    return done(action, "<addressesSet><item>" + parts + "</item></addressesSet>");
  }

  HttpResponse describe_tables(const std::string& action, const Form& form) {
    std::string items;
    for (const std::string& id : values(form, "RouteTableId")) {
      const auto found = world_.tables.find(id);
      if (found == world_.tables.end()) {
        return refusal(400, "InvalidRouteTableID.NotFound", id + " does not exist");
      }
      std::string routes =
          "<item><destinationCidrBlock>10.0.0.0/16</destinationCidrBlock><gatewayId>local"
          "</gatewayId></item>";
      for (const auto& [destination, target] : found->second.routes) {
        const bool is_v6 = destination.find(':') != std::string::npos;
        routes += fmt::format(
            "<item><destination{0}CidrBlock>{1}</destination{0}CidrBlock>"
            "<{2}>{3}</{2}></item>",
            is_v6 ? "Ipv6" : "", destination,
            target.starts_with("eni-") ? "networkInterfaceId" : "gatewayId", target);
      }
      items += fmt::format(
          "<item><routeTableId>{}</routeTableId><vpcId>{}</vpcId><routeSet>{}"
          "</routeSet></item>",
          id, found->second.vpc_id, routes);
    }
    return done(action, "<routeTableSet>" + items + "</routeTableSet>");
  }

  HttpResponse change(const std::string& action, const Form& form) {
    if (action == "AssignPrivateIpAddresses") return assign(action, form);
    if (action == "UnassignPrivateIpAddresses") return unassign(action, form);
    if (action == "AssociateAddress") return associate(action, form);
    if (action == "DisassociateAddress") return disassociate(action, form);
    return change_route(action, form);
  }

  HttpResponse assign(const std::string& action, const Form& form) {
    const std::string ip = value(form, "PrivateIpAddress.1");
    const auto mine = world_.interfaces.find(value(form, "NetworkInterfaceId"));
    if (mine == world_.interfaces.end()) {
      return refusal(400, "InvalidNetworkInterfaceID.NotFound", "no such interface");
    }
    for (auto& [id, other] : world_.interfaces) {
      if (&other == &mine->second || !has(other.ips, ip)) continue;
      if (other.ips.front() == ip || value(form, "AllowReassignment") != "true") {
        return refusal(400, "InvalidParameterValue", ip + " is in use by " + id);
      }
      other.ips.erase(std::find(other.ips.begin(), other.ips.end(), ip));
    }
    if (!has(mine->second.ips, ip)) mine->second.ips.push_back(ip);
    return changed(action);
  }

  HttpResponse unassign(const std::string& action, const Form& form) {
    const std::string ip = value(form, "PrivateIpAddress.1");
    const auto mine = world_.interfaces.find(value(form, "NetworkInterfaceId"));
    if (mine == world_.interfaces.end() || !has(mine->second.ips, ip) ||
        mine->second.ips.front() == ip) {
      return refusal(400, "InvalidParameterValue", "not a secondary address of the interface");
    }
    mine->second.ips.erase(std::find(mine->second.ips.begin(), mine->second.ips.end(), ip));
    return changed(action);
  }

  HttpResponse associate(const std::string& action, const Form& form) {
    const auto eip = world_.eips.find(value(form, "AllocationId"));
    const auto mine = world_.interfaces.find(value(form, "NetworkInterfaceId"));
    if (eip == world_.eips.end() || mine == world_.interfaces.end()) {
      return refusal(400, "InvalidAllocationID.NotFound", "no such address or interface");
    }
    const std::string wanted = value(form, "PrivateIpAddress");
    if (!wanted.empty() && !has(mine->second.ips, wanted)) {
      return refusal(400, "InvalidParameterValue", wanted + " is not an address of the interface");
    }
    if (!eip->second.association_id.empty() && value(form, "AllowReassociation") != "true") {
      return refusal(400, "Resource.AlreadyAssociated", "associated already");
    }
    eip->second.association_id = fmt::format("eipassoc-{:017x}", ++associations_);
    eip->second.interface_id = mine->first;
    eip->second.private_ip = wanted.empty() ? mine->second.ips.front() : wanted;
    return changed(action);
  }

  HttpResponse disassociate(const std::string& action, const Form& form) {
    for (auto& [id, eip] : world_.eips) {
      if (eip.association_id.empty() || eip.association_id != value(form, "AssociationId"))
        continue;
      eip = Eip{eip.public_ip, "", "", ""};
      return changed(action);
    }
    return refusal(400, "InvalidAssociationID.NotFound", "no such association");
  }

  HttpResponse change_route(const std::string& action, const Form& form) {
    const auto table = world_.tables.find(value(form, "RouteTableId"));
    if (table == world_.tables.end()) {
      return refusal(400, "InvalidRouteTableID.NotFound", "no such table");
    }
    if (denied_tables_.contains(table->first)) {
      return refusal(403, "UnauthorizedOperation", "not this table");
    }
    std::string destination = value(form, "DestinationCidrBlock");
    if (destination.empty()) destination = value(form, "DestinationIpv6CidrBlock");
    auto& routes = table->second.routes;
    const bool exists = routes.contains(destination);
    if (action == "CreateRoute") {
      if (exists) return refusal(400, "RouteAlreadyExists", destination + " already exists");
      routes[destination] = value(form, "NetworkInterfaceId");
      return changed(action);
    }
    if (!exists && action == "ReplaceRoute") {
      return refusal(400, "InvalidParameterValue",
                     "There is no route defined for '" + destination + "' in the route table.");
    }
    if (!exists) return refusal(400, "InvalidRoute.NotFound", "no route " + destination);
    if (action == "ReplaceRoute") routes[destination] = value(form, "NetworkInterfaceId");
    if (action == "DeleteRoute") routes.erase(destination);
    return changed(action);
  }

 public:
  // ReplaceRoute, CreateRoute and DeleteRoute are forbidden for these.
  void deny_tables(std::set<std::string> ids) {
    const std::lock_guard lock{mutex_};
    denied_tables_ = std::move(ids);
  }

 private:
  Result<HttpResponse> metadata_answer(const HttpRequest& request) {
    if (!metadata_.is_there || request.proxy != HttpProxy::kNone) {
      return Error{Code::kUnreachable, "PUT " + request.url + ": no route to host"};
    }
    const std::string path = request.url.substr(request.url.find("/latest/") + 8);
    if (request.method == HttpMethod::kPut && path == "api/token") {
      if (metadata_.token_status != 200) return HttpResponse{metadata_.token_status, {}, ""};
      return HttpResponse{200, {}, fmt::format("token{}", ++tokens_)};
    }
    const bool has_token =
        request.secret_headers.size() == 1 &&
        request.secret_headers.front().name == "X-aws-ec2-metadata-token" &&
        request.secret_headers.front().value.reveal() == fmt::format("token{}", tokens_);
    if (!has_token || forget_token_) {
      forget_token_ = false;
      return HttpResponse{401, {}, ""};
    }
    const std::string roles = "meta-data/iam/security-credentials/";
    if (path == "meta-data/placement/region") return HttpResponse{200, {}, metadata_.region};
    if (path == roles && !metadata_.role.empty()) return HttpResponse{200, {}, metadata_.role};
    if (!metadata_.role.empty() && path == roles + metadata_.role)
      return HttpResponse{200, {}, metadata_.credentials};
    return HttpResponse{404, {}, ""};
  }

 public:
  // The metadata service takes no token that it has given out so far.
  void forget_metadata_token() {
    const std::lock_guard lock{mutex_};
    forget_token_ = true;
  }

 private:
  FaultPlan& faults_;
  Clock& clock_;
  mutable std::mutex mutex_;
  World world_;
  std::optional<World> stale_;
  int lag_ = 0;
  Metadata metadata_;
  std::set<std::string> denied_;
  std::set<std::string> denied_tables_;
  std::set<std::string> silent_;
  std::set<std::string> good_keys_;
  std::string bad_key_code_;
  std::map<std::string, std::vector<HttpResponse>> queued_;
  std::vector<HttpRequest> requests_;
  std::function<void(const std::string&)> on_call_;
  unsigned associations_ = 0;
  unsigned tokens_ = 0;
  bool forget_token_ = false;
};

}  // namespace mha
