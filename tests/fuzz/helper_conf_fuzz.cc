// The suite's own configuration, /etc/mha-helper/*.conf.
#include "config/helper_config.h"
#include "config/helper_file.h"
#include "fuzz/fuzz.h"

namespace mha::fuzz {
namespace {

void check_settings(const HostSettings& settings) {
  if (settings.vip_type == VipType::kMetal) {
    must(settings.writer_vip.has_value(), "metal has an address");
    must(!settings.cluster_interface.empty(), "metal has an interface");
  }
  must(settings.lock_wait_timeout.count() >= 1, "lock_wait_timeout is at least 1");
  must(settings.operation_timeout.count() >= 1, "an operation has time");
  must(settings.smtp_port != 0, "there is no port 0");
}

}  // namespace

void try_input(std::string_view input) {
  static const Folder folder;
  const HelperFile file = read_helper_file(folder.write("fuzz.conf", input));
  for (const Diagnostic& remark : file.diagnostics) must_be_one_line(remark.text());
  for (const Diagnostic& remark : file.default_problems) must_be_one_line(remark.text());

  const Result<HelperConfig> config = HelperConfig::load(folder.path());
  must(config.ok(), "a folder with a file in it is read");
  for (const auto& [name, host] : file.hosts) {
    const auto found = config.value().find(name, "");
    must(found.ok() == !has_error(file.diagnostics), "a host is found, unless its file is wrong");
    if (!found.ok()) must(found.error().code == Code::kConfig, "a wrong file is kConfig");
    if (!found.ok()) must_be_one_line(found.error().message);
    if (found.ok()) check_settings(found.value().settings);
  }
  const auto other = config.value().find("a-host-without-a-section", "192.0.2.200");
  if (other.ok()) check_settings(other.value().settings);
}

}  // namespace mha::fuzz
