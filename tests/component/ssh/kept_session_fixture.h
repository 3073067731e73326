// A keeper on the tests' sshd, and what it takes to see it come and go.
#pragma once

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "component/ssh/ssh_test_base.h"
#include "ssh/kept_session.h"
#include "ssh/wait.h"

namespace mha {

// It is not our child: whoever is to reap it may take a while.
inline bool alive(int pid) {
  const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = stat.rfind(')');
  return name_end != std::string::npos && stat.at(name_end + 2) != 'Z';
}

inline bool ends(int pid, double seconds = 5) {
  return eventually([pid] { return !alive(pid); }, seconds);
}

class KeptSessionTest : public SharedSshdTest {
 protected:
  ~KeptSessionTest() override {
    for (const int pid : keepers_) {
      if (alive(pid)) ::kill(pid, SIGKILL);
    }
  }

  KeepOptions options(int keep_ms = 20000, int lifetime_ms = 60000) const {
    KeepOptions options;
    options.folder = folder_;
    options.keep_time = Milliseconds{keep_ms};
    options.lifetime = Milliseconds{lifetime_ms};
    return options;
  }
  [[nodiscard]] std::string socket_path() const {
    return folder_ + "/" + kept_session_name(sshd_->target());
  }

  Result<std::unique_ptr<KeptShell>> keep(const KeepOptions& how, const TestSshd& sshd,
                                          int ms = 10000) {
    LibsshConnector connector{clock_, log_, sshd.client_files()};
    Result<std::unique_ptr<KeptShell>> shell =
        keep_session(sshd.target(), connector, how, clock_, in(ms));
    if (shell.ok()) keepers_.push_back(shell.value()->keeper_pid());
    return shell;
  }
  // Where it must succeed.
  std::unique_ptr<KeptShell> kept(const KeepOptions& how) {
    Result<std::unique_ptr<KeptShell>> shell = keep(how, *sshd_);
    if (!shell.ok()) throw std::runtime_error(shell.error().message);
    return std::move(shell).value();
  }
  Result<std::unique_ptr<KeptShell>> open(KeeperAfterwards afterwards = KeeperAfterwards::kStays,
                                          int ms = 5000) {
    return open_kept_session(folder_, sshd_->target(), afterwards, clock_, in(ms));
  }
  using SharedSshdTest::hello;
  std::string hello(RemoteShell& shell) {
    const Result<CommandOutput> output = shell.run("echo hello", in(5000));
    return output.ok() ? output.value().out : output.error().message;
  }

  // A connection to the keeper that is no KeptShell.
  FileDescriptor raw_client() const { return raw_client(socket_path()); }
  static FileDescriptor raw_client(const std::string& path) {
    FileDescriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
    if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      ADD_FAILURE() << path << ": " << system_error_text(errno);
      socket.reset();
    }
    return socket;
  }

  TempDir dir_;
  const std::string folder_ = dir_.file("sessions");
  std::vector<int> keepers_;
};

}  // namespace mha
