// Peers that take the connection and are no SSH server, or not a good one.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <thread>

#include "component/ssh/ssh_test_base.h"
#include "ssh/file_descriptor.h"
#include "ssh/wait.h"

namespace mha {
namespace {

using ::testing::HasSubstr;

// Accepts, says one thing, and then nothing until it is gone.
class OneLineServer {
 public:
  enum class Then { kSilence, kClose };

  OneLineServer(std::string line, Then then) : line_(std::move(line)), then_(then) {
    listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_.get(), 10), 0);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread{[this] { serve(); }};
  }
  ~OneLineServer() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  OneLineServer(const OneLineServer&) = delete;
  OneLineServer& operator=(const OneLineServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] int accepted() const { return accepted_; }

 private:
  void serve() {
    std::vector<FileDescriptor> kept;
    for (;;) {
      FileDescriptor peer{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
      if (!peer.valid()) return;
      ++accepted_;
      EXPECT_EQ(::send(peer.get(), line_.data(), line_.size(), MSG_NOSIGNAL),
                static_cast<ssize_t>(line_.size()));
      if (then_ == Then::kSilence) kept.push_back(std::move(peer));
    }
  }

  const std::string line_;
  const Then then_;
  FileDescriptor listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> accepted_ = 0;
  std::thread thread_;
};

class SilentServerTest : public SshTestBase {
 protected:
  SshTarget target(const OneLineServer& server) const {
    SshTarget target;
    target.host = "127.0.0.1";
    target.port = server.port();
    target.known_hosts_file = "/dev/null";
    target.host_key_policy = HostKeyPolicy::kOff;
    return target;
  }
  static SshClientFiles files() {
    SshClientFiles files;
    files.config_file = "/dev/null";
    files.home = "/nonexistent";
    return files;
  }
};

TEST_F(SilentServerTest, SilenceCostsTheDeadline) {
  const OneLineServer server{"", OneLineServer::Then::kSilence};
  Error error{Code::kInternal, ""};
  expect_at_deadline(time_of([&] { error = error_of(connect(target(server), files(), 500)); }),
                     500);
  EXPECT_EQ(error.code, Code::kTimeout);
  EXPECT_THAT(error.message, HasSubstr("accepted the connection and then said nothing"));
}

TEST_F(SilentServerTest, SilenceAfterTheGreetingCostsTheDeadline) {
  const OneLineServer server{"SSH-2.0-OpenSSH_9.2p1\r\n", OneLineServer::Then::kSilence};
  Error error{Code::kInternal, ""};
  expect_at_deadline(time_of([&] { error = error_of(connect(target(server), files(), 500)); }),
                     500);
  EXPECT_EQ(error.code, Code::kTimeout);
  EXPECT_THAT(error.message, HasSubstr("key exchange"));
}

TEST_F(SilentServerTest, EachAttemptHasTheConnectTimeout) {
  const OneLineServer server{"", OneLineServer::Then::kSilence};
  SshTarget hung = target(server);
  hung.connect_timeout = Milliseconds{300};
  hung.connection_attempts = 2;
  Error error{Code::kInternal, ""};
  const Milliseconds taken = time_of([&] { error = error_of(connect(hung, files(), 10000)); });
  EXPECT_EQ(error.code, Code::kTimeout);
  EXPECT_THAT(error.message, HasSubstr("(2 attempts)"));
  EXPECT_EQ(server.accepted(), 2);
  // Two attempts and the second between them.
  expect_at_deadline(taken, 1600);
}

TEST_F(SilentServerTest, ConnectTimeoutNeverOutlastsTheDeadline) {
  const OneLineServer server{"", OneLineServer::Then::kSilence};
  SshTarget hung = target(server);
  hung.connect_timeout = Milliseconds{60000};
  hung.connection_attempts = 5;
  expect_at_deadline(time_of([&] { EXPECT_FALSE(connect(hung, files(), 400).ok()); }), 400);
}

TEST_F(SilentServerTest, ClosingAtOnceIsToldAtOnce) {
  const OneLineServer server{"", OneLineServer::Then::kClose};
  Error error{Code::kInternal, ""};
  const Milliseconds taken =
      time_of([&] { error = error_of(connect(target(server), files(), 5000)); });
  EXPECT_EQ(error.code, Code::kUnreachable);
  EXPECT_LE(taken.count(), 1000);
}

TEST_F(SilentServerTest, NoSshServer) {
  const OneLineServer server{"HTTP/1.1 400 Bad Request\r\n" + std::string(500, 'x'),
                             OneLineServer::Then::kClose};
  const Error error = error_of(connect(target(server), files(), 2000));
  EXPECT_EQ(error.code, Code::kUnreachable);
}

}  // namespace
}  // namespace mha
