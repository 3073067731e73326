// URLs, bodies and answers of Neutron's API.
#include "vip/neutron_api.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "config/ascii.h"
#include "config/host_name.h"
#include "vip/openstack_call.h"

namespace mha {
namespace {

using nlohmann::json;

constexpr std::int64_t kImpossibleRevision = 2147483647;

std::string normal(const std::string& address) {
  const auto parsed = parse_address(address);
  return parsed.has_value() ? parsed->text : address;
}

// "" where it is null or not there: a floating IP without a port.
std::string text_or_none(const json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? "" : found->get<std::string>();
}

NeutronPort port_of(const json& from) {
  NeutronPort port;
  port.id = from.at("id").get<std::string>();
  port.network_id = from.at("network_id").get<std::string>();
  port.device_id = text_or_none(from, "device_id");
  port.device_owner = text_or_none(from, "device_owner");
  port.mac = lower_case(from.at("mac_address").get<std::string>());
  for (const json& fixed : from.at("fixed_ips")) {
    port.fixed_ips.push_back({fixed.at("subnet_id").get<std::string>(),
                              normal(fixed.at("ip_address").get<std::string>())});
  }
  // Of extensions, which a cloud may lack.
  if (const auto pairs = from.find("allowed_address_pairs"); pairs != from.end()) {
    for (const json& pair : *pairs) {
      port.pairs.push_back({normal(pair.at("ip_address").get<std::string>()),
                            lower_case(text_or_none(pair, "mac_address"))});
    }
  }
  if (const auto security = from.find("port_security_enabled"); security != from.end()) {
    port.port_security = security->get<bool>();
  }
  port.revision = from.at("revision_number").get<std::int64_t>();
  return port;
}

NeutronFloatingIp floating_ip_of(const json& from) {
  NeutronFloatingIp floating;
  floating.id = from.at("id").get<std::string>();
  floating.address = normal(from.at("floating_ip_address").get<std::string>());
  floating.port_id = text_or_none(from, "port_id");
  floating.fixed_address = normal(text_or_none(from, "fixed_ip_address"));
  floating.status = text_or_none(from, "status");
  floating.revision = from.at("revision_number").get<std::int64_t>();
  return floating;
}

json body_of(const std::vector<AddressPair>& pairs) {
  json list = json::array();
  for (const AddressPair& pair : pairs) {
    json item{{"ip_address", pair.address}};
    if (!pair.mac.empty()) item["mac_address"] = pair.mac;
    list.push_back(std::move(item));
  }
  return {{"port", {{"allowed_address_pairs", std::move(list)}}}};
}

json body_of(const std::vector<FixedIp>& fixed_ips) {
  json list = json::array();
  for (const FixedIp& fixed : fixed_ips) {
    json item{{"ip_address", fixed.address}};
    if (!fixed.subnet_id.empty()) item["subnet_id"] = fixed.subnet_id;
    list.push_back(std::move(item));
  }
  return {{"port", {{"fixed_ips", std::move(list)}}}};
}

json body_of(const NeutronApi::Target* target) {
  if (target == nullptr) return {{"floatingip", {{"port_id", nullptr}}}};
  return {
      {"floatingip", {{"port_id", target->port_id}, {"fixed_ip_address", target->fixed_address}}}};
}

// Of what goes into a query: v6 addresses have colons.
std::string query_value(const std::string& text) {
  std::string encoded;
  for (const char c : text) encoded += c == ':' ? "%3A" : std::string(1, c);
  return encoded;
}

Error not_accepted(const HttpRequest& request, const std::string& source) {
  return Error{Code::kDenied,
               fmt::format("{}: status 401, with a token that Keystone has just given to {}: if "
                           "that is an application credential, its access rules lack this call",
                           title_of(request), source)};
}

Error not_permitted(const HttpRequest& request, const HttpResponse& response,
                    const std::string& source) {
  return Error{
      Code::kDenied,
      fmt::format("{}: status 403 {}: {} needs the role member in the project that owns it; on a "
                  "provider network that is shared with the project, only the network's owner or "
                  "an administrator may do this: ask them for that rule, or for a network of the "
                  "project's own",
                  title_of(request), said_by(response), source)};
}

Error not_found(const HttpRequest& request, const HttpResponse& response,
                const std::string& source) {
  return Error{Code::kRefused,
               fmt::format("{}: status 404 {}: it does not exist, or {} does not see it (another "
                           "project, another region)",
                           title_of(request), said_by(response), source)};
}

}  // namespace

Result<NeutronApi::Answer> NeutronApi::call(HttpMethod method, const std::string& path,
                                            const json& body, std::optional<std::int64_t> revision,
                                            Deadline deadline) {
  for (bool renewed = false;; renewed = true) {
    const Result<CloudAccess> access = session_.access(deadline);
    if (!access.ok()) return access.error();
    const std::string& source = access.value().source;
    HttpRequest request;
    request.method = method;
    request.url = access.value().network_url + path;
    request.headers = {{"Accept", "application/json"}};
    request.secret_headers = {{"X-Auth-Token", access.value().token}};
    request.ca_file = access.value().ca_file;
    if (revision.has_value()) {
      request.headers.push_back({"Content-Type", "application/json"});
      request.headers.push_back({"If-Match", fmt::format("revision_number={}", *revision)});
      request.body = Secret{body.dump(-1, ' ', false, json::error_handler_t::replace)};
    }
    Result<HttpResponse> answer = call_openstack(ports_, request, deadline);
    if (!answer.ok()) return answer.error();
    switch (answer.value().status) {
      case 200:
      case 409:
      case 412:
        return Answer{std::move(request), std::move(answer).value()};
      case 401:
        session_.reject(access.value());
        if (renewed) return not_accepted(request, source);
        continue;
      case 403:
        return not_permitted(request, answer.value(), source);
      case 404:
        return not_found(request, answer.value(), source);
      default:
        return no_answer_to_use(request, answer.value());
    }
  }
}

Result<NeutronApi::Answer> NeutronApi::get(const std::string& path, Deadline deadline) {
  Result<Answer> answer = call(HttpMethod::kGet, path, json{}, std::nullopt, deadline);
  if (answer.ok() && answer.value().response.status != 200) {
    return no_answer_to_use(answer.value().request, answer.value().response);
  }
  return answer;
}

template <typename T, typename Parse>
Result<Written<T>> NeutronApi::put(const std::string& path, const json& body, std::int64_t revision,
                                   Parse parse, Deadline deadline) {
  using How = typename Written<T>::How;
  const Result<Answer> answer = call(HttpMethod::kPut, path, body, revision, deadline);
  if (!answer.ok()) return answer.error();
  const auto& [request, response] = answer.value();
  if (response.status == 412) return Written<T>{How::kStale, std::nullopt};
  if (response.status == 409) {
    if (error_type(response) == "IpAddressAlreadyAllocated") {
      return Written<T>{How::kTaken, std::nullopt};
    }
    return no_answer_to_use(request, response);
  }
  return parse_answer(request, response, [&](const json& from) -> Result<Written<T>> {
    return Written<T>{How::kDone, parse(from)};
  });
}

Result<NeutronPort> NeutronApi::port(const std::string& id, Deadline deadline) {
  const Result<Answer> answer = get("/ports/" + id, deadline);
  if (!answer.ok()) return answer.error();
  return parse_answer(
      answer.value().request, answer.value().response,
      [](const json& from) -> Result<NeutronPort> { return port_of(from.at("port")); });
}

Result<std::vector<NeutronPort>> NeutronApi::ports_with_address(const std::string& address,
                                                                const std::string& network_id,
                                                                Deadline deadline) {
  std::string path = "/ports?fixed_ips=ip_address%3D" + query_value(address);
  if (!network_id.empty()) path += "&network_id=" + network_id;
  const Result<Answer> answer = get(path, deadline);
  if (!answer.ok()) return answer.error();
  return parse_answer(answer.value().request, answer.value().response,
                      [&](const json& from) -> Result<std::vector<NeutronPort>> {
                        std::vector<NeutronPort> ports;
                        for (const json& item : from.at("ports")) {
                          NeutronPort port = port_of(item);
                          if (port.has_fixed_ip(address)) ports.push_back(std::move(port));
                        }
                        return ports;
                      });
}

Result<Written<NeutronPort>> NeutronApi::put_pairs(const NeutronPort& as_read,
                                                   const std::vector<AddressPair>& pairs,
                                                   Deadline deadline) {
  return put<NeutronPort>(
      "/ports/" + as_read.id, body_of(pairs), as_read.revision,
      [](const json& from) { return port_of(from.at("port")); }, deadline);
}

Result<Written<NeutronPort>> NeutronApi::put_fixed_ips(const NeutronPort& as_read,
                                                       const std::vector<FixedIp>& fixed_ips,
                                                       Deadline deadline) {
  return put<NeutronPort>(
      "/ports/" + as_read.id, body_of(fixed_ips), as_read.revision,
      [](const json& from) { return port_of(from.at("port")); }, deadline);
}

Result<NeutronFloatingIp> NeutronApi::floating_ip(const std::string& id, Deadline deadline) {
  const Result<Answer> answer = get("/floatingips/" + id, deadline);
  if (!answer.ok()) return answer.error();
  return parse_answer(answer.value().request, answer.value().response,
                      [](const json& from) -> Result<NeutronFloatingIp> {
                        return floating_ip_of(from.at("floatingip"));
                      });
}

Result<std::vector<NeutronFloatingIp>> NeutronApi::floating_ips_with_address(
    const std::string& address, Deadline deadline) {
  const Result<Answer> answer =
      get("/floatingips?floating_ip_address=" + query_value(address), deadline);
  if (!answer.ok()) return answer.error();
  return parse_answer(answer.value().request, answer.value().response,
                      [&](const json& from) -> Result<std::vector<NeutronFloatingIp>> {
                        std::vector<NeutronFloatingIp> found;
                        for (const json& item : from.at("floatingips")) {
                          NeutronFloatingIp floating = floating_ip_of(item);
                          if (floating.address == address) found.push_back(std::move(floating));
                        }
                        return found;
                      });
}

Result<Written<NeutronFloatingIp>> NeutronApi::put_floating_ip(const NeutronFloatingIp& as_read,
                                                               const Target* target,
                                                               Deadline deadline) {
  return put<NeutronFloatingIp>(
      "/floatingips/" + as_read.id, body_of(target), as_read.revision,
      [](const json& from) { return floating_ip_of(from.at("floatingip")); }, deadline);
}

Result<NeutronSubnet> NeutronApi::subnet(const std::string& id, Deadline deadline) {
  const Result<Answer> answer = get("/subnets/" + id, deadline);
  if (!answer.ok()) return answer.error();
  return parse_answer(answer.value().request, answer.value().response,
                      [](const json& from) -> Result<NeutronSubnet> {
                        const json& subnet = from.at("subnet");
                        return NeutronSubnet{subnet.at("id").get<std::string>(),
                                             subnet.at("cidr").get<std::string>()};
                      });
}

Status NeutronApi::may_put_pairs(const NeutronPort& as_read, Deadline deadline) {
  return call(HttpMethod::kPut, "/ports/" + as_read.id, body_of(as_read.pairs), kImpossibleRevision,
              deadline)
      .status();
}

Status NeutronApi::may_put_fixed_ips(const NeutronPort& as_read, Deadline deadline) {
  return call(HttpMethod::kPut, "/ports/" + as_read.id, body_of(as_read.fixed_ips),
              kImpossibleRevision, deadline)
      .status();
}

Status NeutronApi::may_put_floating_ip(const NeutronFloatingIp& as_read, Deadline deadline) {
  const Target target{as_read.port_id, as_read.fixed_address};
  return call(HttpMethod::kPut, "/floatingips/" + as_read.id,
              body_of(as_read.port_id.empty() ? nullptr : &target), kImpossibleRevision, deadline)
      .status();
}

}  // namespace mha
