// Words, then flags, then -o options, each into an SshTarget.
#include "ssh/ssh_options.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "config/diagnostic.h"

namespace mha {
namespace {

// What the text is made of may be anything: messages are one line.
Error usage(std::string_view message) {
  return Error{Code::kUsage, fmt::format("ssh_options: {}", printable(message))};
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string lower(std::string_view text) {
  std::string result{text};
  std::transform(result.begin(), result.end(), result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// The words that sh would make of `text`, without any expansion.
Result<std::vector<std::string>> split_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == '\'') {
      if (c == quote) {
        quote = '\0';
      } else {
        word += c;
      }
    } else if (c == '\\' && i + 1 < text.size() &&
               (quote == '\0' ||
                std::string_view{"\"\\$`"}.find(text[i + 1]) != std::string_view::npos)) {
      word += text[++i];
      in_word = true;
    } else if (quote == '"') {
      if (c == quote) {
        quote = '\0';
      } else {
        word += c;
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      in_word = true;
    } else if (is_blank(c)) {
      if (in_word) words.push_back(std::exchange(word, {}));
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote != '\0') return usage(fmt::format("no closing {} in \"{}\"", quote, text));
  if (in_word) words.push_back(std::move(word));
  return words;
}

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto port = parse_number<std::uint16_t>(text);
  return port == std::uint16_t{0} ? std::nullopt : port;
}

// sshd_config(5), TIME FORMATS: "90", "90s", "1m30s".
std::optional<std::chrono::seconds> parse_time(std::string_view text) {
  std::int64_t total = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = parse_number<std::uint32_t>(text.substr(0, digits));
    if (!number) return std::nullopt;
    text.remove_prefix(digits);
    std::int64_t unit = 1;
    if (!text.empty()) {
      switch (text.front()) {
        case 's':
        case 'S':
          break;
        case 'm':
        case 'M':
          unit = 60;
          break;
        case 'h':
        case 'H':
          unit = 3600;
          break;
        case 'd':
        case 'D':
          unit = 86400;
          break;
        case 'w':
        case 'W':
          unit = 604800;
          break;
        default:
          return std::nullopt;
      }
      text.remove_prefix(1);
    }
    total += unit * std::int64_t{*number};
    // So that no arithmetic on deadlines can overflow; ssh itself stops at the same bound.
    if (total > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
  }
  return std::chrono::seconds{total};
}

std::optional<HostKeyPolicy> parse_policy(std::string_view text) {
  const std::string value = lower(text);
  if (value == "yes" || value == "true" || value == "ask") return HostKeyPolicy::kStrict;
  if (value == "accept-new") return HostKeyPolicy::kAcceptNew;
  if (value == "no" || value == "false" || value == "off") return HostKeyPolicy::kOff;
  return std::nullopt;
}

// The first word of an option's value, which may be in double quotes.
std::string_view first_value(std::string_view value) {
  if (!value.empty() && value.front() == '"') {
    const std::size_t end = value.find('"', 1);
    return value.substr(1, end == std::string_view::npos ? end : end - 1);
  }
  return value.substr(0, std::min(value.find_first_of(" \t"), value.size()));
}

// What ssh_config.cc takes from the answer of `ssh -G`, and what has a part in that.
constexpr std::array<std::string_view, 18> kForSshItself{"hostname",
                                                         "hostkeyalias",
                                                         "identitiesonly",
                                                         "identityagent",
                                                         "globalknownhostsfile",
                                                         "proxyjump",
                                                         "proxycommand",
                                                         "kexalgorithms",
                                                         "hostkeyalgorithms",
                                                         "ciphers",
                                                         "macs",
                                                         "pubkeyacceptedalgorithms",
                                                         "pubkeyacceptedkeytypes",
                                                         "canonicalizehostname",
                                                         "canonicaldomains",
                                                         "canonicalizemaxdots",
                                                         "canonicalizefallbacklocal",
                                                         "canonicalizepermittedcnames"};

// Not honoured, and not without effect on where or how ssh connects.
struct Unheeded {
  std::string_view name;
  std::string_view as_we_do;  // the value that asks for what is done anyway
};
constexpr std::array<Unheeded, 14> kUnheeded{{{"addressfamily", "any"},
                                              {"bindaddress", ""},
                                              {"bindinterface", ""},
                                              {"certificatefile", "none"},
                                              {"gssapiauthentication", "no"},
                                              {"hostbasedauthentication", "no"},
                                              {"knownhostscommand", "none"},
                                              {"pkcs11provider", "none"},
                                              {"preferredauthentications", "publickey"},
                                              {"proxyusefdpass", "no"},
                                              {"pubkeyauthentication", "yes"},
                                              {"revokedhostkeys", "none"},
                                              {"securitykeyprovider", "internal"},
                                              {"verifyhostkeydns", "no"}}};

bool is_for_ssh_itself(const std::string& name) {
  return std::find(kForSshItself.begin(), kForSshItself.end(), name) != kForSshItself.end();
}

bool is_unheeded(const std::string& name, std::string_view value) {
  const auto* const found = std::find_if(kUnheeded.begin(), kUnheeded.end(),
                                         [&name](const Unheeded& one) { return one.name == name; });
  return found != kUnheeded.end() && lower(value) != found->as_we_do;
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; });
}

class Parser {
 public:
  explicit Parser(SshTarget base) { parsed_.target = std::move(base); }

  Result<ParsedSshOptions> parse(const std::vector<std::string>& words) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::string& word = words[i];
      if (word.size() < 2 || word.front() != '-') {
        ignore(fmt::format("\"{}\"", word));
        continue;
      }
      // Like getopt(3): flags may share a word, and the first that takes a value takes the rest of
      // it or the next word.
      for (std::size_t at = 1; at < word.size(); ++at) {
        const char flag = word[at];
        if (!takes_value(flag)) {
          apply_bare_flag(flag);
          continue;
        }
        std::string value = word.substr(at + 1);
        if (value.empty()) {
          if (i + 1 == words.size()) return usage(fmt::format("-{} needs a value", flag));
          value = words[++i];
        }
        if (Status status = apply_flag(flag, value); !status.ok()) return status.error();
        break;
      }
    }
    return std::move(parsed_);
  }

 private:
  // ssh(1)'s synopsis.
  static bool takes_value(char flag) {
    return std::string_view{"BbcDEeFIiJLlmOoPpQRSWw"}.find(flag) != std::string_view::npos;
  }

  void ignore(const std::string& what) {
    parsed_.ignored.push_back(fmt::format("ssh_options: {} is not used", printable(what)));
  }

  void leave_unheeded(const std::string& what) { parsed_.unheeded.push_back(printable(what)); }

  // Whether `name` has not been set by this text before.
  bool first(const std::string& name) { return seen_.insert(name).second; }

  void apply_bare_flag(char flag) {
    const std::string option{'-', flag};
    if (flag == '4' || flag == '6') {
      leave_unheeded(option);
    } else {
      ignore(option);
    }
  }

  Status apply_flag(char flag, const std::string& value) {
    switch (flag) {
      case 'F':
        return set_config_file(value);
      case 'J':
        return apply("proxyjump", "-J", value);
      case 'c':
        return apply("ciphers", "-c", value);
      case 'm':
        return apply("macs", "-m", value);
      case 'b':
        return apply("bindaddress", "-b", value);
      case 'B':
        return apply("bindinterface", "-B", value);
      case 'I':
        return apply("pkcs11provider", "-I", value);
      case 'i':
        return apply("identityfile", "-i", value);
      case 'l':
        return apply("user", "-l", value);
      case 'p':
        return apply("port", "-p", value);
      case 'o':
        return apply_option(value);
      default:
        ignore(fmt::format("-{} {}", flag, value));
        return {};
    }
  }

  // Of two, ssh reads the last.
  Status set_config_file(const std::string& file) {
    if (file.empty()) return usage("-F needs a value");
    if (has_control_character(file)) {
      return usage(fmt::format("-F: \"{}\" has a control character", file));
    }
    parsed_.target.config_file = file;
    return {};
  }

  Status leave_to_ssh(const std::string& name, const std::string& option, std::string_view value) {
    if (has_control_character(value)) {
      return usage(fmt::format("{}: \"{}\" has a control character", option, value));
    }
    parsed_.target.config_options.push_back(fmt::format("{}={}", name, value));
    return {};
  }

  // "Name=Value", "Name Value", "Name = Value".
  Status apply_option(std::string_view text) {
    text = trim(text);
    const std::size_t name_end = std::min(text.find_first_of("= \t"), text.size());
    const std::string name{text.substr(0, name_end)};
    std::string_view value = trim(text.substr(name_end));
    if (!value.empty() && value.front() == '=') value = trim(value.substr(1));
    if (name.empty()) return usage(fmt::format("-o \"{}\" names no option", text));
    return apply(lower(name), "-o " + name, value);
  }

  // `option` is how the text spells it, for messages.
  Status apply(const std::string& name, const std::string& option, std::string_view value) {
    if (value.empty()) return usage(fmt::format("{} needs a value", option));
    SshTarget& target = parsed_.target;
    const auto bad = [&](std::string_view wanted) {
      return usage(fmt::format("{}: \"{}\" is not {}", option, value, wanted));
    };
    if (name == "identityfile") {
      const std::string file{option == "-i" ? value : first_value(value)};
      if (file.empty()) return usage(fmt::format("{} needs a value", option));
      target.identity_files.push_back(file);
    } else if (name == "user") {
      const std::string user{option == "-l" ? value : first_value(value)};
      if (user.empty()) return usage(fmt::format("{} needs a value", option));
      if (first(name)) target.user = user;
    } else if (name == "port") {
      const auto port = parse_port(value);
      if (!port) return bad("a port from 1 to 65535");
      if (first(name)) target.port = port;
    } else if (name == "stricthostkeychecking") {
      const auto policy = parse_policy(value);
      if (!policy) return bad("yes, ask, accept-new, no or off");
      if (first(name)) target.host_key_policy = policy;
    } else if (name == "userknownhostsfile") {
      const std::string file{first_value(value)};
      if (file.empty()) return usage(fmt::format("{} needs a value", option));
      if (!first(name)) return {};
      const bool several = trim(value).size() > file.size() + 2;
      if (several) return leave_to_ssh(name, option, value);
      target.known_hosts_file = file;
    } else if (name == "connecttimeout") {
      const bool none = lower(value) == "none";
      const auto span = none ? std::nullopt : parse_time(value);
      if (!none && (!span || span->count() == 0)) return bad("a time in seconds of at least 1");
      if (first(name)) target.connect_timeout = span;
    } else if (name == "connectionattempts") {
      const auto attempts = parse_number<std::uint16_t>(value);
      if (!attempts || *attempts == 0) return bad("a number from 1 to 65535");
      if (first(name)) target.connection_attempts = *attempts;
    } else if (name == "serveraliveinterval") {
      const auto span = parse_time(value);
      if (!span) return bad("a time in seconds");
      if (first(name)) {
        target.server_alive_interval = span->count() == 0 ? std::nullopt : span;
      }
    } else if (is_for_ssh_itself(name)) {
      return leave_to_ssh(name, option, value);
    } else if (is_unheeded(name, value)) {
      leave_unheeded(fmt::format("{} {}", option, value));
    } else {
      ignore(fmt::format("{} {}", option, value));
    }
    return {};
  }

  ParsedSshOptions parsed_;
  std::set<std::string> seen_;
};

}  // namespace

std::string ParsedSshOptions::warning() const {
  if (unheeded.empty()) return {};
  return fmt::format(
      "ssh_options: not honoured here, so SSH may reach another host than ssh(1) "
      "does, or none: {}",
      fmt::join(unheeded, ", "));
}

Result<ParsedSshOptions> parse_ssh_options(std::string_view text, SshTarget base) {
  Result<std::vector<std::string>> words = split_words(text);
  if (!words.ok()) return words.error();
  return Parser{std::move(base)}.parse(words.value());
}

}  // namespace mha
