// Reading, comparing and appending known_hosts lines.
#include "ssh/known_hosts.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include "ssh/file_descriptor.h"
#include "ssh/wait.h"

namespace mha {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

// Takes a leading word off `line`.
std::string take_word(std::string& line) {
  const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
  std::string word = line.substr(0, end);
  const std::size_t rest = line.find_first_not_of(" \t", end);
  line = rest == std::string::npos ? std::string{} : line.substr(rest);
  return word;
}

// Those with which a key of this type signs.
std::vector<std::string> signatures_of(ssh_key key) {
  if (ssh_key_type(key) == SSH_KEYTYPE_RSA) return {"rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"};
  return {key_type_name(key)};
}

}  // namespace

std::string known_hosts_name(const std::string& host, unsigned port) {
  return port == 22 ? lower(host) : fmt::format("[{}]:{}", lower(host), port);
}

KnownHosts::KnownHosts(const std::string& name, const std::vector<std::string>& files) {
  for (const std::string& file : files) read(name, file);
}

void KnownHosts::read(const std::string& name, const std::string& file) {
  std::ifstream stream{file};
  unsigned number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    const std::size_t start = line.find_first_not_of(" \t");
    if (start == std::string::npos || line[start] == '#') continue;
    line = line.substr(start);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    bool revoked = false;
    if (line.front() == '@') {
      // Keys of certification authorities are not for comparing, and libssh cannot use them.
      revoked = take_word(line) == "@revoked";
      if (!revoked || line.empty()) continue;
    }
    ssh_knownhosts_entry* parsed = nullptr;
    if (ssh_known_hosts_parse_line(name.c_str(), line.c_str(), &parsed) != SSH_OK) continue;
    Entry entry;
    entry.key.reset(std::exchange(parsed->publickey, nullptr));
    entry.revoked = revoked;
    entry.file = file;
    entry.line = number;
    ssh_knownhosts_entry_free(parsed);
    entries_.push_back(std::move(entry));
  }
}

HostKeyFinding KnownHosts::find(ssh_key key) const {
  HostKeyFinding finding;
  const auto found = [](HostKeyState state, const Entry& entry) {
    return HostKeyFinding{state, fmt::format("{}:{}", entry.file, entry.line), entry.file};
  };
  for (const Entry& entry : entries_) {
    const bool same = ssh_key_cmp(key, entry.key.get(), SSH_KEY_CMP_PUBLIC) == 0;
    if (same && entry.revoked) return found(HostKeyState::kRevoked, entry);
    if (same) {
      finding = found(HostKeyState::kKnown, entry);
    } else if (!entry.revoked && finding.state == HostKeyState::kUnknown) {
      finding = found(HostKeyState::kChanged, entry);
    }
  }
  return finding;
}

std::string KnownHosts::preferred_first(const std::string& algorithms) const {
  std::set<std::string> known;
  for (const Entry& entry : entries_) {
    if (entry.revoked) continue;
    for (const std::string& name : signatures_of(entry.key.get())) known.insert(name);
  }
  std::vector<std::string> names;
  std::istringstream stream{algorithms};
  for (std::string name; std::getline(stream, name, ',');) names.push_back(name);
  std::stable_partition(names.begin(), names.end(),
                        [&](const std::string& name) { return known.count(name) > 0; });
  std::string result;
  for (const std::string& name : names) result += (result.empty() ? "" : ",") + name;
  return result;
}

Status note_host_key(const std::string& file, const std::string& name, ssh_key key) {
  char* base64 = nullptr;
  if (ssh_pki_export_pubkey_base64(key, &base64) != SSH_OK) {
    return Error{Code::kInternal, "libssh cannot write out the host key"};
  }
  std::string line = fmt::format("{} {} {}\n", name, key_type_name(key), base64);
  ssh_string_free_char(base64);

  if (const std::size_t slash = file.rfind('/'); slash != std::string::npos && slash > 0) {
    ::mkdir(file.substr(0, slash).c_str(), 0700);
  }
  const FileDescriptor out{::open(file.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600)};
  if (!out.valid()) {
    return Error{Code::kDenied, fmt::format("cannot write {}: {}", file, system_error_text(errno))};
  }
  // A file that a person edited may lack its last newline.
  struct stat info {};
  char last = '\n';
  if (::fstat(out.get(), &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0 &&
      ::pread(out.get(), &last, 1, info.st_size - 1) == 1 && last != '\n') {
    line.insert(line.begin(), '\n');
  }
  // One write to a file opened for appending: two programs that note keys do not mix their lines.
  if (::write(out.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    return Error{Code::kDenied, fmt::format("cannot write {}: {}", file, system_error_text(errno))};
  }
  return {};
}

std::string key_type_name(ssh_key key) {
  const char* name = ssh_key_type_to_char(ssh_key_type(key));
  return name == nullptr ? "?" : name;
}

std::string fingerprint(ssh_key key) {
  unsigned char* hash = nullptr;
  std::size_t size = 0;
  if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &size) != SSH_OK) return "?";
  char* text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, size);
  std::string result = text == nullptr ? "?" : text;
  ssh_string_free_char(text);
  ssh_clean_pubkey_hash(&hash);
  return result;
}

}  // namespace mha
