// A connection to a server on which some words arrive as others.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

namespace mha {

// Listens on 127.0.0.1, and carries one connection to the server on `server_port` there. The first
// `times` packets of the client's that have `from` in them arrive with `to` instead, which is as
// long.
class AlteringWire {
 public:
  AlteringWire(std::uint16_t server_port, std::string from, std::string to, int times);
  ~AlteringWire();
  AlteringWire(const AlteringWire&) = delete;
  AlteringWire& operator=(const AlteringWire&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] int altered() const { return altered_; }

 private:
  void carry(std::uint16_t server_port, const std::string& from, const std::string& to, int times);

  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> altered_{0};
  std::thread thread_;
};

}  // namespace mha
