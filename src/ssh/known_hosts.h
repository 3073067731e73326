// The known_hosts files about one host: which of its keys are noted, and noting a new one.
#pragma once

#include <libssh/libssh.h>

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"

namespace mha {

enum class HostKeyState {
  kKnown,
  kUnknown,
  kChanged,  // the host is noted with other keys, of this type or of another
  kRevoked,  // marked @revoked
};

struct HostKeyFinding {
  HostKeyState state = HostKeyState::kUnknown;
  // The line that says so, "FILE:LINE"; empty where kUnknown.
  std::string where;
  std::string file;
};

// Read once, by each line on its own: libssh's own reader (0.10) gives up the whole file at a line
// that it does not understand and then calls every host unknown.
class KnownHosts {
 public:
  // `name`: known_hosts_name() of the host, or its HostKeyAlias. A file that is not there is empty.
  KnownHosts(const std::string& name, const std::vector<std::string>& files);

  [[nodiscard]] HostKeyFinding find(ssh_key key) const;
  // Signature algorithms of `algorithms` (names separated by commas), those of the noted keys'
  // types first, so that the server shows a key that can be compared.
  [[nodiscard]] std::string preferred_first(const std::string& algorithms) const;

 private:
  struct KeyDeleter {
    void operator()(ssh_key key) const { ssh_key_free(key); }
  };
  struct Entry {
    std::unique_ptr<ssh_key_struct, KeyDeleter> key;
    bool revoked = false;
    std::string file;
    unsigned line = 0;
  };

  void read(const std::string& name, const std::string& file);

  std::vector<Entry> entries_;
};

// "host", or "[host]:port" where the port is not 22 (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
std::string known_hosts_name(const std::string& host, unsigned port);

// Appends a line for the key in one write; the file and its folder are made where missing.
Status note_host_key(const std::string& file, const std::string& name, ssh_key key);

// "ssh-ed25519"
std::string key_type_name(ssh_key key);
// "SHA256:..."
std::string fingerprint(ssh_key key);

}  // namespace mha
