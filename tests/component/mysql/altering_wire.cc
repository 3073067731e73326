// One thread that waits for both ends.
#include "altering_wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace mha {
namespace {

sockaddr_in on_loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

bool readable(int one) {
  pollfd entry{one, POLLIN, 0};
  return poll(&entry, 1, 20) > 0;
}

}  // namespace

AlteringWire::AlteringWire(std::uint16_t server_port, std::string from, std::string to, int times)
    : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = on_loopback(0);
  socklen_t size = sizeof address;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, 1) != 0) {
    throw std::runtime_error("no listener");
  }
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread{[this, server_port, from = std::move(from), to = std::move(to), times] {
    carry(server_port, from, to, times);
  }};
}

AlteringWire::~AlteringWire() {
  stopping_ = true;
  thread_.join();
  close(listener_);
}

void AlteringWire::carry(std::uint16_t server_port, const std::string& from, const std::string& to,
                         int times) {
  while (!readable(listener_)) {
    if (stopping_) return;
  }
  const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = on_loopback(server_port);
  bool open = connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  std::array<char, 16384> bytes;
  while (open && !stopping_) {
    std::array<pollfd, 2> ends{pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
    poll(ends.data(), ends.size(), 20);
    for (const pollfd& end : ends) {
      if (end.revents == 0) continue;
      const ssize_t count = read(end.fd, bytes.data(), bytes.size());
      open = open && count > 0;
      if (count <= 0) continue;
      std::string text(bytes.data(), static_cast<std::size_t>(count));
      const std::size_t place = end.fd == client ? text.find(from) : std::string::npos;
      if (place != std::string::npos && altered_ < times) {
        text.replace(place, from.size(), to);
        ++altered_;
      }
      send(end.fd == client ? server : client, text.data(), text.size(), MSG_NOSIGNAL);
    }
  }
  close(client);
  close(server);
}

}  // namespace mha
