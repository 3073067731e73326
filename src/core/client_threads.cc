// Telling clients from replication, daemons and MHA.
#include "core/client_threads.h"

#include <fmt/core.h>

#include <algorithm>

namespace mha {
namespace {

bool is_server_thread(const ServerThread& thread) {
  return thread.user == "system user" || thread.user == "event_scheduler" ||
         thread.command == "Daemon" || thread.command.starts_with("Binlog Dump") ||
         thread.command == "Slave_IO" || thread.command == "Slave_SQL" ||
         thread.command == "Slave_worker";
}

}  // namespace

const std::vector<std::string>& mha_lock_names() {
  static const std::vector<std::string> names{kMhaMonitorLock, kMhaFailoverLock};
  return names;
}

std::vector<ServerThread> client_threads(const std::vector<ServerThread>& threads,
                                         const std::vector<std::uint64_t>& spared) {
  std::vector<ServerThread> clients;
  for (const ServerThread& thread : threads) {
    const bool is_spared = std::find(spared.begin(), spared.end(), thread.id) != spared.end();
    if (!is_server_thread(thread) && !is_spared) clients.push_back(thread);
  }
  return clients;
}

std::string summarize_threads(const std::vector<ServerThread>& threads) {
  constexpr std::size_t kShown = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(threads.size(), kShown); ++i) {
    text += fmt::format("{}{} {}@{}", i == 0 ? "" : ", ", threads[i].id, threads[i].user,
                        threads[i].host);
  }
  if (threads.size() > kShown) text += fmt::format(" and {} more", threads.size() - kShown);
  return text;
}

}  // namespace mha
