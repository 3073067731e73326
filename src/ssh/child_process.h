// Local programs that the SSH adapter needs: ssh itself, to read its configuration and as a proxy.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/status.h"
#include "ports/clock.h"
#include "ssh/file_descriptor.h"

namespace mha {

// A child in a session of its own, so that it has no terminal to ask for a password on, and with no
// descriptor of ours but its standard streams. Ended (SIGKILL, it and what it started) and reaped
// with the object, which waits for no more than the kernel's work of ending it.
class ChildProcess {
 public:
  // `in`, `out`, `err`: descriptors for its standard streams. argv[0] is looked up in PATH. Errors:
  // kConfig where the program cannot be started.
  static Result<std::unique_ptr<ChildProcess>> start(const std::vector<std::string>& argv, int in,
                                                     int out, int err);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // The status as waitpid(2) gives it; 0 where SIGCHLD is ignored, since it is then not to be had.
  // Waits for the end of the process: kTimeout at the deadline.
  Result<int> wait(const Clock& clock, Deadline deadline);

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}

  pid_t pid_;
};

struct ProgramOutput {
  int exit_status = 0;  // 128+N for signal N
  std::string out;
  std::string err;
};

// Runs a program to its end, standard input empty. It is killed at the deadline (kTimeout) and
// where it writes more than 1 MiB (kRefused).
Result<ProgramOutput> run_program(const std::vector<std::string>& argv, const Clock& clock,
                                  Deadline deadline);

// A program whose standard input and output are one socket, such as a ProxyCommand.
class ProxyProcess {
 public:
  static Result<std::unique_ptr<ProxyProcess>> start(const std::vector<std::string>& argv);

  // Our end of the socket; the caller's from here on. Once.
  [[nodiscard]] FileDescriptor take_socket() { return std::move(socket_); }
  // What it has written to standard error so far, as one line of at most 300 characters.
  std::string error_text();

 private:
  ProxyProcess() = default;

  FileDescriptor socket_;
  FileDescriptor errors_;
  std::string error_text_;
  std::unique_ptr<ChildProcess> child_;
};

}  // namespace mha
