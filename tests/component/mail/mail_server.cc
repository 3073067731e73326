// Starting, listening to and ending smtp_server.py.
#include "mail_server.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "base/shell_quote.h"
#include "source_paths.h"

namespace mha {
namespace {

constexpr std::chrono::seconds kPatience{10};
const char* const kScript = MHA_SOURCE_DIR "/tests/component/mail/smtp_server.py";

bool runs(const std::string& command) {
  return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

std::array<int, 2> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  return ends;
}

}  // namespace

std::string missing_tools() {
  if (!runs("/usr/bin/python3 -c 'import aiosmtpd'")) return "python3-aiosmtpd";
  if (!runs("openssl version")) return "openssl";
  return "";
}

Certificate make_certificate(const std::string& folder, const std::string& name,
                             const std::string& names) {
  Certificate made{folder + "/" + name + ".crt", folder + "/" + name + ".key"};
  const std::string command =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1"
      " -nodes -days 2 -subj /CN=" +
      shell_quote(name) + " -addext " + shell_quote("subjectAltName=" + names) + " -keyout " +
      shell_quote(made.key) + " -out " + shell_quote(made.cert);
  if (!runs(command)) throw std::runtime_error("failed: " + command);
  return made;
}

MailServer::MailServer(const std::vector<std::string>& options) {
  const auto input = make_pipe();
  // A file and not a pipe: a server that tells of a large mail must not wait for us to read it.
  output_ = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  std::vector<char*> argv{const_cast<char*>(kScript)};
  for (const std::string& option : options) argv.push_back(const_cast<char*>(option.c_str()));
  argv.push_back(nullptr);
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that crashes leaves no server behind
    dup2(input[0], STDIN_FILENO);
    dup2(output_, STDOUT_FILENO);
    execv(kScript, argv.data());
    _exit(127);
  }
  close(input[0]);
  input_ = input[1];
  if (pid_ < 0) throw std::runtime_error("fork failed");
  const std::string line = read_line();
  if (!line.starts_with("PORT ")) throw std::runtime_error("the SMTP server said: " + line);
  port_ = static_cast<std::uint16_t>(std::stoi(line.substr(5)));
}

MailServer::~MailServer() {
  close(input_);
  close(output_);
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
}

std::string MailServer::read_line() {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (unread_.find('\n') == std::string::npos) {
    std::array<char, 65536> part{};
    const ssize_t size = pread(output_, part.data(), part.size(), read_);
    if (size < 0 || std::chrono::steady_clock::now() > end) {
      throw std::runtime_error("the SMTP server says nothing: " + unread_);
    }
    if (size == 0) std::this_thread::sleep_for(std::chrono::milliseconds{2});
    unread_.append(part.data(), static_cast<std::size_t>(size));
    read_ += size;
  }
  const std::size_t size = unread_.find('\n');
  const std::string line = unread_.substr(0, size);
  unread_.erase(0, size + 1);
  return line;
}

nlohmann::json MailServer::next(const std::string& event) {
  for (;;) {
    seen_.push_back(nlohmann::json::parse(read_line()));
    if (seen_.back().at("event") == event) return seen_.back();
  }
}

long MailServer::count(const std::string& event) const {
  return std::count_if(seen_.begin(), seen_.end(),
                       [&](const nlohmann::json& seen) { return seen.at("event") == event; });
}

}  // namespace mha
