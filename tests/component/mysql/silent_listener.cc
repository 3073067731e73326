// The listener's thread, and a server's greeting by hand.
#include "silent_listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

namespace mha {
namespace {

struct Listener {
  int socket;
  sockaddr_in address;
};

// On a free port of 127.0.0.1.
Listener make_listener(int queue) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener, queue) != 0) {
    throw std::runtime_error("no listener");
  }
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  return {listener, address};
}

}  // namespace

SilentListener::SilentListener(std::string greeting, unsigned pause) {
  const Listener listener = make_listener(16);
  listener_ = listener.socket;
  port_ = ntohs(listener.address.sin_port);
  thread_ = std::thread{[this, greeting = std::move(greeting), pause] { serve(greeting, pause); }};
}

SilentListener::~SilentListener() {
  stopping_ = true;
  thread_.join();
  close(listener_);
}

void SilentListener::serve(const std::string& greeting, unsigned pause) {
  struct Peer {
    int socket;
    std::size_t sent;
  };
  std::vector<Peer> peers;
  while (!stopping_) {
    pollfd entry{listener_, POLLIN, 0};
    const int wait_ms = pause == 0 ? 20 : static_cast<int>(pause / 1000);
    if (poll(&entry, 1, wait_ms) > 0) {
      const int peer = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (peer >= 0) peers.push_back({peer, 0});
    }
    for (Peer& peer : peers) {
      if (peer.sent == greeting.size()) continue;
      const std::size_t bytes = pause == 0 ? greeting.size() - peer.sent : 1;
      send(peer.socket, greeting.data() + peer.sent, bytes, MSG_NOSIGNAL);
      peer.sent += bytes;
    }
  }
  for (const Peer& peer : peers) close(peer.socket);
}

FullListener::FullListener() {
  const Listener listener = make_listener(0);
  port_ = ntohs(listener.address.sin_port);
  sockets_.push_back(listener.socket);
  for (int i = 0; i < 4; ++i) {
    sockets_.push_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    connect(sockets_.back(), reinterpret_cast<const sockaddr*>(&listener.address),
            sizeof listener.address);
  }
}

FullListener::~FullListener() {
  for (const int socket : sockets_) close(socket);
}

// "Protocol::HandshakeV10" in MySQL's and MariaDB's descriptions of the protocol.
std::string greeting_with_tls() {
  std::string body;
  body += '\x0A';
  body += std::string("10.11.0-MariaDB\0", 16);
  body += std::string("\x01\0\0\0", 4);  // connection id
  body += "12345678";                    // first part of the scramble
  body += '\0';
  body += std::string("\x00\xAA", 2);  // capabilities: PROTOCOL_41, SSL, SECURE_CONNECTION
  body += '\x2D';                      // utf8mb4
  body += std::string("\x02\0", 2);    // autocommit
  body += std::string("\x08\0", 2);    // more capabilities: PLUGIN_AUTH
  body += '\x15';                      // length of the scramble
  body += std::string(10, '\0');
  body += std::string("123456789012\0", 13);  // the rest of the scramble
  body += std::string("mysql_native_password\0", 22);
  const auto size = static_cast<char>(body.size());
  return std::string{size, '\0', '\0', '\0'} + body;
}

}  // namespace mha
