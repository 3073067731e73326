// The text of --ssh_options, which MHA hands over from its configuration.
#include <algorithm>

#include "base/shell_quote.h"
#include "fuzz/fuzz.h"
#include "ssh/ssh_options.h"

namespace mha::fuzz {
namespace {

void check_target(const SshTarget& target) {
  must(target.host == "db1", "the host is not one of the options");
  must(target.port != std::uint16_t{0}, "there is no port 0");
  must(!target.user.empty(), "a user that was there is not taken away");
  must(target.connection_attempts >= 1, "there is an attempt");
  if (target.connect_timeout) must(target.connect_timeout->count() > 0, "an attempt has time");
  if (target.server_alive_interval) {
    must(target.server_alive_interval->count() > 0, "an interval is one");
  }
  for (const std::string& file : target.identity_files) must(!file.empty(), "a file has a name");
}

// A file's name in quotes arrives as it is.
void check_quoted(std::string_view input, const SshTarget& base) {
  const std::string name{input.substr(0, input.find('\0'))};
  if (name.empty()) return;
  const auto parsed = parse_ssh_options("-i " + shell_quote(name) + " -p 1", base);
  must(parsed.ok(), "a quoted name is a word");
  must(parsed.value().target.identity_files == std::vector<std::string>{name},
       "a quoted name arrives");
  must(parsed.value().target.port == std::uint16_t{1}, "and what comes after it");
}

}  // namespace

void try_input(std::string_view input) {
  SshTarget base;
  base.host = "db1";
  base.port = std::uint16_t{22};
  base.user = "mha_helper";
  const auto parsed = parse_ssh_options(input, base);
  if (parsed.ok()) {
    check_target(parsed.value().target);
    for (const std::string& line : parsed.value().ignored) must_be_one_line(line);
    must_be_one_line(parsed.value().warning());
    for (const std::string& option : parsed.value().target.config_options) must_be_one_line(option);
  } else {
    must(parsed.error().code == Code::kUsage, "what is wrong is the usage");
    must_be_one_line(parsed.error().message);
  }
  check_quoted(input, base);
}

}  // namespace mha::fuzz
