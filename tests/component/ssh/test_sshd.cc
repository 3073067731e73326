// Processes, files and keys of the SSH tests.
#include "component/ssh/test_sshd.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

#include "component/real_clock.h"
#include "ssh/tcp_connect.h"

namespace mha {

TempDir::TempDir() {
  std::string name = (std::filesystem::temp_directory_path() / "mha-ssh-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void write_file(const std::string& path, const std::string& text) { std::ofstream{path} << text; }

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream{path}.rdbuf();
  return text.str();
}

namespace {

pid_t start(const std::vector<std::string>& argv, int out, int err) {
  std::vector<char*> pointers;
  for (const std::string& word : argv) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    const int in = ::open("/dev/null", O_RDONLY);
    ::dup2(in, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    ::close_range(STDERR_FILENO + 1, ~0U, 0);
    ::execvp(pointers[0], pointers.data());
    ::_exit(127);
  }
  if (pid < 0) throw std::runtime_error("fork failed");
  return pid;
}

}  // namespace

TestProcess::TestProcess(const std::vector<std::string>& argv, const std::string& log) {
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  pid_ = start(argv, out, out);
  ::close(out);
}

TestProcess::~TestProcess() {
  const std::vector<pid_t> all = family();
  // A stopped process does not see SIGTERM.
  for (const pid_t pid : all) ::kill(pid, SIGCONT);
  for (const pid_t pid : all) ::kill(pid, SIGTERM);
  if (!eventually([&] { return ::waitpid(pid_, nullptr, WNOHANG) != 0; }, 1)) {
    for (const pid_t pid : all) ::kill(pid, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

std::vector<pid_t> TestProcess::family() const {
  std::multimap<pid_t, pid_t> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string stat = read_file(entry.path() / "stat");
    const std::size_t end = stat.rfind(')');
    if (end == std::string::npos) continue;
    char state = 0;
    pid_t parent = 0;
    std::istringstream{stat.substr(end + 1)} >> state >> parent;
    children.emplace(parent, std::stoi(name));
  }
  std::vector<pid_t> all{pid_};
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto [begin, end] = children.equal_range(all[i]);
    for (auto child = begin; child != end; ++child) all.push_back(child->second);
  }
  return all;
}

std::string run_tool(const std::vector<std::string>& argv) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe failed");
  const pid_t pid = start(argv, ends[1], STDERR_FILENO);
  ::close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (status != 0) throw std::runtime_error(argv.front() + " failed");
  return text;
}

void make_key(const std::string& path, const std::string& type, const std::string& passphrase) {
  run_tool({"ssh-keygen", "-q", "-t", type, "-N", passphrase, "-C", "test", "-f", path});
}

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

std::string current_user() {
  static const std::string name = ::getpwuid(::getuid())->pw_name;  // once: not thread-safe
  return name;
}

namespace {

std::string sshd_program() {
  for (const char* path : {"/usr/sbin/sshd", "/usr/bin/sshd", "/usr/local/sbin/sshd"}) {
    if (::access(path, X_OK) == 0) return path;
  }
  return {};
}

}  // namespace

bool sshd_is_installed() { return !sshd_program().empty(); }

TestSshd::TestSshd(Options options) : options_(std::move(options)), port_(free_port()) {
  make_key(host_key());
  make_key(client_key());
  write_file(authorized_keys(), read_file(client_key() + ".pub"));
  start();
}

void TestSshd::change_host_key() {
  process_.reset();
  std::filesystem::remove(host_key());
  std::filesystem::remove(host_key() + ".pub");
  const std::string known = read_file(known_hosts());
  make_key(host_key());
  start();
  write_file(known_hosts(), known);
}

void TestSshd::start() {
  std::ostringstream config;
  for (const std::string& line : options_.lines) config << line << "\n";
  config << "Port " << port_ << "\nListenAddress " << options_.address << "\nHostKey " << host_key()
         << "\nAuthorizedKeysFile " << authorized_keys()
         << "\nPidFile none\nUsePAM no\nStrictModes no\nPermitRootLogin yes\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nUseDNS no\n"
            // So that no start-up file of whoever runs the tests has a part in them.
            "SetEnv HOME="
         << dir_.path().string() << "\n";
  write_file(dir_.file("sshd_config"), config.str());
  // sshd refuses to start without it; Debian makes it when its service starts. It stays: whatever
  // other sshd has been started since needs it for each connection.
  if (::getuid() == 0) ::mkdir("/run/sshd", 0755);
  process_ = std::make_unique<TestProcess>(
      std::vector<std::string>{sshd_program(), "-D", "-e", "-f", dir_.file("sshd_config")},
      dir_.file("log"));
  RealClock clock;
  const bool up = eventually([&] {
    return connect_tcp({options_.address, port_, ""}, clock,
                       clock.deadline_after(Milliseconds{500}))
        .ok();
  });
  if (!up) throw std::runtime_error("sshd did not start: " + log());
  write_file(known_hosts(), known_hosts_line());
}

std::string TestSshd::known_hosts_line() const {
  std::istringstream key{read_file(host_key() + ".pub")};
  std::string type;
  std::string blob;
  key >> type >> blob;
  return "[" + options_.address + "]:" + std::to_string(port_) + " " + type + " " + blob + "\n";
}

SshTarget TestSshd::target() const {
  SshTarget target;
  target.host = options_.address;
  target.port = port_;
  target.user = current_user();
  target.identity_files = {client_key()};
  target.known_hosts_file = known_hosts();
  return target;
}

std::string TestSshd::ssh_config_lines() const {
  return "  HostName " + options_.address + "\n  Port " + std::to_string(port_) + "\n  User " +
         current_user() + "\n  IdentityFile " + client_key() + "\n  UserKnownHostsFile " +
         known_hosts() + "\n";
}

SshClientFiles TestSshd::client_files(const std::string& config) const {
  SshClientFiles files = client_files();
  files.config_file = dir_.file("ssh_config");
  write_file(files.config_file, config);
  return files;
}

SshClientFiles TestSshd::client_files() const {
  SshClientFiles files;
  files.config_file = "/dev/null";
  files.home = dir_.path();
  return files;
}

}  // namespace mha
