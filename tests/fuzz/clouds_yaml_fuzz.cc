// clouds.yaml with secure.yaml over it, and what a login makes of them.
#include "fuzz/fuzz.h"
#include "vip/clouds_yaml.h"
#include "vip/openstack_login.h"

namespace mha::fuzz {
namespace {

std::optional<std::string> nothing(const std::string& /*name*/) { return std::nullopt; }

}  // namespace

void try_input(std::string_view input) {
  static const Folder folder;
  const std::vector<std::string> parts = parts_of(input, 2);
  folder.write("clouds.yaml", parts[0]);
  folder.write("secure.yaml", parts[1]);
  const Environ environ = nothing;
  const auto entry = read_clouds_yaml("prod", environ, {folder.path()});
  if (!entry.ok()) {
    must(entry.error().code == Code::kConfig, "a wrong file is kConfig");
    must_be_one_line(entry.error().message);
  }
  HostSettings settings;
  settings.openstack.cloud = "prod";
  const auto login = read_openstack_login(settings, environ, {folder.path()});
  if (login.ok()) {
    must(entry.ok(), "a login comes from an entry");
    must(login.value().auth_url.ends_with("/v3"), "Keystone's URL is of its version 3");
  } else {
    must(login.error().code == Code::kConfig, "a wrong file is kConfig");
    must_be_one_line(login.error().message);
  }
}

}  // namespace mha::fuzz
