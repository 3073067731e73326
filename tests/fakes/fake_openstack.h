// A cloud behind the HTTP port: Keystone and Neutron with ports, floating IPs and subnets, as the
// real ones (22 and 21) were seen to answer.
#pragma once

#include <fmt/core.h>

#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fakes/fault_plan.h"
#include "ports/clock.h"
#include "ports/http_client.h"

namespace mha {

// Thread-safe. Calls are recorded in the fault plan as "PUT /v2.0/ports/ID", without the query. A
// fault of the plan is a connection that fails before or after the call was executed.
class FakeOpenstack : public HttpClient {
 public:
  using Json = nlohmann::json;
  using OnCall = std::function<void(const std::string& call)>;

  FakeOpenstack(FaultPlan& faults, Clock& clock) : faults_(faults), clock_(clock) {}

  // --- The world ---------------------------------------------------------------------------------

  // A server's port in `network`, its one address in the subnet "SUBNET of NETWORK".
  void add_port(const std::string& id, const std::string& network, const std::string& address,
                const std::string& server) {
    const std::lock_guard lock{mutex_};
    ports_[id] = Json{{"id", id},
                      {"network_id", network},
                      {"device_id", server},
                      {"device_owner", server.empty() ? "" : "compute:nova"},
                      {"mac_address", fmt::format("FA:16:3e:00:00:{:02x}", ports_.size() + 1)},
                      {"fixed_ips", {{{"subnet_id", subnet_of(network)}, {"ip_address", address}}}},
                      {"allowed_address_pairs", Json::array()},
                      {"port_security_enabled", true},
                      {"revision_number", 1}};
  }
  void add_floating_ip(const std::string& id, const std::string& address) {
    const std::lock_guard lock{mutex_};
    floating_ips_[id] = Json{{"id", id},           {"floating_ip_address", address},
                             {"port_id", nullptr}, {"fixed_ip_address", nullptr},
                             {"status", "DOWN"},   {"revision_number", 1}};
  }
  // As an administrator would; counts the revision up.
  void change_port(const std::string& id, const std::function<void(Json& port)>& change) {
    const std::lock_guard lock{mutex_};
    change(ports_.at(id));
    bump(ports_.at(id));
  }
  void change_floating_ip(const std::string& id, const std::function<void(Json& ip)>& change) {
    const std::lock_guard lock{mutex_};
    change(floating_ips_.at(id));
    bump(floating_ips_.at(id));
  }
  void set_pairs(const std::string& id, const std::vector<std::string>& addresses) {
    change_port(id, [&](Json& port) {
      port["allowed_address_pairs"] = Json::array();
      for (const std::string& address : addresses) {
        port["allowed_address_pairs"].push_back(
            {{"ip_address", address}, {"mac_address", port["mac_address"]}});
      }
    });
  }
  void add_fixed_ip(const std::string& id, const std::string& address) {
    change_port(id, [&](Json& port) {
      port["fixed_ips"].push_back(
          {{"subnet_id", subnet_of(port["network_id"])}, {"ip_address", address}});
    });
  }
  void set_cidr(const std::string& network, const std::string& cidr) {
    const std::lock_guard lock{mutex_};
    cidrs_[subnet_of(network)] = cidr;
  }

  // --- What is so of it --------------------------------------------------------------------------

  [[nodiscard]] Json port(const std::string& id) const {
    const std::lock_guard lock{mutex_};
    return ports_.at(id);
  }
  [[nodiscard]] Json floating_ip(const std::string& id) const {
    const std::lock_guard lock{mutex_};
    return floating_ips_.at(id);
  }
  [[nodiscard]] bool has_pair(const std::string& id, const std::string& address) const {
    return has(port(id)["allowed_address_pairs"], address);
  }
  [[nodiscard]] bool has_fixed_ip(const std::string& id, const std::string& address) const {
    return has(port(id)["fixed_ips"], address);
  }
  [[nodiscard]] std::string floating_port(const std::string& id) const {
    const Json floating = floating_ip(id);
    return floating["port_id"].is_null() ? "" : floating["port_id"].get<std::string>();
  }
  [[nodiscard]] std::vector<HttpRequest> requests() const {
    const std::lock_guard lock{mutex_};
    return requests_;
  }
  [[nodiscard]] std::vector<std::string> calls() const { return faults_.calls(); }

  // --- What it does ------------------------------------------------------------------------------

  void set_password(const std::string& password) {
    const std::lock_guard lock{mutex_};
    password_ = password;
  }
  void set_token_life(std::chrono::seconds life) {
    const std::lock_guard lock{mutex_};
    token_life_ = life;
  }
  // Every token given so far is no longer accepted.
  void revoke_tokens() {
    const std::lock_guard lock{mutex_};
    good_tokens_.clear();
  }
  void accept_no_token() {
    const std::lock_guard lock{mutex_};
    accepts_tokens_ = false;
  }
  // PUTs are refused by the policy.
  void make_read_only() {
    const std::lock_guard lock{mutex_};
    read_only_ = true;
  }
  // The next `times` calls whose text contains `part` get this answer, and are not executed.
  void answer_instead(const std::string& part, HttpResponse response, int times) {
    const std::lock_guard lock{mutex_};
    instead_.push_back({part, std::move(response), times});
  }
  // Calls whose text contains `part` cost their deadline.
  void hang(const std::string& part) {
    const std::lock_guard lock{mutex_};
    hanging_.insert(part);
  }
  // Called before each call is executed, without a lock held.
  void set_on_call(OnCall on_call) {
    const std::lock_guard lock{mutex_};
    on_call_ = std::move(on_call);
  }
  void set_catalog(Json catalog) {
    const std::lock_guard lock{mutex_};
    catalog_ = std::move(catalog);
  }

  Result<HttpResponse> send(const HttpRequest& request, Deadline deadline) override {
    const std::string path = path_of(request.url);
    const std::string call =
        fmt::format("{} {}", to_string(request.method), path.substr(0, path.find('?')));
    OnCall on_call;
    {
      const std::lock_guard lock{mutex_};
      requests_.push_back(request);
      on_call = on_call_;
    }
    if (on_call) on_call(call);
    return faults_.around(call, [&]() -> Result<HttpResponse> {
      const std::lock_guard lock{mutex_};
      if (clock_.passed(deadline) || hangs(call)) {
        clock_.sleep_until(deadline.at());
        return Error{Code::kTimeout, call + ": no answer in time"};
      }
      for (Instead& instead : instead_) {
        if (instead.times > 0 && call.find(instead.part) != std::string::npos) {
          --instead.times;
          return instead.response;
        }
      }
      return execute(request, path);
    });
  }

  static HttpResponse answer(int status, const Json& body) { return {status, {}, body.dump()}; }
  static HttpResponse refusal(int status, const std::string& type, const std::string& message) {
    return answer(status, {{"NeutronError", {{"type", type}, {"message", message}}}});
  }

 private:
  struct Instead {
    std::string part;
    HttpResponse response;
    int times;
  };

  static std::string subnet_of(const std::string& network) { return "subnet-" + network; }
  static std::string path_of(const std::string& url) {
    return url.substr(url.find('/', url.find("://") + 3));
  }
  static bool has(const Json& list, const std::string& address) {
    for (const Json& item : list) {
      if (item["ip_address"] == address) return true;
    }
    return false;
  }
  static void bump(Json& item) { item["revision_number"] = item["revision_number"].get<int>() + 1; }
  [[nodiscard]] bool hangs(const std::string& call) const {
    for (const std::string& part : hanging_) {
      if (call.find(part) != std::string::npos) return true;
    }
    return false;
  }

  HttpResponse execute(const HttpRequest& request, const std::string& path) {
    if (path == "/v3/auth/tokens") return give_token(request);
    const bool authenticated = accepts_tokens_ && request.secret_headers.size() == 1 &&
                               request.secret_headers[0].name == "X-Auth-Token" &&
                               good_tokens_.contains(request.secret_headers[0].value.reveal());
    if (!authenticated) {
      return answer(401, {{"error",
                           {{"code", 401},
                            {"title", "Unauthorized"},
                            {"message",
                             "The request you have made requires "
                             "authentication."}}}});
    }
    const std::string what = path.substr(std::string("/v2.0").size());
    const std::string id = what.substr(what.rfind('/') + 1);
    if (what.starts_with("/ports?")) return list_ports(what);
    if (what.starts_with("/floatingips?")) return list_floating_ips(what);
    if (what.starts_with("/subnets/")) {
      return answer(200,
                    {{"subnet",
                      {{"id", id},
                       {"cidr", cidrs_.contains(id) ? cidrs_[id] : std::string("10.0.1.0/24")}}}});
    }
    const bool is_port = what.starts_with("/ports/");
    std::map<std::string, Json>& all = is_port ? ports_ : floating_ips_;
    const char* name = is_port ? "port" : "floatingip";
    const auto found = all.find(id);
    if (found == all.end()) {
      return refusal(404, is_port ? "PortNotFound" : "FloatingIPNotFound",
                     fmt::format("{} {} could not be found.", name, id));
    }
    if (request.method == HttpMethod::kGet) return answer(200, {{name, found->second}});
    if (read_only_) {
      return refusal(403, "PolicyNotAuthorized",
                     fmt::format("(rule:update_{}) is disallowed by policy", name));
    }
    const Json wanted = Json::parse(request.body.reveal()).at(name);
    return is_port ? put_port(request, found->second, wanted)
                   : put_floating_ip(request, found->second, wanted);
  }

  HttpResponse give_token(const HttpRequest& request) {
    const Json auth = Json::parse(request.body.reveal()).at("auth");
    const Json& identity = auth.at("identity");
    const std::string given =
        identity.at("methods")[0] == "password"
            ? identity.at("password").at("user").at("password").get<std::string>()
            : identity.at("application_credential").at("secret").get<std::string>();
    if (given != password_) {
      return answer(401, {{"error",
                           {{"code", 401},
                            {"title", "Unauthorized"},
                            {"message",
                             "The request you have made requires "
                             "authentication."}}}});
    }
    const std::string token = fmt::format("token-{}", ++tokens_given_);
    good_tokens_.insert(token);
    // An hour that the cloud's clock has and ours need not.
    const auto stamp = [](std::chrono::seconds after) {
      return fmt::format("2031-05-01T{:02}:{:02}:{:02}.000000Z", after.count() / 3600,
                         after.count() / 60 % 60, after.count() % 60);
    };
    HttpResponse response = answer(201, {{"token",
                                          {{"issued_at", stamp(std::chrono::seconds{0})},
                                           {"expires_at", stamp(token_life_)},
                                           {"catalog", catalog_}}}});
    response.headers.push_back({"x-subject-token", token});
    return response;
  }

  HttpResponse list_ports(const std::string& what) const {
    const std::string wanted = value_in(what, "fixed_ips=ip_address%3D");
    const std::string network = value_in(what, "network_id=");
    Json list = Json::array();
    for (const auto& [id, port] : ports_) {
      if (has(port["fixed_ips"], wanted) && (network.empty() || port["network_id"] == network)) {
        list.push_back(port);
      }
    }
    return answer(200, {{"ports", list}});
  }
  HttpResponse list_floating_ips(const std::string& what) const {
    const std::string wanted = value_in(what, "floating_ip_address=");
    Json list = Json::array();
    for (const auto& [id, floating] : floating_ips_) {
      if (floating["floating_ip_address"] == wanted) list.push_back(floating);
    }
    return answer(200, {{"floatingips", list}});
  }
  static std::string value_in(const std::string& what, const std::string& key) {
    const std::size_t begin = what.find(key);
    if (begin == std::string::npos) return "";
    const std::size_t start = begin + key.size();
    std::string value = what.substr(start, what.find('&', start) - start);
    for (std::size_t at; (at = value.find("%3A")) != std::string::npos;) value.replace(at, 3, ":");
    return value;
  }

  static bool is_stale(const HttpRequest& request, const Json& item) {
    for (const HttpHeader& header : request.headers) {
      if (header.name != "If-Match") continue;
      return header.value != fmt::format("revision_number={}", item["revision_number"].get<int>());
    }
    return false;
  }
  static HttpResponse stale() {
    return refusal(412, "RevisionNumberConstraintFailed", "Constrained to another revision");
  }

  // Neutron looks for addresses that are taken before it looks at the revision.
  HttpResponse put_port(const HttpRequest& request, Json& port, const Json& wanted) {
    if (wanted.contains("fixed_ips")) {
      for (const Json& fixed : wanted["fixed_ips"]) {
        const std::string address = fixed["ip_address"];
        for (const auto& [id, other] : ports_) {
          if (id != port["id"] && other["network_id"] == port["network_id"] &&
              has(other["fixed_ips"], address)) {
            return refusal(409, "IpAddressAlreadyAllocated",
                           fmt::format("IP address {} already allocated", address));
          }
        }
      }
    }
    if (is_stale(request, port)) return stale();
    if (wanted.contains("fixed_ips")) {
      // In another order than it was given, as seen with the real one.
      Json list = Json::array();
      for (auto fixed = wanted["fixed_ips"].rbegin(); fixed != wanted["fixed_ips"].rend();
           ++fixed) {
        list.push_back(
            {{"subnet_id", subnet_of(port["network_id"])}, {"ip_address", (*fixed)["ip_address"]}});
      }
      port["fixed_ips"] = list;
    }
    if (wanted.contains("allowed_address_pairs")) {
      if (!port["port_security_enabled"].get<bool>()) {
        return refusal(409, "AddressPairAndPortSecurityRequired", "Port Security must be enabled");
      }
      Json list = wanted["allowed_address_pairs"];
      for (Json& pair : list) {
        if (!pair.contains("mac_address")) pair["mac_address"] = port["mac_address"];
      }
      port["allowed_address_pairs"] = list;
    }
    bump(port);
    return answer(200, {{"port", port}});
  }

  HttpResponse put_floating_ip(const HttpRequest& request, Json& floating, const Json& wanted) {
    if (!wanted["port_id"].is_null()) {
      const auto port = ports_.find(wanted["port_id"]);
      if (port == ports_.end()) return refusal(404, "PortNotFound", "no such port");
      if (!has(port->second["fixed_ips"], wanted["fixed_ip_address"])) {
        return refusal(400, "BadRequest", "the port does not have that fixed IP");
      }
    }
    if (is_stale(request, floating)) return stale();
    floating["port_id"] = wanted["port_id"];
    floating["fixed_ip_address"] =
        wanted["port_id"].is_null() ? Json(nullptr) : wanted["fixed_ip_address"];
    bump(floating);
    return answer(200, {{"floatingip", floating}});
  }

  FaultPlan& faults_;
  Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Json> ports_;
  std::map<std::string, Json> floating_ips_;
  std::map<std::string, std::string> cidrs_;
  std::vector<HttpRequest> requests_;
  std::vector<Instead> instead_;
  std::set<std::string> hanging_;
  OnCall on_call_;
  std::string password_ = "secret-password";
  std::chrono::seconds token_life_{3600};
  int tokens_given_ = 0;
  std::set<std::string> good_tokens_;
  bool accepts_tokens_ = true;
  bool read_only_ = false;
  Json catalog_ = {{{"type", "network"},
                    {"endpoints",
                     {{{"interface", "public"},
                       {"region_id", "RegionOne"},
                       {"region", "RegionOne"},
                       {"url", "https://net.example.com"}}}}}};
};

}  // namespace mha
