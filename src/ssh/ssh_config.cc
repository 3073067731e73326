// The command line of `ssh -G`, and its answer as SshSettings.
#include "ssh/ssh_config.h"

#include <fmt/core.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <sstream>
#include <utility>

#include "config/diagnostic.h"
#include "config/host_name.h"
#include "ssh/child_process.h"

namespace mha {
namespace {

// Names of ssh_config in lower case, as `ssh -G` prints them; several lines of a name in order.
using Answers = std::multimap<std::string, std::string>;

std::string first_answer(const Answers& answers, const std::string& name) {
  const auto found = answers.lower_bound(name);
  return found == answers.end() || found->first != name ? std::string{} : found->second;
}

struct LocalUser {
  std::string name;
  std::string home;
};

LocalUser local_user() {
  std::array<char, 16384> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found) != 0 ||
      found == nullptr) {
    const char* home = std::getenv("HOME");
    return {std::to_string(::getuid()), home == nullptr ? "/" : home};
  }
  return {found->pw_name, found->pw_dir};
}

// What ssh is to read in place of its own files; empty: these. MHA's shell expands "~", ssh does
// not.
std::string config_file(const SshTarget& target, const SshClientFiles& files) {
  if (target.config_file.empty()) return files.config_file;
  if (!target.config_file.starts_with("~/")) return target.config_file;
  return (files.home.empty() ? local_user().home : files.home) + target.config_file.substr(1);
}

std::vector<std::string> ssh_command_line(const SshTarget& target, const SshClientFiles& files) {
  std::vector<std::string> argv{files.program, "-G", "-T"};
  const std::string file = config_file(target, files);
  if (!file.empty()) argv.insert(argv.end(), {"-F", file});
  if (!target.user.empty()) argv.insert(argv.end(), {"-l", target.user});
  if (target.port) argv.insert(argv.end(), {"-p", std::to_string(*target.port)});
  for (const std::string& key : target.identity_files) argv.insert(argv.end(), {"-i", key});
  for (const std::string& option : target.config_options) argv.insert(argv.end(), {"-o", option});
  argv.insert(argv.end(), {"--", target.host});
  return argv;
}

Answers parse_answers(const std::string& text) {
  Answers answers;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    const std::size_t blank = line.find(' ');
    if (blank != std::string::npos) {
      answers.emplace(line.substr(0, blank), line.substr(blank + 1));
    }
  }
  return answers;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream{text};
  for (std::string part; std::getline(stream, part, separator);) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

// "~" and those tokens of ssh_config(5) that make sense in our file names and proxy commands.
class Expansion {
 public:
  Expansion(const SshSettings& settings, const SshClientFiles& files)
      : settings_(settings), user_(local_user()) {
    if (!files.home.empty()) user_.home = files.home;
  }

  [[nodiscard]] std::string tokens(const std::string& text) const {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '%' || i + 1 == text.size()) {
        result += text[i];
        continue;
      }
      switch (text[++i]) {
        case '%':
          result += '%';
          break;
        case 'd':
          result += user_.home;
          break;
        case 'h':
          result += settings_.hostname;
          break;
        case 'i':
          result += std::to_string(::getuid());
          break;
        case 'k':
          result += settings_.host_key_alias.empty() ? settings_.host : settings_.host_key_alias;
          break;
        case 'n':
          result += settings_.host;
          break;
        case 'p':
          result += std::to_string(settings_.port);
          break;
        case 'r':
          result += settings_.user;
          break;
        case 'u':
          result += user_.name;
          break;
        default:
          result += '%';
          result += text[i];
      }
    }
    return result;
  }

  [[nodiscard]] std::string path(const std::string& text) const {
    if (text == "~" || text.starts_with("~/")) return user_.home + tokens(text.substr(1));
    return tokens(text);
  }

  // `ssh -G` prints several files in one line and quotes none, so one whose name has a blank is
  // known only by being there.
  [[nodiscard]] std::vector<std::string> paths(const std::string& text) const {
    if (text == "none") return {};
    if (const std::string whole = path(text); ::access(whole.c_str(), F_OK) == 0) return {whole};
    std::vector<std::string> result;
    for (const std::string& part : split(text, ' ')) result.push_back(path(part));
    return result;
  }

 private:
  const SshSettings& settings_;
  LocalUser user_;
};

// The files of the command line, then those of ssh_config; where neither names one, ssh lists its
// defaults, of which libssh can use three: the quickest first.
std::vector<std::string> identity_files(const Answers& answers, const SshTarget& target,
                                        const Expansion& expansion) {
  std::vector<std::string> wanted = target.identity_files;
  const auto [begin, end] = answers.equal_range("identityfile");
  std::vector<std::string> configured;
  for (auto answer = begin; answer != end; ++answer) configured.push_back(answer->second);
  const std::vector<std::string> defaults{"~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa"};
  const bool all_defaults =
      std::all_of(defaults.begin(), defaults.end(), [&](const std::string& name) {
        return std::find(configured.begin(), configured.end(), name) != configured.end();
      });
  if (!all_defaults) {
    wanted.insert(wanted.end(), configured.begin(), configured.end());
  } else if (wanted.empty()) {
    wanted = defaults;
  }
  std::vector<std::string> files;
  for (const std::string& name : wanted) {
    const std::string file = expansion.path(name);
    if (name != "none" && std::find(files.begin(), files.end(), file) == files.end()) {
      files.push_back(file);
    }
  }
  return files;
}

std::string identity_agent(const Answers& answers, const Expansion& expansion) {
  const std::string value = first_answer(answers, "identityagent");
  if (value == "none") return {};
  std::string variable = "SSH_AUTH_SOCK";
  if (!value.empty() && value != variable) {
    if (value.front() != '$') return expansion.path(value);
    variable = value.substr(1);
    if (variable.starts_with("{") && variable.ends_with("}")) {
      variable = variable.substr(1, variable.size() - 2);
    }
  }
  const char* path = std::getenv(variable.c_str());
  return path == nullptr ? std::string{} : path;
}

HostKeyPolicy policy_of(const std::string& text) {
  if (text == "no" || text == "off" || text == "false") return HostKeyPolicy::kOff;
  if (text == "accept-new") return HostKeyPolicy::kAcceptNew;
  return HostKeyPolicy::kStrict;
}

// ProxyJump's "[user@]host[:port],..." or "ssh://...": the last hop is the one that reaches the
// host, and ssh finds the way to it by the others.
std::vector<std::string> jump_command(const std::string& jump, const SshSettings& settings,
                                      const std::string& program, const std::string& config) {
  const std::size_t comma = jump.rfind(',');
  std::string last = comma == std::string::npos ? jump : jump.substr(comma + 1);
  if (last.starts_with("ssh://")) last = last.substr(6);
  std::vector<std::string> argv{program, "-T", "-o", "BatchMode=yes"};
  if (!config.empty()) argv.insert(argv.end(), {"-F", config});
  if (comma != std::string::npos) argv.insert(argv.end(), {"-J", jump.substr(0, comma)});
  if (const std::size_t at = last.rfind('@'); at != std::string::npos) {
    argv.insert(argv.end(), {"-l", last.substr(0, at)});
    last = last.substr(at + 1);
  }
  // "[v6]:port", "name:port"; a bare v6 address has more than one colon.
  const std::size_t colon = last.rfind(':');
  if (colon != std::string::npos && (last.find(':') == colon || last[colon - 1] == ']')) {
    argv.insert(argv.end(), {"-p", last.substr(colon + 1)});
    last = last.substr(0, colon);
  }
  if (last.starts_with("[") && last.ends_with("]")) last = last.substr(1, last.size() - 2);
  argv.insert(argv.end(),
              {"-W", fmt::format("[{}]:{}", settings.hostname, settings.port), "--", last});
  return argv;
}

template <typename Number>
std::optional<Number> number_answer(const Answers& answers, const std::string& name) {
  const std::string text = first_answer(answers, name);
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

SshSettings settings_from(const Answers& answers, const SshTarget& target,
                          const SshClientFiles& files) {
  SshSettings settings;
  settings.host = target.host;
  settings.hostname = first_answer(answers, "hostname");
  if (settings.hostname.empty()) settings.hostname = target.host;
  // ssh prints names in lower case.
  if (host_key(settings.hostname) == host_key(target.host)) settings.address = target.address;
  settings.port = target.port.value_or(number_answer<std::uint16_t>(answers, "port").value_or(22));
  settings.user = target.user.empty() ? first_answer(answers, "user") : target.user;
  if (settings.user.empty()) settings.user = local_user().name;
  settings.host_key_alias = first_answer(answers, "hostkeyalias");

  const Expansion expansion{settings, files};
  settings.identity_files = identity_files(answers, target, expansion);
  settings.identities_only = first_answer(answers, "identitiesonly") == "yes";
  settings.identity_agent = identity_agent(answers, expansion);
  settings.host_key_policy =
      target.host_key_policy.value_or(policy_of(first_answer(answers, "stricthostkeychecking")));

  const auto known_hosts = [&](const std::string& name, const std::string& otherwise) {
    const std::string answer = first_answer(answers, name);
    return expansion.paths(answer.empty() ? otherwise : answer);
  };
  if (target.known_hosts_file.empty()) {
    settings.user_known_hosts = known_hosts("userknownhostsfile", "~/.ssh/known_hosts");
  } else if (target.known_hosts_file != "none") {
    settings.user_known_hosts = {expansion.path(target.known_hosts_file)};
  }
  settings.system_known_hosts = known_hosts("globalknownhostsfile", "/etc/ssh/ssh_known_hosts");

  const std::string jump = first_answer(answers, "proxyjump");
  const std::string command = first_answer(answers, "proxycommand");
  if (!jump.empty() && jump != "none") {
    settings.proxy_command =
        jump_command(jump, settings, files.program, config_file(target, files));
  } else if (!command.empty() && command != "none") {
    settings.proxy_command = {"/bin/sh", "-c", "exec " + expansion.tokens(command)};
  }

  settings.connect_timeout = target.connect_timeout;
  if (const auto seconds = number_answer<unsigned>(answers, "connecttimeout");
      seconds && !settings.connect_timeout) {
    settings.connect_timeout = std::chrono::seconds{*seconds};
  }
  settings.connection_attempts = target.connection_attempts;
  if (const auto attempts = number_answer<unsigned>(answers, "connectionattempts");
      attempts && settings.connection_attempts <= 1) {
    settings.connection_attempts = std::max(1U, *attempts);
  }
  for (const char* name :
       {"kexalgorithms", "hostkeyalgorithms", "ciphers", "macs", "pubkeyacceptedalgorithms"}) {
    settings.algorithms[name] = first_answer(answers, name);
  }
  return settings;
}

// The last line says why ssh gave up; the lines before it are its reasons in full.
std::string in_one_line(const std::string& text) {
  std::string line;
  for (const std::string& part : split(text, '\n')) {
    if (!line.empty()) line += "; ";
    line += part;
  }
  return line.substr(0, 500);
}

}  // namespace

std::string SshSettings::name() const {
  return port == 22 ? fmt::format("{}@{}", user, host) : fmt::format("{}@{}:{}", user, host, port);
}

Result<SshSettings> resolve_ssh_settings(const SshTarget& target, const SshClientFiles& files,
                                         const Clock& clock, Log& log, Deadline deadline) {
  if (!is_ssh_host(target.host)) {
    return Error{Code::kConfig,
                 fmt::format("\"{}\" is not a host name for SSH", printable(target.host))};
  }
  if (!target.user.empty() && !is_ssh_user(target.user)) {
    return Error{Code::kConfig,
                 fmt::format("\"{}\" is not a user name for SSH", printable(target.user))};
  }
  Result<ProgramOutput> output = run_program(ssh_command_line(target, files), clock, deadline);
  if (!output.ok()) {
    if (output.error().code != Code::kConfig) {
      return output.error().with_context("reading ssh_config for " + target.name());
    }
    log.warning("{}; ssh_config is not read for {}", output.error().message, target.name());
    return settings_from({}, target, files);
  }
  if (output.value().exit_status != 0 || output.value().out.empty()) {
    return Error{Code::kConfig, fmt::format("ssh cannot read its configuration for {}: {}",
                                            target.name(), in_one_line(output.value().err))};
  }
  const Answers answers = parse_answers(output.value().out);
  for (const char* name : {"hostname", "user"}) {
    const std::string said = first_answer(answers, name);
    const bool good = std::string_view{name} == "user" ? is_ssh_user(said) : is_ssh_host(said);
    if (!said.empty() && !good) {
      return Error{Code::kConfig,
                   fmt::format("ssh's configuration gives {} {} \"{}\", which is none",
                               target.name(), name, printable(said))};
    }
  }
  return settings_from(answers, target, files);
}

}  // namespace mha
