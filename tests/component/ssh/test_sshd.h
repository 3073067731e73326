// A real sshd on loopback for one test program, with keys and folders of its own.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "ports/remote_shell.h"
#include "ssh/ssh_config.h"

namespace mha {

// Removed with all that is in it.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

void write_file(const std::string& path, const std::string& text);
std::string read_file(const std::string& path);

// A child of the test, ended (SIGKILL after SIGTERM had a second) and reaped with the object.
class TestProcess {
 public:
  // Standard input is empty, output and errors go to `log`.
  TestProcess(const std::vector<std::string>& argv, const std::string& log);
  ~TestProcess();
  TestProcess(const TestProcess&) = delete;
  TestProcess& operator=(const TestProcess&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  // Of it and all that descends from it, as /proc tells.
  [[nodiscard]] std::vector<pid_t> family() const;

 private:
  pid_t pid_;
};

// Runs to its end; throws where it does not exit with 0. Gives what it wrote to standard output.
std::string run_tool(const std::vector<std::string>& argv);

// Makes PATH and PATH.pub; `type` as in ssh-keygen -t.
void make_key(const std::string& path, const std::string& type = "ed25519",
              const std::string& passphrase = "");

std::uint16_t free_port();
std::string current_user();

// Polls `condition` until it holds; false after `seconds`.
template <typename Condition>
bool eventually(Condition condition, double seconds = 10);

// False where a test needs sshd and there is none: to be skipped on a laptop; a failure in CI.
bool sshd_is_installed();

class TestSshd {
 public:
  struct Options {
    std::string address = "127.0.0.1";
    std::vector<std::string> lines;  // of sshd_config, before ours
  };

  explicit TestSshd(Options options);
  TestSshd() : TestSshd(Options{}) {}

  // The host key changes; the server starts anew on the same port.
  void change_host_key();
  // Sessions end as well.
  void stop() { process_.reset(); }
  // On the same port.
  void start();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const std::string& address() const { return options_.address; }
  [[nodiscard]] pid_t pid() const { return process_->pid(); }
  [[nodiscard]] std::vector<pid_t> family() const { return process_->family(); }
  // A key that may log in, and a file that knows the host.
  [[nodiscard]] std::string client_key() const { return dir_.file("client"); }
  [[nodiscard]] std::string known_hosts() const { return dir_.file("known_hosts"); }
  [[nodiscard]] std::string host_key() const { return dir_.file("host_key"); }
  [[nodiscard]] std::string authorized_keys() const { return dir_.file("authorized_keys"); }
  [[nodiscard]] std::string log() const { return read_file(dir_.file("log")); }
  [[nodiscard]] const TempDir& dir() const { return dir_; }

  // "HostName", "Port" and so on for ssh_config, indented.
  [[nodiscard]] std::string ssh_config_lines() const;
  // "[address]:port key"
  [[nodiscard]] std::string known_hosts_line() const;
  // That logs in with the client key and trusts known_hosts().
  [[nodiscard]] SshTarget target() const;
  // No ssh_config and no home but the test's.
  [[nodiscard]] SshClientFiles client_files() const;
  // The same with this text as ssh_config.
  [[nodiscard]] SshClientFiles client_files(const std::string& config) const;

 private:
  Options options_;
  TempDir dir_;
  std::uint16_t port_;
  std::unique_ptr<TestProcess> process_;
};

}  // namespace mha

#include <chrono>
#include <thread>

namespace mha {

template <typename Condition>
bool eventually(Condition condition, double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  return true;
}

}  // namespace mha
