// Reading of one file: sections over [default] over built-in values, every value checked.
#include "config/helper_file.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/core.h>

#include "config/host_name.h"
#include "config/ini_reader.h"
#include "config/known_options.h"
#include "config/option_values.h"
#include "config/suggestion.h"

namespace mha {
namespace {

using std::chrono::seconds;

constexpr std::string_view kDefault = "default";
// What the steps of a hook take beside its two waits, with room for slow SSH.
constexpr seconds kWorkTime{20};
constexpr seconds kLeastOperationTimeout{30};

struct Place {
  std::string section;
  int line = 0;
};

// The settings of [default], or of a host on top of it, and where each key was last written.
struct Layer {
  HostDraft draft;
  std::map<std::string, Place, std::less<>> places;
  bool has_bad_value = false;  // here or below: then checks across options would mislead
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return out;
}

std::string local_host_name() {
  constexpr std::size_t kLongest = 256;
  std::array<char, kLongest> name{};
  const bool known = gethostname(name.data(), name.size() - 1) == 0 && is_host(name.data());
  return known ? name.data() : "localhost";
}

std::uint16_t usual_port(SmtpSecurity security) {
  switch (security) {
    case SmtpSecurity::kNone:
      return 25;
    case SmtpSecurity::kStartTls:
      return 587;
    case SmtpSecurity::kTls:
      return 465;
  }
  return 25;
}

bool is_this_host(const std::string& host) {
  const std::string key = host_key(host);
  return key == "localhost" || key == "::1" || key.starts_with("127.");
}

std::string about_unknown_key(const std::string& key) {
  if (key == "read_only_config_file") {
    return "is not supported: write read_only = 1 into each server's own my.cnf instead";
  }
  return fmt::format("unknown option, ignored{}", option_suggestion(key));
}

std::string about_bad_section(std::string_view name) {
  if (lower(name).starts_with("server ")) {
    return "is a section of MHA's application configuration: that file belongs elsewhere";
  }
  return "is neither [default] nor a host name or address";
}

bool resembles_default(const std::string& name) {
  return edit_distance(lower(name).substr(0, 16), kDefault) <= 2;
}

// Options that only make sense together, once all of them are known.
class Settler {
 public:
  // `section` and `line`: where a host's own section is, for what is in no other place.
  Settler(const std::string& file, std::string section, int line, const Layer& layer)
      : file_(file), here_{std::move(section), line}, layer_(layer), draft_(layer.draft) {}

  HostSettings settle() {
    settle_vip();
    settle_timeout();
    settle_mail();
    draft_.file = file_;
    return draft_;
  }
  [[nodiscard]] const std::vector<Diagnostic>& problems() const { return problems_; }

 private:
  void add(Severity severity, const Place& place, std::string_view key, std::string message) {
    problems_.push_back(
        {severity, file_, place.line, place.section, std::string(key), std::move(message)});
  }
  [[nodiscard]] const Place& place_of(std::string_view key) const {
    const auto found = layer_.places.find(key);
    return found == layer_.places.end() ? here_ : found->second;
  }

  void settle_vip() {
    if (draft_.vip_type == VipType::kNone) {
      draft_.writer_vip.reset();
      return;
    }
    if (!draft_.writer_vip) {
      add_missing("writer_vip_cidr");
    } else if (is_network_or_broadcast(*draft_.writer_vip)) {
      add(Severity::kWarning, place_of("writer_vip_cidr"), "writer_vip_cidr",
          fmt::format("{} is the network's own or its broadcast address, not a host's",
                      draft_.writer_vip->text()));
    }
    if (draft_.vip_type == VipType::kMetal && draft_.cluster_interface.empty()) {
      add_missing("cluster_interface");
    }
  }
  void add_missing(std::string_view key) {
    const bool is_default = lower(here_.section) == kDefault;
    add(Severity::kError, here_, key,
        is_default ? "vip_type = metal needs it, and it is not set here"
                   : fmt::format("vip_type = metal needs it, and neither [{}] nor [default] sets it",
                                 here_.section));
  }

  void settle_timeout() {
    const seconds waits = draft_.kill_after_timeout + draft_.lock_wait_timeout;
    const auto written = draft_.operation_timeout_written;
    // A kill_after_timeout that was written for the Python helper, which had no such limit, must
    // still have its time.
    draft_.operation_timeout =
        written.value_or(std::max(kLeastOperationTimeout, waits + kWorkTime));
    if (written && *written <= waits) {
      add(Severity::kWarning, place_of("operation_timeout"), "operation_timeout",
          fmt::format("{} leaves no time for the work beside kill_after_timeout ({}) and "
                      "lock_wait_timeout ({})",
                      *written, draft_.kill_after_timeout, draft_.lock_wait_timeout));
    }
  }

  void settle_mail() {
    if (draft_.report_from.empty()) {
      draft_.report_from = "mha-helper@" + local_host_name();
    }
    const auto in_host = draft_.port_in_smtp_host;
    const auto own = draft_.smtp_port_written;
    draft_.smtp_port = own ? *own : in_host.value_or(usual_port(draft_.smtp_security));
    if (in_host && own && *in_host != *own) {
      add(Severity::kError, place_of("smtp_port"), "smtp_port",
          fmt::format("{} contradicts the port {} in smtp_host (line {}): write one of them", *own,
                      *in_host, place_of("smtp_host").line));
    }
    if (!draft_.smtp_user.empty() && draft_.smtp_password_file.empty()) {
      add(Severity::kError, place_of("smtp_user"), "smtp_user", "needs smtp_password_file as well");
    }
    if (draft_.smtp_user.empty() && !draft_.smtp_password_file.empty()) {
      add(Severity::kWarning, place_of("smtp_password_file"), "smtp_password_file",
          "is not used without smtp_user");
    }
    if (!draft_.smtp_user.empty() && draft_.smtp_security == SmtpSecurity::kNone &&
        !is_this_host(draft_.smtp_host)) {
      add(Severity::kWarning, place_of("smtp_user"), "smtp_user",
          "its password would cross the network unencrypted: set smtp_security");
    }
  }

  const std::string& file_;
  const Place here_;
  const Layer& layer_;
  HostDraft draft_;
  std::vector<Diagnostic> problems_;
};

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
    Layer layer;
    std::map<std::string, int> own_keys;
  };

  static bool is_default(const IniSection& section) { return lower(section.name) == kDefault; }

  void add(Severity severity, const Place& place, std::string key, std::string message) {
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

  void read_rows(const IniSection& section, Layer& layer, std::map<std::string, int>& own_keys) {
    for (const IniRow& row : section.rows) {
      const std::string key = lower(row.key);
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
    Settler settler(file_.path, host.name, host.line, host.layer);
    HostSettings settings = settler.settle();
    settings.host = host.name;
    if (!host.layer.has_bad_value) {
      add_once(settler.problems());
    }
    return settings;
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
    Settler settler(file_.path, std::string(kDefault), default_line_, defaults_);
    file_.defaults = settler.settle();
    if (defaults_.has_bad_value) {
      return;
    }
    file_.default_problems = settler.problems();
    if (file_.hosts.empty()) {
      add_once(settler.problems());
    }
  }

  const IniDocument document_;
  HelperFile file_;
  Layer defaults_;
  int default_line_ = 0;
  std::set<std::string> said_;
};

}  // namespace

HelperFile read_helper_file(const std::string& path) { return Reader(path).read(); }

}  // namespace mha
