// Parents, from /proc/PID/stat.
#include "cli/caller.h"

#include <fmt/core.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace mha {
namespace {

struct ProcessLine {
  std::string name;
  pid_t parent = 0;
};

// proc(5): "PID (NAME) STATE PPID ...", and NAME may hold anything.
ProcessLine read_process(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  std::getline(file, line);
  const std::size_t open = line.find('(');
  const std::size_t close = line.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return {};
  ProcessLine process{line.substr(open + 1, close - open - 1), 0};
  std::istringstream rest(line.substr(close + 1));
  std::string state;
  rest >> state >> process.parent;
  return process;
}

bool is_shell(const std::string& name) { return name == "sh" || name == "dash" || name == "bash"; }

}  // namespace

std::function<bool()> caller_is_gone() {
  const pid_t parent = getppid();
  const ProcessLine process = read_process(parent);
  const pid_t grandparent = is_shell(process.name) ? process.parent : 0;
  return [parent, grandparent] {
    if (getppid() != parent) return true;
    return grandparent != 0 && read_process(parent).parent != grandparent;
  };
}

}  // namespace mha
