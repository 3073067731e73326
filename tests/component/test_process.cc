// Starting, listening to and ending a helper program.
#include "component/test_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>

namespace mha {
namespace {

// How long a program has to end by itself after its input has ended, before it is killed: test beds
// have servers and folders of their own to clear away.
constexpr std::chrono::seconds kGrace{20};

}  // namespace

bool runs_well(const std::string& command) {
  return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

TestProcess::TestProcess(const std::vector<std::string>& argv) : name_(argv.at(0)) {
  signal(SIGPIPE, SIG_IGN);
  std::array<int, 2> input{};
  if (pipe2(input.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  // A file and not a pipe: a program that says much must not wait for us to read it.
  output_ = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    dup2(input[0], STDIN_FILENO);
    dup2(output_, STDOUT_FILENO);
    execv(words[0], words.data());
    _exit(127);
  }
  close(input[0]);
  input_ = input[1];
  if (pid_ < 0) throw std::runtime_error("fork failed");
}

TestProcess::~TestProcess() {
  close(input_);
  close(output_);
  if (pid_ <= 0) return;
  const auto end = std::chrono::steady_clock::now() + kGrace;
  while (!has_ended()) {
    if (std::chrono::steady_clock::now() > end) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
}

bool TestProcess::has_ended() {
  if (pid_ > 0 && waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
  return pid_ < 0;
}

nlohmann::json TestProcess::read(std::chrono::seconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (unread_.find('\n') == std::string::npos) {
    std::array<char, 65536> part{};
    const bool ended = has_ended();  // before the last look at what it wrote
    const ssize_t size = pread(output_, part.data(), part.size(), read_);
    if (size < 0 || (size == 0 && (ended || std::chrono::steady_clock::now() > end))) {
      throw std::runtime_error(name_ + (ended ? " has ended: " : " says nothing: ") + unread_);
    }
    if (size == 0) std::this_thread::sleep_for(std::chrono::milliseconds{2});
    unread_.append(part.data(), static_cast<std::size_t>(size));
    read_ += size;
  }
  const std::size_t size = unread_.find('\n');
  const std::string line = unread_.substr(0, size);
  unread_.erase(0, size + 1);
  return nlohmann::json::parse(line);
}

void TestProcess::write(const std::string& line) {
  const std::string text = line + '\n';
  if (::write(input_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw std::runtime_error(name_ + " takes no input");
  }
}

}  // namespace mha
