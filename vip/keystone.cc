// Asking for a token, and reading what comes with it.
#include "vip/keystone.h"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "vip/openstack_call.h"

namespace mha {
namespace {

using nlohmann::json;

constexpr Milliseconds kRefreshBefore{60000};
// Longer than any token lives.
constexpr std::chrono::seconds kLongestLife = std::chrono::hours{24 * 365};

json domain_of(const std::string& id, const std::string& name) {
  return id.empty() ? json{{"name", name}} : json{{"id", id}};
}

json user_of(const OpenstackLogin& login) {
  if (!login.user_id.empty()) return {{"id", login.user_id}};
  return {{"name", login.user_name},
          {"domain", domain_of(login.user_domain_id, login.user_domain_name)}};
}

// Keystone API v3, "Password authentication with scoped authorization", "Authenticating with an
// Application Credential" (which has its own scope).
json auth_of(const OpenstackLogin& login) {
  if (login.has_application_credential()) {
    json credential{{"secret", login.secret.reveal()}};
    if (!login.application_credential_id.empty()) {
      credential["id"] = login.application_credential_id;
    } else {
      credential["name"] = login.application_credential_name;
      credential["user"] = user_of(login);
    }
    return {{"identity",
             {{"methods", {"application_credential"}}, {"application_credential", credential}}}};
  }
  json user = user_of(login);
  user["password"] = login.secret.reveal();
  json project = json::object();
  if (!login.project_id.empty()) {
    project["id"] = login.project_id;
  } else {
    project["name"] = login.project_name;
    project["domain"] = domain_of(login.project_domain_id, login.project_domain_name);
  }
  return {{"identity", {{"methods", {"password"}}, {"password", {{"user", user}}}}},
          {"scope", {{"project", project}}}};
}

// "2026-11-20T19:51:12.000000Z", whole seconds of it.
std::optional<std::chrono::seconds> utc_of(const std::string& text) {
  tm parts{};
  if (strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) == nullptr) return std::nullopt;
  return std::chrono::seconds{timegm(&parts)};
}

std::string with_version(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url.ends_with("/v2.0") ? url : url + "/v2.0";
}

}  // namespace

Result<std::string> network_url_in(const json& catalog, const OpenstackLogin& login) {
  std::set<std::string> regions;
  std::set<std::string> interfaces;
  std::set<std::string> urls;
  for (const json& service : catalog) {
    if (service.at("type").get<std::string>() != "network") continue;
    for (const json& endpoint : service.at("endpoints")) {
      const std::string region = endpoint.contains("region_id") && endpoint["region_id"].is_string()
                                     ? endpoint["region_id"].get<std::string>()
                                     : endpoint.value("region", "");
      const std::string interface = endpoint.at("interface").get<std::string>();
      interfaces.insert(interface);
      if (interface != login.interface) continue;
      regions.insert(region);
      if (!login.region.empty() && login.region != region) continue;
      urls.insert(endpoint.at("url").get<std::string>());
    }
  }
  if (urls.size() == 1) return with_version(*urls.begin());
  std::string why;
  if (interfaces.empty()) {
    why = "has no network service; is the login scoped to a project?";
  } else if (regions.empty()) {
    why = fmt::format("has no '{}' interface of the network service, but: {}; set interface there",
                      login.interface, fmt::join(interfaces, ", "));
  } else if (urls.empty()) {
    why = fmt::format("has no region '{}', but: {}; set openstack_region", login.region,
                      fmt::join(regions, ", "));
  } else {
    why = fmt::format(
        "has the network service in several places, regions: {}; set "
        "openstack_region to one of them",
        fmt::join(regions, ", "));
  }
  return Error{Code::kConfig, fmt::format("{}: the cloud's catalog {}", login.source, why)};
}

KeystoneSession::KeystoneSession(ReadLogin read_login, CloudPorts ports)
    : read_login_(std::move(read_login)), ports_(ports) {}

Result<CloudAccess> KeystoneSession::access(Deadline deadline) {
  std::unique_lock lock{mutex_};
  while (fetching_) {
    if (changed_.wait_until(lock, deadline.at()) == std::cv_status::timeout && fetching_) {
      return Error{Code::kTimeout,
                   "no login to the cloud in time: Keystone has not answered another thread's "
                   "request yet; see whether it answers at all"};
    }
  }
  if (token_.has_value() && ports_.clock.now() < token_->good_until) return token_->access;
  fetching_ = true;
  lock.unlock();
  Result<Token> fetched = fetch(deadline);
  lock.lock();
  fetching_ = false;
  changed_.notify_all();
  if (!fetched.ok()) return fetched.error();
  token_ = std::move(fetched).value();
  return token_->access;
}

void KeystoneSession::reject(const CloudAccess& rejected) {
  const std::lock_guard lock{mutex_};
  // Another thread may have had a new one meanwhile.
  if (token_.has_value() && token_->access.token.reveal() == rejected.token.reveal()) {
    token_.reset();
  }
}

Result<KeystoneSession::Token> KeystoneSession::fetch(Deadline deadline) {
  const Result<OpenstackLogin> login = read_login_();
  if (!login.ok()) return login.error();
  HttpRequest request;
  request.method = HttpMethod::kPost;
  request.url = login.value().auth_url + "/auth/tokens";
  request.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
  request.ca_file = login.value().ca_file;
  try {
    request.body = Secret{json{{"auth", auth_of(login.value())}}.dump()};
  } catch (const json::exception&) {
    return Error{Code::kConfig,
                 fmt::format("{}: a name or the password is not UTF-8", login.value().source)};
  }
  const Result<HttpResponse> answer = call_openstack(ports_, request, deadline);
  if (!answer.ok()) {
    return answer.error().with_context(fmt::format("logging in with {}", login.value().source));
  }
  return read_answer(login.value(), request, answer.value());
}

Result<KeystoneSession::Token> KeystoneSession::read_answer(const OpenstackLogin& login,
                                                            const HttpRequest& request,
                                                            const HttpResponse& response) const {
  const std::string context = fmt::format("logging in with {}", login.source);
  switch (response.status) {
    case 200:
    case 201:
      break;
    case 401:
    case 403:
      return Error{Code::kDenied,
                   fmt::format("{}: {}: status {} {}; check the {} and the project there", context,
                               title_of(request), response.status, said_by(response),
                               login.has_application_credential()
                                   ? "application credential (it may have expired)"
                                   : "user, its domain, the password")};
    case 300:
    case 404:
      return Error{Code::kConfig,
                   fmt::format("{}: auth_url: {}: status {}; there is no Keystone v3 at that URL",
                               login.source, title_of(request), response.status)};
    default:
      return no_answer_to_use(request, response).with_context(context);
  }
  Token token;
  token.access.token = Secret{response.header("x-subject-token")};
  token.access.ca_file = login.ca_file;
  token.access.source = login.source;
  if (token.access.token.empty()) {
    return Error{Code::kRefused, fmt::format("{}: {}: the answer has no X-Subject-Token", context,
                                             title_of(request))};
  }
  auto read = parse_answer(request, response, [&](const json& body) -> Result<Token> {
    const json& about = body.at("token");
    const auto issued = utc_of(about.at("issued_at").get<std::string>());
    const auto expires = utc_of(about.at("expires_at").get<std::string>());
    if (!issued.has_value() || !expires.has_value()) return malformed(request, response);
    // Of whatever the service says, what a clock can be set to.
    const Milliseconds life =
        std::clamp<std::chrono::seconds>(*expires - *issued, std::chrono::seconds{0}, kLongestLife);
    token.good_until = ports_.clock.now() + life - std::min(kRefreshBefore, life / 10);
    if (!login.network_url.empty()) {
      token.access.network_url = with_version(login.network_url);
      return token;
    }
    Result<std::string> url =
        network_url_in(about.contains("catalog") ? about["catalog"] : json::array(), login);
    if (!url.ok()) return url.error();
    token.access.network_url = std::move(url).value();
    return token;
  });
  if (!read.ok()) return read.error().with_context(context);
  return std::move(read).value();
}

}  // namespace mha
