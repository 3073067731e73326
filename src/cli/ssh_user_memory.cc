// One small file a host.
#include "cli/ssh_user_memory.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "core/journal.h"
#include "ssh/private_folder.h"

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
  std::error_code ignored;  // what it could not make, the next line misses
  std::filesystem::create_directories(std::filesystem::path{state_dir}.parent_path(), ignored);
  if (Status made = ensure_private_folder(state_dir); !made.ok()) return made;
  const std::string path = path_for(state_dir, host);
  const std::string unfinished = fmt::format("{}.{}", path, getpid());
  const int file = open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool written =
      file >= 0 && write(file, user.data(), user.size()) == static_cast<ssize_t>(user.size());
  const bool closed = file >= 0 && close(file) == 0;
  if (written && closed && rename(unfinished.c_str(), path.c_str()) == 0) return {};
  const Error error{Code::kInternal, fmt::format("cannot write '{}': {}", path, strerror(errno))};
  unlink(unfinished.c_str());
  return error;
}

std::string recall_ssh_user(const std::string& state_dir, const std::string& host) {
  std::ifstream file{path_for(state_dir, host)};
  std::string user;
  std::getline(file, user);
  return is_user_name(user) ? user : "";
}

}  // namespace mha
