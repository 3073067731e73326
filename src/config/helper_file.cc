// Reading of one file: sections over [default] over built-in values, every value checked.
#include "config/helper_file.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "config/ascii.h"
#include "config/host_layer.h"
#include "config/host_name.h"
#include "config/ini_reader.h"
#include "config/known_options.h"
#include "config/suggestion.h"

namespace mha {
namespace {

constexpr std::string_view kDefault = "default";

std::string about_unknown_key(const std::string& key) {
  if (key == "read_only_config_file") {
    return "is not supported: write read_only = 1 into each server's own my.cnf instead";
  }
  return fmt::format("unknown option, ignored{}", option_suggestion(key));
}

std::string about_bad_section(std::string_view name) {
  if (lower_case(name).starts_with("server ")) {
    return "is a section of MHA's application configuration: that file belongs elsewhere";
  }
  return "is neither [default] nor a host name or address";
}

bool resembles_default(const std::string& name) {
  return edit_distance(lower_case(name).substr(0, 16), kDefault) <= 2;
}

class Reader {
 public:
  explicit Reader(const std::string& path) : document_(read_ini(path, IniDialect::kConfigParser)) {
    file_.path = path;
    file_.diagnostics = document_.errors;
  }

  HelperFile read() {
    if (document_.sections.empty()) {
      if (file_.diagnostics.empty()) {
        add(Severity::kError, {}, "", "has no section: write [default] and one section a host");
      }
      return std::move(file_);
    }
    read_defaults();
    read_hosts();
    settle_defaults();
    std::stable_sort(file_.diagnostics.begin(), file_.diagnostics.end(),
                     [](const Diagnostic& a, const Diagnostic& b) { return a.line < b.line; });
    return std::move(file_);
  }

 private:
  struct Host {
    std::string name;
    int line = 0;
    HostLayer layer;
    std::map<std::string, int> own_keys;
  };

  static bool is_default(const IniSection& section) { return lower_case(section.name) == kDefault; }

  void add(Severity severity, const Place& place, std::string_view key, std::string message) {
    file_.diagnostics.push_back({severity, file_.path, place.line, printable(place.section),
                                 printable(key), std::move(message)});
  }

  void read_defaults() {
    // ConfigParser's own [DEFAULT] stood behind a [default] wherever in the file it was.
    std::vector<const IniSection*> parts;
    for (const IniSection& section : document_.sections) {
      if (is_default(section)) {
        parts.push_back(&section);
      }
    }
    std::stable_partition(parts.begin(), parts.end(),
                          [](const IniSection* part) { return part->name == "DEFAULT"; });
    std::map<std::string, int> own_keys;
    for (const IniSection* part : parts) {
      if (part != parts.front()) {
        warn_of_second(*part, parts.front()->line);
      }
      read_rows(*part, defaults_, own_keys);
    }
    default_line_ = parts.empty() ? 0 : parts.front()->line;
  }

  void read_hosts() {
    std::map<std::string, Host> hosts;
    for (const IniSection& section : document_.sections) {
      if (is_default(section)) {
        continue;
      }
      const std::string name(section.name);
      if (!is_host(name)) {
        add(Severity::kError, {name, section.line}, "", about_bad_section(name));
      } else if (resembles_default(name)) {
        add(Severity::kWarning, {name, section.line}, "",
            "is taken as a host of that name; did you mean [default]?");
      }
      const auto [found, is_new] = hosts.try_emplace(host_key(name));
      Host& host = found->second;
      if (is_new) {
        host = Host{name, section.line, defaults_, {}};
      } else {
        warn_of_second(section, host.line);
      }
      read_rows(section, host.layer, host.own_keys);
    }
    for (const auto& [key, host] : hosts) {
      if (is_host(host.name)) {
        file_.hosts[key] = {settle_host(host), host.line};
      }
    }
  }

  void warn_of_second(const IniSection& section, int first_line) {
    add(Severity::kWarning, {std::string(section.name), section.line}, "",
        fmt::format("the section that line {} began goes on here", first_line));
  }

  void read_rows(const IniSection& section, HostLayer& layer,
                 std::map<std::string, int>& own_keys) {
    for (const IniRow& row : section.rows) {
      const std::string key = lower_case(row.key);
      const Place place{std::string(section.name), row.line};
      const auto [before, is_new] = own_keys.try_emplace(key, row.line);
      if (!is_new) {
        add(Severity::kWarning, place, key,
            fmt::format("is given in line {} already; this line counts", before->second));
        before->second = row.line;
      }
      const KnownOption* option = find_option(key);
      if (option == nullptr) {
        add(Severity::kWarning, place, key, about_unknown_key(key));
        continue;
      }
      auto assignment = option->parse(row.value);
      layer.places[key] = place;
      if (!assignment.ok()) {
        const bool continued = row.value.find('\n') != std::string_view::npos;
        add(Severity::kError, place, key,
            assignment.error().message +
                (continued ? " (an indented line continues the value above it)" : ""));
        layer.has_bad_value = true;
        continue;
      }
      assignment.value()(layer.draft);
    }
  }

  HostSettings settle_host(const Host& host) {
    SettledHost settled = settle(file_.path, {host.name, host.line}, host.layer);
    settled.settings.host = host.name;
    if (!host.layer.has_bad_value) {
      add_once(settled.problems);
    }
    return std::move(settled.settings);
  }

  // What is wrong in [default] shows in every host, and is said once.
  void add_once(const std::vector<Diagnostic>& problems) {
    for (const Diagnostic& problem : problems) {
      if (said_.insert(problem.text()).second) {
        file_.diagnostics.push_back(problem);
      }
    }
  }

  void settle_defaults() {
    if (default_line_ == 0) {
      file_.default_problems.push_back(
          {Severity::kError, file_.path, 0, "", "", "has no [default] section"});
      return;
    }
    SettledHost settled = settle(file_.path, {std::string(kDefault), default_line_}, defaults_);
    file_.defaults = std::move(settled.settings);
    if (defaults_.has_bad_value) {
      return;
    }
    if (file_.hosts.empty()) {
      add_once(settled.problems);
    }
    file_.default_problems = std::move(settled.problems);
  }

  const IniDocument document_;
  HelperFile file_;
  HostLayer defaults_;
  int default_line_ = 0;
  std::set<std::string> said_;
};

}  // namespace

HelperFile read_helper_file(const std::string& path) { return Reader(path).read(); }

}  // namespace mha
