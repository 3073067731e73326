// A helper program of a test (a server, a proxy, a test bed) as a process of its own.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace mha {

// Its standard input is a pipe: closing it ends the program. Its standard output is JSON, a line an
// object. Standard error is ours. It goes with this object, and with a test that crashes.
class TestProcess {
 public:
  // argv[0] is a path. Throws std::runtime_error where it does not start.
  explicit TestProcess(const std::vector<std::string>& argv);
  ~TestProcess();
  TestProcess(const TestProcess&) = delete;
  TestProcess& operator=(const TestProcess&) = delete;

  // The next line of its output. Throws std::runtime_error where there is none in time, or the
  // program has ended.
  nlohmann::json read(std::chrono::seconds patience = std::chrono::seconds{20});
  // A line to its standard input.
  void write(const std::string& line);

 private:
  [[nodiscard]] bool has_ended();

  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;  // the file that is its standard output
  off_t read_ = 0;
  std::string unread_;
  std::string name_;
};

// Whether `command` runs well in a shell here.
bool runs_well(const std::string& command);

}  // namespace mha
