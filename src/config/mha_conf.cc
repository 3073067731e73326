// The two files of MHA's configuration put together, and checks across their sections.
#include "config/mha_conf.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "config/ascii.h"
#include "config/host_name.h"
#include "config/ini_reader.h"
#include "config/mha_params.h"
#include "config/mha_section.h"
#include "config/suggestion.h"

namespace mha {
namespace {

constexpr std::string_view kServerDefault = "server default";
constexpr std::string_view kServer = "server";
constexpr std::string_view kBinlog = "binlog";

// MHA: the prefix and at least one character behind it that is no white space.
bool is_block(std::string_view name, std::string_view prefix) {
  return name.starts_with(prefix) && name.size() > prefix.size() && !is_space(name[prefix.size()]);
}

// The first number in "server..."; its digits, without leading zeros.
std::optional<std::string_view> number_of(std::string_view id) {
  constexpr std::string_view kDigits = "0123456789";
  const auto begin = id.find_first_of(kDigits);
  if (begin == std::string_view::npos) {
    return std::nullopt;
  }
  id = id.substr(begin, id.find_first_not_of(kDigits, begin) - begin);
  id.remove_prefix(std::min(id.find_first_not_of('0'), id.size()));
  return id;
}

bool number_less(std::string_view a, std::string_view b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

std::uint16_t port_from(const std::string& checked_text) {
  std::uint16_t port = 0;
  std::from_chars(checked_text.data(), checked_text.data() + checked_text.size(), port);
  return port;
}

bool is_true(const std::string& perl_value) { return !perl_value.empty() && perl_value != "0"; }

MhaServer server_from(const std::string& id, const MhaValues& values) {
  MhaServer server;
  server.id = id;
  server.hostname = values.text("hostname");
  server.ip = values.text("ip");
  server.port = port_from(values.text("port"));
  server.ssh_port = port_from(values.text("ssh_port"));
  server.ssh_host = values.text("ssh_host");
  server.ssh_ip = values.text("ssh_ip");
  server.ssh_user = values.text("ssh_user");
  server.user = values.text("user");
  server.password = values.password("password");
  server.repl_user = values.text("repl_user");
  server.repl_password = values.password("repl_password");
  server.candidate_master = is_true(values.text("candidate_master"));
  server.no_master = is_true(values.text("no_master"));
  server.values = values.texts;
  return server;
}

// MHA compares resolved addresses. Where one of the two is unknown, names are all there is.
bool is_same_instance(const MhaServer& a, const MhaServer& b) {
  if (a.port != b.port) {
    return false;
  }
  return a.ip.empty() || b.ip.empty() ? host_key(a.hostname) == host_key(b.hostname)
                                      : host_key(a.ip) == host_key(b.ip);
}

// The rows of "NAME=VALUE" lines. They point into `text`.
IniSection rows_of(const std::string& text) {
  IniSection section{kServerDefault, 0, {}};
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = std::string_view{text}.substr(begin, end - begin);
    const std::size_t equals = line.find('=');
    if (equals != std::string_view::npos) {
      section.rows.push_back({trimmed(line.substr(0, equals)), line.substr(equals + 1), 0});
    }
    begin = end + 1;
  }
  return section;
}

class Loader {
 public:
  explicit Loader(const RunConfScript& run_script) : run_script_(run_script) {}

  Result<MhaConf> load(const std::string& app_file, const std::string& global_file) {
    conf_.file = app_file;
    MhaValues defaults;
    struct stat about {};
    if (stat(global_file.c_str(), &about) == 0 && S_ISREG(about.st_mode)) {
      defaults = read_global(global_file);
    }
    read_app(app_file, defaults);
    if (has_error(remarks_)) {
      return config_error(remarks_);
    }
    conf_.warnings = std::move(remarks_);
    return std::move(conf_);
  }

 private:
  void add_remarks(const std::vector<Diagnostic>& remarks) {
    remarks_.insert(remarks_.end(), remarks.begin(), remarks.end());
  }

  // The sections by name, each joined from its parts, remarks taken.
  std::map<std::string, MhaSection> sections_of(const std::string& file,
                                                const IniDocument& document) {
    std::map<std::string, MhaSection> sections;
    for (const IniSection& part : document.sections) {
      const std::string name(part.name);
      const auto [found, is_new] = sections.try_emplace(name, file, name, part.line);
      if (!is_new) {
        remarks_.push_back(
            {Severity::kWarning, file, part.line, printable(name), "",
             fmt::format("the section that line {} began goes on here", found->second.line())});
      }
      found->second.add(part);
    }
    return sections;
  }

  // [server default] over what is behind it; there may be none.
  MhaValues merge_defaults(const std::string& file,
                           const std::map<std::string, MhaSection>& sections,
                           const MhaValues& inherited) {
    const auto found = sections.find(std::string(kServerDefault));
    if (found == sections.end()) {
      return MhaSection(file, std::string(kServerDefault), 0).over(inherited);
    }
    add_remarks(found->second.remarks());
    add_remarks(found->second.ignored_as_default());
    MhaValues merged = found->second.over(inherited);
    note_ssh_options(merged);
    return merged;
  }

  void note_exposed(const std::string& file, const IniDocument& document) {
    struct stat about {};
    if (stat(file.c_str(), &about) != 0 || (about.st_mode & S_IROTH) == 0) return;
    for (const IniSection& section : document.sections) {
      for (const IniRow& row : section.rows) {
        const MhaParam* param = find_mha_param(row.key);
        if (param == nullptr || param->kind != MhaValueKind::kPassword || row.value.empty()) {
          continue;
        }
        conf_.exposed_files.push_back(file);
        return;
      }
    }
  }

  MhaValues read_global(const std::string& file) {
    const IniDocument document = read_ini(file, IniDialect::kConfigTiny);
    add_remarks(document.errors);
    note_exposed(file, document);
    return merge_defaults(file, sections_of(file, document), {});
  }

  void read_app(const std::string& file, const MhaValues& inherited) {
    const IniDocument document = read_ini(file, IniDialect::kConfigTiny);
    add_remarks(document.errors);
    note_exposed(file, document);
    const std::map<std::string, MhaSection> sections = sections_of(file, document);
    const MhaValues defaults = with_script_output(file, merge_defaults(file, sections, inherited));
    conf_.defaults = defaults.texts;
    // In the order of names, as MHA does.
    for (const auto& [name, section] : sections) {
      if (name != kServerDefault) {
        read_block(section, defaults);
      }
    }
    sort_servers();
    for (MhaServer& server : conf_.servers) {
      server.ssh_options = ssh_options_;
    }
    for (MhaServer& server : conf_.binlog_servers) {
      server.ssh_options = ssh_options_;
    }
    if (document.errors.empty()) {
      check_servers(file, sections);
    }
  }

  // What init_conf_load_script prints, over what the files say.
  MhaValues with_script_output(const std::string& file, MhaValues defaults) {
    const std::string command = defaults.text("init_conf_load_script");
    if (!is_true(command)) {
      return defaults;
    }
    const auto remark = [&](Severity severity, std::string message) {
      remarks_.push_back({severity, file, 0, std::string(kServerDefault), "init_conf_load_script",
                          std::move(message)});
    };
    if (!run_script_) {
      remark(Severity::kWarning,
             "is not run here: what it prints (often users and passwords) is not known");
      return defaults;
    }
    const Result<Secret> printed = run_script_(command);
    if (!printed.ok()) {
      remark(Severity::kError, printed.error().message);
      return defaults;
    }
    // Its arguments may be as secret as what it prints.
    MhaSection section(command.substr(0, command.find_first_of(" \t")), std::string(kServerDefault),
                       0);
    section.add(rows_of(printed.value().reveal()));
    add_remarks(section.remarks());
    MhaValues merged = section.over(defaults);
    note_ssh_options(merged);
    return merged;
  }

  void read_block(const MhaSection& section, const MhaValues& defaults) {
    const std::string& name = section.name();
    const bool is_server = is_block(name, kServer);
    if (!is_server && !is_block(name, kBinlog)) {
      remarks_.push_back(section.remark(
          Severity::kError, "",
          "MHA takes no such section: there are [server default], [server1], [binlog1] and so on"));
      return;
    }
    add_remarks(section.remarks());
    const MhaValues values = section.over(defaults);
    note_ssh_options(values);
    (is_server ? conf_.servers : conf_.binlog_servers).push_back(server_from(name, values));
  }

  void note_ssh_options(const MhaValues& values) {
    const std::string options = values.text("ssh_options");
    if (is_true(options)) {
      ssh_options_ = options;
    }
  }

  // By number where every name has one, else by name (they come in that order).
  void sort_servers() {
    const bool all_numbered =
        std::all_of(conf_.servers.begin(), conf_.servers.end(),
                    [](const MhaServer& server) { return number_of(server.id).has_value(); });
    if (all_numbered) {
      std::stable_sort(conf_.servers.begin(), conf_.servers.end(),
                       [](const MhaServer& a, const MhaServer& b) {
                         return number_less(*number_of(a.id), *number_of(b.id));
                       });
    }
  }

  void check_servers(const std::string& file, const std::map<std::string, MhaSection>& sections) {
    if (conf_.servers.empty()) {
      remarks_.push_back({Severity::kError, file, 0, "", "",
                          "names no server: each needs a section like [server1] with a hostname"});
    }
    for (const MhaServer& server : conf_.servers) {
      check_hostname(sections.at(server.id), server, Severity::kError);
    }
    for (const MhaServer& server : conf_.binlog_servers) {
      check_hostname(sections.at(server.id), server, Severity::kWarning);
    }
    for (auto a = conf_.servers.begin(); a != conf_.servers.end(); ++a) {
      for (auto b = std::next(a); b != conf_.servers.end(); ++b) {
        if (!a->hostname.empty() && is_same_instance(*a, *b)) {
          remarks_.push_back(sections.at(b->id).remark(
              Severity::kError, "hostname",
              fmt::format("[{}] (line {}) is the same server, {} port {}", a->id,
                          sections.at(a->id).line(), printable(a->hostname), a->port)));
        }
      }
    }
  }

  void check_hostname(const MhaSection& section, const MhaServer& server, Severity severity) {
    if (!is_true(server.hostname)) {
      const bool meant_default = edit_distance(server.id.substr(0, 20), kServerDefault) <= 2;
      remarks_.push_back(section.remark(
          severity, "hostname",
          std::string("is missing") + (meant_default ? "; did you mean [server default]?" : "")));
    }
  }

  const RunConfScript& run_script_;
  MhaConf conf_;
  std::vector<Diagnostic> remarks_;
  std::string ssh_options_;
};

}  // namespace

const MhaServer* MhaConf::find(const std::string& host, std::uint16_t port) const {
  const std::string key = host_key(host);
  const auto found = std::find_if(servers.begin(), servers.end(), [&](const MhaServer& server) {
    const bool is_host = host_key(server.hostname) == key || host_key(server.ip) == key;
    return is_host && (port == 0 || server.port == port);
  });
  return host.empty() || found == servers.end() ? nullptr : &*found;
}

Result<MhaConf> load_mha_conf(const std::string& app_file, const std::string& global_file,
                              const RunConfScript& run_script) {
  return Loader(run_script).load(app_file, global_file);
}

}  // namespace mha
