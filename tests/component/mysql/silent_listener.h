// Peers that take a connection and then do not behave like a MySQL server.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace mha {

// Listens on 127.0.0.1; to each connection it says `greeting`, at most one byte a `pause`
// (microseconds; 0: all at once), and nothing more, keeping it open. It reads nothing.
class SilentListener {
 public:
  explicit SilentListener(std::string greeting = "", unsigned pause = 0);
  ~SilentListener();
  SilentListener(const SilentListener&) = delete;
  SilentListener& operator=(const SilentListener&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void serve(const std::string& greeting, unsigned pause);

  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

// Listens, and drops what comes: its queue of connections is full, so that a client waits as it
// does for a host that is gone.
class FullListener {
 public:
  FullListener();
  ~FullListener();
  FullListener(const FullListener&) = delete;
  FullListener& operator=(const FullListener&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  std::uint16_t port_ = 0;
  std::vector<int> sockets_;
};

// The first packet of a server that offers TLS.
std::string greeting_with_tls();

}  // namespace mha
