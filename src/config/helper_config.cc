// The folder of configuration files, and the way from a host to its settings.
#include "config/helper_config.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include "config/host_name.h"

namespace mha {
namespace {

namespace fs = std::filesystem;

struct Match {
  const HelperFile* file;
  const HelperHost* host;

  [[nodiscard]] std::string place() const {
    return fmt::format("[{}] in {}:{}", host->settings.host, file->path, host->line);
  }
};

std::vector<std::string> warnings_of(const std::vector<Diagnostic>& diagnostics) {
  std::vector<std::string> texts;
  for (const Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.severity == Severity::kWarning) {
      texts.push_back(diagnostic.text());
    }
  }
  return texts;
}

std::string name_of(const std::string& host, const std::string& ip) {
  if (host.empty() || ip.empty() || host_key(host) == host_key(ip)) {
    return host.empty() ? ip : host;
  }
  return fmt::format("{} ({})", host, ip);
}

std::vector<Diagnostic> hosts_in_two_files(const std::vector<HelperFile>& files) {
  std::vector<Diagnostic> found;
  std::map<std::string, Match> seen;
  for (const HelperFile& file : files) {
    for (const auto& [key, host] : file.hosts) {
      const auto [first, is_new] = seen.try_emplace(key, Match{&file, &host});
      if (!is_new) {
        found.push_back({Severity::kError, file.path, host.line, host.settings.host, "",
                         fmt::format("this host is in another file too: {}; remove one of them",
                                     first->second.place())});
      }
    }
  }
  return found;
}

}  // namespace

Result<HelperConfig> HelperConfig::load(const std::string& config_dir) {
  std::vector<std::string> paths;
  std::error_code error;
  for (fs::directory_iterator entry(config_dir, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.ends_with(".conf") && !name.starts_with('.')) {
      paths.push_back(entry->path().string());
    }
  }
  if (error) {
    return Error{Code::kConfig, fmt::format("cannot read the configuration folder {}: {}",
                                            config_dir, error.message())};
  }
  if (paths.empty()) {
    return Error{Code::kConfig,
                 fmt::format("no *.conf file in the configuration folder {}: put one file for each "
                             "replication cluster there",
                             config_dir)};
  }
  std::sort(paths.begin(), paths.end());

  HelperConfig config;
  config.config_dir_ = config_dir;
  for (const std::string& path : paths) {
    config.files_.push_back(read_helper_file(path));
    const auto& remarks = config.files_.back().diagnostics;
    config.diagnostics_.insert(config.diagnostics_.end(), remarks.begin(), remarks.end());
  }
  std::vector<Diagnostic> twice = hosts_in_two_files(config.files_);
  std::move(twice.begin(), twice.end(), std::back_inserter(config.diagnostics_));
  return config;
}

Result<HelperConfig::Lookup> HelperConfig::find(const std::string& host,
                                                const std::string& ip) const {
  if (host.empty() && ip.empty()) {
    return Error{Code::kInternal, "asked for the configuration of a host without name and address"};
  }
  std::vector<Match> matches;
  for (const HelperFile& file : files_) {
    for (const std::string& key : std::set<std::string>{host_key(host), host_key(ip)}) {
      const auto found = file.hosts.find(key);
      if (found != file.hosts.end()) {
        matches.push_back({&file, &found->second});
      }
    }
  }
  if (matches.empty()) {
    return default_for(host.empty() ? ip : host);
  }
  if (matches.size() > 1) {
    return Error{Code::kConfig,
                 fmt::format("host {} is configured twice: {} and {}; remove one of them",
                             name_of(host, ip), matches[0].place(), matches[1].place())};
  }
  const Match& match = matches.front();
  if (has_error(match.file->diagnostics)) {
    return config_error(match.file->diagnostics);
  }
  return Lookup{match.host->settings, warnings_of(match.file->diagnostics)};
}

bool HelperConfig::needs_address_of(const std::string& host) const {
  const std::string name = host_key(host);
  bool some_by_address = false;
  for (const HelperFile& file : files_) {
    if (file.hosts.contains(name)) return false;
    some_by_address =
        some_by_address || std::any_of(file.hosts.begin(), file.hosts.end(), [](const auto& one) {
          return parse_address(one.first).has_value();
        });
  }
  return some_by_address;
}

Result<HelperConfig::Lookup> HelperConfig::default_for(const std::string& host) const {
  if (files_.size() > 1) {
    std::vector<std::string> names;
    for (const HelperFile& file : files_) {
      names.push_back(file.path + (has_error(file.diagnostics) ? " (which has errors)" : ""));
    }
    return Error{
        Code::kConfig,
        fmt::format("host {} has a section in none of the files {}, and with several files "
                    "there is no saying whose [default] it should get: add [{}] to one",
                    host, fmt::join(names, ", "), host)};
  }
  const HelperFile& file = files_.front();
  if (has_error(file.diagnostics)) {
    return config_error(file.diagnostics);
  }
  if (has_error(file.default_problems)) {
    return config_error(file.default_problems)
        .with_context(fmt::format("host {} has no section in {}, and [default] alone is not enough",
                                  host, file.path));
  }
  Lookup lookup{file.defaults, warnings_of(file.diagnostics)};
  for (std::string& text : warnings_of(file.default_problems)) {
    if (std::find(lookup.warnings.begin(), lookup.warnings.end(), text) == lookup.warnings.end()) {
      lookup.warnings.push_back(std::move(text));
    }
  }
  lookup.settings.host = host;
  lookup.warnings.push_back(
      fmt::format("host {} has no section in {}: [default] is used", host, file.path));
  return lookup;
}

}  // namespace mha
