// From the keys of an entry, or the variables of the same names, to a login.
#include "vip/openstack_login.h"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <pwd.h>
#include <unistd.h>

#include <optional>
#include <string_view>
#include <utility>

#include "config/ascii.h"
#include "config/diagnostic.h"
#include "config/option_place.h"
#include "vip/cloud_url.h"
#include "vip/clouds_yaml.h"

namespace mha {
namespace {

template <typename... Args>
Error wrong(fmt::format_string<Args...> format, Args&&... args) {
  return Error{Code::kConfig, without_controls(fmt::format(format, std::forward<Args>(args)...))};
}

std::string home_folder(const Environ& environ) {
  if (const auto home = environ("HOME"); home.has_value() && !home->empty()) return *home;
  const passwd* user = getpwuid(getuid());
  return user == nullptr || user->pw_dir == nullptr ? "" : user->pw_dir;
}

// What is understood of an entry; each is OS_ and its name in capitals as a variable.
constexpr std::string_view kKeys[] = {"auth_url",
                                      "auth_type",
                                      "username",
                                      "user_id",
                                      "password",
                                      "user_domain_name",
                                      "user_domain_id",
                                      "project_name",
                                      "project_id",
                                      "tenant_name",
                                      "tenant_id",
                                      "project_domain_name",
                                      "project_domain_id",
                                      "default_domain",
                                      "application_credential_id",
                                      "application_credential_name",
                                      "application_credential_secret",
                                      "region_name",
                                      "interface",
                                      "endpoint_type",
                                      "network_endpoint_override",
                                      "cacert",
                                      "insecure",
                                      "verify",
                                      "cert",
                                      "identity_api_version"};

CloudEntry entry_of_variables(const Environ& environ) {
  CloudEntry entry;
  for (const std::string_view key : kKeys) {
    if (auto value = environ("OS_" + upper_case(key)); value.has_value() && !value->empty()) {
      entry.values[std::string(key)] = Secret{*std::move(value)};
    }
  }
  return entry;
}

// Reads one entry; the first problem ends it.
class LoginReader {
 public:
  LoginReader(const CloudEntry& entry, std::string source, const HostSettings& settings,
              const Environ& variables)
      : entry_(entry), settings_(settings), variables_(variables) {
    login_.source = std::move(source);
  }

  Result<OpenstackLogin> read() {
    if (const Status understood = refuse_what_is_not_understood(); !understood.ok()) {
      return understood.error();
    }
    if (const Status verified = take_authorities(); !verified.ok()) return verified.error();
    if (const Status taken = take_identity(); !taken.ok()) return taken.error();
    if (const Status taken = take_place(); !taken.ok()) return taken.error();
    return std::move(login_);
  }

 private:
  [[nodiscard]] std::string text(const std::string& key) const {
    const auto found = entry_.values.find(key);
    return found == entry_.values.end() ? "" : std::string(trimmed(found->second.reveal()));
  }
  // The first that is written.
  [[nodiscard]] std::string text(const std::string& key, const std::string& older) const {
    const std::string value = text(key);
    return value.empty() ? text(older) : value;
  }
  [[nodiscard]] bool is_one_of(const std::string& key,
                               std::initializer_list<std::string_view> values) const {
    const std::string written = lower_case(text(key));
    for (const std::string_view value : values) {
      if (written == value) return true;
    }
    return false;
  }

  [[nodiscard]] Status refuse_what_is_not_understood() const {
    for (const char* key : {"profile", "cloud"}) {
      if (text(key).empty()) continue;
      return wrong(
          "{}: {}: vendor profiles are not supported; write auth_url, region_name and the rest of "
          "'{}' into the entry itself",
          login_.source, key, text(key));
    }
    if (!text("cert").empty()) {
      return wrong("{}: cert: logging in by a client certificate is not supported", login_.source);
    }
    const std::string version = text("identity_api_version");
    if (!version.empty() && !version.starts_with('3')) {
      return wrong("{}: identity_api_version: '{}' is not 3, which is needed", login_.source,
                   version);
    }
    const std::string type = text("auth_type");
    if (!type.empty() &&
        !is_one_of("auth_type", {"password", "v3password", "v3applicationcredential"})) {
      return wrong("{}: auth_type: '{}' is not supported: password or v3applicationcredential is",
                   login_.source, type);
    }
    return {};
  }

  // Promised to be verified always: who could read the token could move the address.
  Status take_authorities() {
    login_.ca_file =
        settings_.openstack.ca_file.empty() ? text("cacert") : settings_.openstack.ca_file;
    if (login_.ca_file.starts_with("~/")) {
      login_.ca_file = home_folder(variables_) + login_.ca_file.substr(1);
    }
    const bool off = is_one_of("verify", {"false", "no", "off", "0"}) ||
                     is_one_of("insecure", {"true", "yes", "on", "1"});
    if (off && settings_.openstack.ca_file.empty()) {
      return wrong(
          "{}: verify: certificates are always verified here; give the cloud's authority as "
          "openstack_ca in {} instead of turning it off",
          login_.source, settings_.file);
    }
    return {};
  }

  Status take_identity() {
    login_.auth_url = text("auth_url");
    while (login_.auth_url.ends_with('/')) login_.auth_url.pop_back();
    if (login_.auth_url.empty()) return lacks({"auth_url"});
    if (Status good = check_cloud_url(login_.auth_url); !good.ok()) {
      return wrong("{}: auth_url: {}", login_.source, good.error().message);
    }
    if (login_.auth_url.ends_with("/v2.0")) login_.auth_url.resize(login_.auth_url.size() - 5);
    if (!login_.auth_url.ends_with("/v3")) login_.auth_url += "/v3";

    login_.user_name = text("username");
    login_.user_id = text("user_id");
    login_.user_domain_name = text("user_domain_name");
    login_.user_domain_id = text("user_domain_id");
    login_.project_name = text("project_name", "tenant_name");
    login_.project_id = text("project_id", "tenant_id");
    login_.project_domain_name = text("project_domain_name");
    login_.project_domain_id = text("project_domain_id");
    set_default_domain(login_.user_domain_name, login_.user_domain_id);
    set_default_domain(login_.project_domain_name, login_.project_domain_id);
    const bool by_credential =
        is_one_of("auth_type", {"v3applicationcredential"}) ||
        (text("auth_type").empty() && entry_.values.contains("application_credential_secret"));
    return by_credential ? take_application_credential() : take_password();
  }

  // openstacksdk's default too.
  void set_default_domain(const std::string& name, std::string& id) const {
    if (!name.empty() || !id.empty()) return;
    id = text("default_domain").empty() ? "default" : text("default_domain");
  }

  Status take_application_credential() {
    login_.application_credential_id = text("application_credential_id");
    login_.application_credential_name = text("application_credential_name");
    std::vector<std::string> missing;
    if (!login_.has_application_credential()) missing.emplace_back("application_credential_id");
    if (login_.application_credential_id.empty() && login_.has_application_credential() &&
        login_.user_name.empty() && login_.user_id.empty()) {
      missing.emplace_back("username (for application_credential_name)");
    }
    if (!take_secret("application_credential_secret")) {
      missing.emplace_back("application_credential_secret");
    }
    return missing.empty() ? Status{} : lacks(missing);
  }

  Status take_password() {
    std::vector<std::string> missing;
    if (login_.user_name.empty() && login_.user_id.empty()) missing.emplace_back("username");
    if (!take_secret("password")) missing.emplace_back("password");
    if (login_.project_name.empty() && login_.project_id.empty()) {
      missing.emplace_back("project_name");
    }
    return missing.empty() ? Status{} : lacks(missing);
  }

  bool take_secret(const std::string& key) {
    const auto found = entry_.values.find(key);
    if (found == entry_.values.end() || found->second.empty()) return false;
    login_.secret = found->second;
    return true;
  }

  Status take_place() {
    login_.region =
        settings_.openstack.region.empty() ? text("region_name") : settings_.openstack.region;
    std::string interface = text("interface", "endpoint_type");
    if (interface.ends_with("URL")) interface.resize(interface.size() - 3);
    login_.interface = interface.empty() ? "public" : interface;
    login_.network_url = text("network_endpoint_override");
    if (login_.network_url.empty()) return {};
    if (Status good = check_cloud_url(login_.network_url); !good.ok()) {
      return wrong("{}: network_endpoint_override: {}", login_.source, good.error().message);
    }
    return {};
  }

  [[nodiscard]] Error lacks(const std::vector<std::string>& keys) const {
    return wrong("{} lacks {}", login_.source, fmt::join(keys, ", "));
  }

  const CloudEntry& entry_;
  const HostSettings& settings_;
  const Environ& variables_;
  OpenstackLogin login_;
};

}  // namespace

std::vector<std::string> openstack_config_folders(const Environ& environ) {
  std::vector<std::string> folders{"."};
  const std::string home = home_folder(environ);
  if (const auto xdg = environ("XDG_CONFIG_HOME"); xdg.has_value() && !xdg->empty()) {
    folders.push_back(*xdg + "/openstack");
  }
  if (!home.empty()) folders.push_back(home + "/.config/openstack");
  folders.emplace_back("/etc/openstack");
  return folders;
}

namespace {

Result<OpenstackLogin> read_login(const HostSettings& settings, const Environ& environ,
                                  const std::vector<std::string>& folders) {
  const std::string of_variable = environ("OS_CLOUD").value_or("");
  const bool configured = !settings.openstack.cloud.empty();
  const std::string cloud = configured ? settings.openstack.cloud : of_variable;
  if (!cloud.empty()) {
    const Result<CloudEntry> entry = read_clouds_yaml(cloud, environ, folders);
    if (!entry.ok()) return configured ? entry.error() : entry.error().with_context("OS_CLOUD");
    return LoginReader(entry.value(), fmt::format("cloud '{}' of {}", cloud, entry.value().file),
                       settings, environ)
        .read();
  }
  const CloudEntry variables = entry_of_variables(environ);
  if (!variables.values.contains("auth_url")) {
    return wrong(
        "it is not set, and neither OS_CLOUD nor OS_AUTH_URL is in the environment: nothing says "
        "how to log in to the cloud");
  }
  return LoginReader(variables, "the environment (OS_*)", settings, environ).read();
}

}  // namespace

Result<OpenstackLogin> read_openstack_login(const HostSettings& settings, const Environ& environ,
                                            const std::vector<std::string>& folders) {
  Result<OpenstackLogin> login = read_login(settings, environ, folders);
  if (!login.ok()) return login.error().with_context(place_of(settings, "openstack_cloud"));
  return login;
}

}  // namespace mha
