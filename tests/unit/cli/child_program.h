// Runs a program's body in a child of its own, as bin/ does, and gives what came of it.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "cli/program.h"

namespace mha {

struct ChildEnd {
  int exit_code = -1;  // -1: a signal
  std::string out;
  std::string err;
};

// A folder that goes with the test.
class CliFolder {
 public:
  CliFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "mha-cli-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) ADD_FAILURE() << pattern;
    path_ = pattern;
  }
  CliFolder(const CliFolder&) = delete;
  CliFolder& operator=(const CliFolder&) = delete;
  ~CliFolder() { std::filesystem::remove_all(path_); }

  [[nodiscard]] std::string path(const std::string& name = "") const {
    return name.empty() ? path_.string() : (path_ / name).string();
  }
  std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    std::ofstream(path(name)) << text;
    EXPECT_EQ(chmod(path(name).c_str(), mode), 0);
    return path(name);
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(path(name)).rdbuf();
    return text.str();
  }

 private:
  std::filesystem::path path_;
};

// `body` gives the exit code. Its environment is ours and `environment`.
inline ChildEnd in_child(const std::function<int()>& body,
                         const std::map<std::string, std::string>& environment = {}) {
  const CliFolder folder;
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
    for (const auto& [fd, name] : {std::pair{1, "out"}, std::pair{2, "err"}}) {
      dup2(open(folder.path(name).c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), fd);
    }
    const int code = body();
    std::cout.flush();
    std::fflush(nullptr);
    _exit(code);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, folder.read("out"), folder.read("err")};
}

// As bin/NAME with these arguments.
struct ChildProgram {
  ProgramText text{"test_program", "  test_program --what", "Tests."};
  boost::program_options::options_description described;
  UnknownOptions unknown = UnknownOptions::kRefuse;
  std::function<int(Program&)> body = [](Program&) { return 0; };
  std::map<std::string, std::string> environment;

  ChildEnd run(const std::vector<std::string>& arguments) const {
    return in_child(
        [&] {
          std::vector<std::string> words{text.name};
          words.insert(words.end(), arguments.begin(), arguments.end());
          std::vector<char*> argv;
          for (std::string& word : words) argv.push_back(word.data());
          argv.push_back(nullptr);
          return run_main(static_cast<int>(words.size()), argv.data(), text, described, unknown,
                          body);
        },
        environment);
  }
};

}  // namespace mha
