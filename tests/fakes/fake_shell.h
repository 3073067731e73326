// Hosts that answer SSH commands as a test says, and remember what they were asked.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ports/remote_shell.h"

namespace mha {

// One host and all sessions to it. Lives as long as a session or the connector needs it, so a test
// may keep a shared_ptr and look at it after the code under test has closed its session.
// Thread-safe; the answer is called without a lock held, from the thread that called run().
class FakeShellHost {
 public:
  using Answer = std::function<Result<CommandOutput>(const std::string& command)>;

  explicit FakeShellHost(std::string name, Answer answer = {})
      : name_(std::move(name)), answer_(std::move(answer)) {}

  [[nodiscard]] const std::string& name() const { return name_; }

  // What every later command gets, on open sessions too. Without one: exit status 0, no output.
  void set_answer(Answer answer) {
    const std::lock_guard lock{mutex_};
    answer_ = std::move(answer);
  }
  // Each connect() fails so, until cleared with nullopt. Open sessions go on.
  void set_connect_error(std::optional<Error> error) {
    const std::lock_guard lock{mutex_};
    connect_error_ = std::move(error);
  }

  // In the order of arrival, those that failed as well.
  [[nodiscard]] std::vector<std::string> commands() const {
    const std::lock_guard lock{mutex_};
    return commands_;
  }
  // The deadlines that commands() came with.
  [[nodiscard]] std::vector<Deadline> deadlines() const {
    const std::lock_guard lock{mutex_};
    return deadlines_;
  }
  void clear_commands() {
    const std::lock_guard lock{mutex_};
    commands_.clear();
    deadlines_.clear();
  }
  [[nodiscard]] int sessions_open() const {
    const std::lock_guard lock{mutex_};
    return sessions_open_;
  }
  // Since the host was made.
  [[nodiscard]] int sessions_opened() const {
    const std::lock_guard lock{mutex_};
    return sessions_opened_;
  }

 private:
  friend class FakeShell;
  friend class FakeShellConnector;

  Result<CommandOutput> run(const std::string& command, Deadline deadline) {
    Answer answer;
    {
      const std::lock_guard lock{mutex_};
      commands_.push_back(command);
      deadlines_.push_back(deadline);
      answer = answer_;
    }
    return answer ? answer(command) : Result<CommandOutput>{CommandOutput{}};
  }
  void session_opened() {
    const std::lock_guard lock{mutex_};
    ++sessions_open_;
    ++sessions_opened_;
  }
  void session_closed() {
    const std::lock_guard lock{mutex_};
    --sessions_open_;
  }
  [[nodiscard]] std::optional<Error> connect_error() const {
    const std::lock_guard lock{mutex_};
    return connect_error_;
  }

  const std::string name_;
  mutable std::mutex mutex_;
  Answer answer_;
  std::optional<Error> connect_error_;
  std::vector<std::string> commands_;
  std::vector<Deadline> deadlines_;
  int sessions_open_ = 0;
  int sessions_opened_ = 0;
};

// A session to a FakeShellHost. As strict as the port allows: after kTimeout or kUnreachable the
// session is dead, and each further run() is kUnreachable without reaching the host.
class FakeShell : public RemoteShell {
 public:
  explicit FakeShell(std::shared_ptr<FakeShellHost> host) : host_(std::move(host)) {
    host_->session_opened();
  }
  // A session to a host of its own.
  explicit FakeShell(std::string host_name, FakeShellHost::Answer answer = {})
      : FakeShell(std::make_shared<FakeShellHost>(std::move(host_name), std::move(answer))) {}
  ~FakeShell() override { host_->session_closed(); }
  FakeShell(const FakeShell&) = delete;
  FakeShell& operator=(const FakeShell&) = delete;

  [[nodiscard]] const std::string& host() const override { return host_->name(); }

  Result<CommandOutput> run(const std::string& command, Deadline deadline) override {
    if (dead_) {
      return Error{Code::kUnreachable, "the fake session to " + host() + " is dead"};
    }
    Result<CommandOutput> result = host_->run(command, deadline);
    dead_ = !result.ok() &&
            (result.error().code == Code::kTimeout || result.error().code == Code::kUnreachable);
    return result;
  }

  // For the answer and the commands.
  [[nodiscard]] FakeShellHost& fake_host() { return *host_; }

 private:
  std::shared_ptr<FakeShellHost> host_;
  bool dead_ = false;
};

// Connects to the hosts that were added; any other name is kUnreachable. Thread-safe.
class FakeShellConnector : public ShellConnector {
 public:
  // `name` is what the code under test gives as SshTarget::host. Replaces a host of that name.
  std::shared_ptr<FakeShellHost> add_host(const std::string& name,
                                          FakeShellHost::Answer answer = {}) {
    auto host = std::make_shared<FakeShellHost>(name, std::move(answer));
    const std::lock_guard lock{mutex_};
    hosts_[name] = host;
    return host;
  }
  // A host that cannot be had.
  std::shared_ptr<FakeShellHost> add_host(const std::string& name, Error connect_error) {
    std::shared_ptr<FakeShellHost> host = add_host(name);
    host->set_connect_error(std::move(connect_error));
    return host;
  }

  Result<std::unique_ptr<RemoteShell>> connect(const SshTarget& target, Deadline) override {
    std::shared_ptr<FakeShellHost> host;
    {
      const std::lock_guard lock{mutex_};
      targets_.push_back(target);
      const auto found = hosts_.find(target.host);
      if (found == hosts_.end()) {
        return Error{Code::kUnreachable, "no fake host named " + target.host};
      }
      host = found->second;
    }
    if (std::optional<Error> error = host->connect_error()) {
      return *std::move(error);
    }
    return std::unique_ptr<RemoteShell>{std::make_unique<FakeShell>(std::move(host))};
  }

  // Every connect(), in order, failed ones as well.
  [[nodiscard]] std::vector<SshTarget> targets() const {
    const std::lock_guard lock{mutex_};
    return targets_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<FakeShellHost>> hosts_;
  std::vector<SshTarget> targets_;
};

}  // namespace mha
