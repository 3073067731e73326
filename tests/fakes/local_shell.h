// A RemoteShell that runs its commands here, with /bin/sh: for tests of the scripts themselves.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ports/clock.h"
#include "ports/remote_shell.h"

namespace mha {

// A child with its streams. One that has not ended is killed with its process group when this goes;
// what an ended one has left in the background goes on, as it would on a real host.
class LocalProcess {
 public:
  LocalProcess(const std::vector<std::string>& argv,
               const std::map<std::string, std::string>& environment) {
    // All before the fork: in the child of a program with threads memory may be locked for ever.
    std::vector<std::string> settings;
    for (char** one = environ; *one != nullptr; ++one) {
      const std::string setting = *one;
      if (!environment.contains(setting.substr(0, setting.find('=')))) settings.push_back(setting);
    }
    for (const auto& [name, value] : environment) settings.push_back(name + "=" + value);
    std::vector<char*> words = pointers_to(argv);
    std::vector<char*> variables = pointers_to(settings);
    std::array<std::array<int, 2>, 3> pipes{};
    for (auto& ends : pipes) {
      if (pipe2(ends.data(), O_CLOEXEC) != 0) return;
    }
    pid_ = fork();
    if (pid_ == 0) {
      setpgid(0, 0);
      dup2(pipes[0][0], 0);
      dup2(pipes[1][1], 1);
      dup2(pipes[2][1], 2);
      execvpe(words[0], words.data(), variables.data());
      _exit(127);
    }
    close(pipes[0][0]);
    close(pipes[1][1]);
    close(pipes[2][1]);
    in_ = pipes[0][1];
    out_ = pipes[1][0];
    err_ = pipes[2][0];
  }
  LocalProcess(const LocalProcess&) = delete;
  LocalProcess& operator=(const LocalProcess&) = delete;
  ~LocalProcess() {
    close_input();
    if (out_ >= 0) close(out_);
    if (err_ >= 0) close(err_);
    if (pid_ <= 0 || reaped_) return;
    kill(-pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  [[nodiscard]] bool started() const { return pid_ > 0; }
  void write_input(const std::string& text) const {
    // A child that has gone already is seen by its exit status.
    static_cast<void>(::write(in_, text.data(), text.size()));
  }
  void close_input() {
    if (in_ >= 0) close(in_);
    in_ = -1;
  }

  // Both streams to their ends, then the exit status.
  Result<CommandOutput> finish(Clock& clock, Deadline deadline) {
    CommandOutput output;
    while (out_ >= 0 || err_ >= 0) {
      std::array<pollfd, 2> ready{pollfd{out_, POLLIN, 0}, pollfd{err_, POLLIN, 0}};
      const auto wait = static_cast<int>(clock.remaining(deadline).count());
      if (poll(ready.data(), ready.size(), wait) == 0) return late();
      if (ready[0].revents != 0) drain(out_, output.out);
      if (ready[1].revents != 0) drain(err_, output.err);
    }
    int status = 0;
    while (waitpid(pid_, &status, WNOHANG) == 0) {
      if (clock.passed(deadline)) return late();
      clock.sleep_for(Milliseconds{1});
    }
    reaped_ = true;
    output.exit_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return output;
  }

 private:
  // With the null at the end that exec wants; they live as long as `texts`.
  static std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
    pointers.push_back(nullptr);
    return pointers;
  }

  static Error late() { return {Code::kTimeout, "the command has not ended in time"}; }

  // One piece; at the end the stream is closed.
  static void drain(int& fd, std::string& text) {
    std::array<char, 65536> buffer{};
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(got));
    } else if (got == 0 || errno != EINTR) {
      close(fd);
      fd = -1;
    }
  }

  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
  int err_ = -1;
  bool reaped_ = false;
};

// Each command is `prefix... /bin/sh -c COMMAND`, for instance with {"ip", "netns", "exec", NAME},
// and `environment` on top of our own. As the port has it: an answer is there when both streams
// have ended, so a command that leaves something behind with a stream of its own open is late.
// After kTimeout the session is dead.
class LocalShell : public RemoteShell {
 public:
  LocalShell(std::string host, Clock& clock, std::vector<std::string> prefix = {},
             std::map<std::string, std::string> environment = {})
      : host_(std::move(host)),
        clock_(clock),
        prefix_(std::move(prefix)),
        environment_(std::move(environment)) {
    signal(SIGPIPE, SIG_IGN);
  }
  LocalShell(const LocalShell&) = delete;
  LocalShell& operator=(const LocalShell&) = delete;
  // Prepared commands see the end of their input, and have a second to end.
  ~LocalShell() override {
    for (auto& [name, process] : prepared_) {
      process->close_input();
      static_cast<void>(process->finish(clock_, clock_.deadline_after(Milliseconds{1000})));
    }
  }

  [[nodiscard]] const std::string& host() const override { return host_; }

  Result<CommandOutput> run(const std::string& command, Deadline deadline) override {
    if (dead_) return Error{Code::kUnreachable, "the session is dead"};
    const auto process = start(command);
    if (!process->started()) return Error{Code::kInternal, "no process"};
    process->close_input();
    return finish(*process, deadline);
  }

  Status prepare(const std::string& name, const std::string& command,
                 Deadline /*deadline*/) override {
    if (dead_) return Error{Code::kUnreachable, "the session is dead"};
    prepared_[name] = start(command);
    return {};
  }

  Result<CommandOutput> finish_prepared(const std::string& name, const std::string& input,
                                        Deadline deadline) override {
    const auto found = prepared_.find(name);
    if (found == prepared_.end()) return Error{Code::kRefused, "nothing is prepared as " + name};
    const std::unique_ptr<LocalProcess> process = std::move(found->second);
    prepared_.erase(found);
    process->write_input(input);
    process->close_input();
    return finish(*process, deadline);
  }

 private:
  [[nodiscard]] std::unique_ptr<LocalProcess> start(const std::string& command) const {
    std::vector<std::string> argv = prefix_;
    argv.insert(argv.end(), {"/bin/sh", "-c", command});
    return std::make_unique<LocalProcess>(argv, environment_);
  }
  Result<CommandOutput> finish(LocalProcess& process, Deadline deadline) {
    Result<CommandOutput> output = process.finish(clock_, deadline);
    dead_ = !output.ok();
    return output;
  }

  std::string host_;
  Clock& clock_;
  std::vector<std::string> prefix_;
  std::map<std::string, std::string> environment_;
  std::map<std::string, std::unique_ptr<LocalProcess>> prepared_;
  bool dead_ = false;
};

}  // namespace mha
