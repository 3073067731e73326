// Copying journals, and moving logs.
#include "cli/run_archive.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <system_error>

#include "base/private_folder.h"
#include "config/host_name.h"
#include "core/atomic_file.h"
#include "engine/cluster.h"

namespace mha {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kMode = 0600;
constexpr std::string_view kSuffix = ".journal";
constexpr std::string_view kMhaWorkdir = "/var/tmp";

std::vector<std::string> journals_in(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    // The hooks' journals are parts of MHA's runs, and there may be many.
    const bool is_ours = name.starts_with("switchover-") || name.starts_with("failover-");
    if (is_ours && name.ends_with(kSuffix)) paths.push_back(entry.path());
  }
  return paths;
}

std::string name_of(const std::string& path) { return fs::path(path).filename().string(); }

bool belongs(const JournalFile& journal, const RunFolders& folders) {
  const nlohmann::json& header = journal.records.front();
  const std::string application = header.value("application", folders.application);
  if (application != folders.application || header.value("engine", "") != "native") return false;
  const auto master = header.find("orig_master");
  if (master == header.end() || !master->is_object()) return false;
  const std::string host = host_key(master->value("host", ""));
  const auto port = master->value("port", std::uint16_t{0});
  return std::any_of(folders.hosts.begin(), folders.hosts.end(), [&](const auto& one) {
    return host_key(one.first) == host && one.second == port;
  });
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool is_same_size(const std::string& one, const std::string& other) {
  std::error_code missing;
  const auto size = fs::file_size(one, missing);
  if (missing) return false;
  const auto other_size = fs::file_size(other, missing);
  // A journal is only added to.
  return !missing && size == other_size;
}

// To the end of what the archive has of it: a rollback goes on in its run's log.
Status move_log(const std::string& from, const std::string& to) {
  std::error_code error;
  if (!fs::exists(from, error)) return {};
  if (const Status kept = write_atomically(to, content_of(to) + content_of(from), kMode);
      !kept.ok()) {
    return kept;
  }
  fs::remove(from, error);
  return {};
}

Status archive_one(const std::string& path, const std::string& folder) {
  const std::string to = folder + "/" + name_of(path);
  if (!is_same_size(path, to)) {
    if (const Status copied = write_atomically(to, content_of(path), kMode); !copied.ok()) {
      return copied;
    }
  }
  return move_log(log_path_of(path), log_path_of(to));
}

}  // namespace

RunFolders run_folders(const MhaConf& conf, const std::string& state_dir) {
  RunFolders folders;
  folders.application = application_name(conf.file);
  folders.state_dir = state_dir;
  for (const MhaServer& server : conf.servers) {
    folders.hosts.emplace_back(server.hostname, server.port);
  }
  if (!conf.servers.empty()) {
    const auto& values = conf.servers.front().values;
    const auto found = values.find("manager_workdir");
    if (found != values.end() && found->second != kMhaWorkdir) folders.workdir = found->second;
  }
  return folders;
}

void append_to_manager_log(const MhaConf& conf, RunConsole& console) {
  if (conf.servers.empty()) return;
  const auto& values = conf.servers.front().values;  // as MHA: the first server's
  const auto found = values.find("manager_log");
  if (found != values.end() && !found->second.empty() && found->second != "0") {
    console.append_to_manager_log(found->second);
  }
}

std::string archive_folder(const RunFolders& folders) {
  if (folders.workdir.empty()) return "";
  return fmt::format("{}/{}.runs", folders.workdir, folders.application);
}

std::vector<JournalFile> runs_of(const RunFolders& folders) {
  std::vector<std::string> paths = journals_in(folders.state_dir);
  std::set<std::string> seen;
  for (const std::string& path : paths) seen.insert(name_of(path));
  for (const std::string& path : journals_in(archive_folder(folders))) {
    if (seen.insert(name_of(path)).second) paths.push_back(path);
  }
  std::vector<JournalFile> runs;
  for (const std::string& path : paths) {
    Result<JournalFile> journal = read_journal(path);
    if (journal.ok() && belongs(journal.value(), folders)) {
      runs.push_back(std::move(journal).value());
    }
  }
  return runs;
}

void archive_runs(const RunFolders& folders, Clock& clock, Log& log) {
  const std::string folder = archive_folder(folders);
  if (folder.empty()) return;
  const auto warn = [&log, &folders](const Error& error) {
    log.warning("the run's journal and log stay in {}: {}", folders.state_dir, error.message);
  };
  for (const std::string& path : journals_in(folders.state_dir)) {
    std::error_code missing;
    const bool has_log = fs::exists(log_path_of(path), missing);
    if (!has_log && is_same_size(path, folder + "/" + name_of(path))) continue;
    const Result<JournalFile> journal = read_journal(path);
    if (!journal.ok() || !belongs(journal.value(), folders)) continue;
    if (!wait_for_journal(path, clock, clock.deadline_after(Milliseconds{0})).ok()) continue;
    // As MHA makes its workdir.
    if (const Status made = ensure_folder(folders.workdir); !made.ok()) return warn(made.error());
    if (const Status made = ensure_private_folder(folder); !made.ok()) return warn(made.error());
    if (const Status kept = archive_one(path, folder); !kept.ok()) return warn(kept.error());
  }
}

}  // namespace mha
