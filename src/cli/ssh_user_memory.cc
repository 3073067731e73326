// One small file a host.
#include "cli/ssh_user_memory.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <fstream>

#include "base/private_folder.h"
#include "core/atomic_file.h"
#include "core/journal.h"

namespace mha {
namespace {

// Of useradd(8)'s names, and what directories allow beyond them.
bool is_user_name(const std::string& user) {
  constexpr std::size_t kLongest = 256;
  return !user.empty() && user.size() <= kLongest && user.front() != '-' &&
         std::all_of(user.begin(), user.end(),
                     [](unsigned char c) { return std::isgraph(c) != 0 && c != '/'; });
}

std::string path_for(const std::string& state_dir, const std::string& host) {
  return fmt::format("{}/ssh_user-{}", state_dir, journal_subject(host, 22));
}

}  // namespace

Status remember_ssh_user(const std::string& state_dir, const std::string& host,
                         const std::string& user) {
  if (!is_user_name(user) || recall_ssh_user(state_dir, host) == user) return {};
  if (Status made = ensure_private_folder(state_dir); !made.ok()) return made;
  return write_atomically(path_for(state_dir, host), user, 0600);
}

std::string recall_ssh_user(const std::string& state_dir, const std::string& host) {
  std::ifstream file{path_for(state_dir, host)};
  std::string user;
  std::getline(file, user);
  return is_user_name(user) ? user : "";
}

}  // namespace mha
