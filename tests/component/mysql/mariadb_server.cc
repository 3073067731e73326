// Starting and stopping mariadbd.
#include "mariadb_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <thread>

#include "test_client.h"

namespace mha {
namespace {

namespace fs = std::filesystem;

// Debian keeps mariadbd in sbin, which a user's PATH lacks.
std::string find_program(const std::string& name) {
  std::string path = std::getenv("PATH") == nullptr ? "" : std::getenv("PATH");
  path += ":/usr/sbin:/usr/bin:/usr/local/sbin";
  std::size_t begin = 0;
  while (begin <= path.size()) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    const std::string file = path.substr(begin, end - begin) + "/" + name;
    if (access(file.c_str(), X_OK) == 0) return file;
    begin = end + 1;
  }
  return "";
}

const std::string kSmall = "--innodb-log-file-size=8M";

// Made once a program, copied for each server.
const std::string& template_data() {
  static const TemporaryFolder folder;
  static const std::string data = [] {
    const std::string path = folder.path() + "/data";
    // --rpm: as root it would change the owner of the system's own PAM helper otherwise.
    run_program({find_program("mariadb-install-db"), "--no-defaults", "--rpm", "--datadir=" + path,
                 "--auth-root-authentication-method=normal", "--skip-test-db",
                 "--skip-name-resolve", kSmall,
                 geteuid() == 0 ? "--user=root" : "--skip-networking"});
    return path;
  }();
  return data;
}

}  // namespace

TemporaryFolder::TemporaryFolder() : path_(fs::temp_directory_path() / "mha-mysql-XXXXXX") {
  if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no temporary folder");
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

pid_t spawn(const std::vector<std::string>& argv) {
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 1);
    dup2(null, 2);
    close_range(3, ~0U, 0);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  if (pid < 0) throw std::runtime_error("fork failed");
  return pid;
}

std::uint16_t free_port() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  bind(listener, reinterpret_cast<sockaddr*>(&address), size);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  close(listener);
  return ntohs(address.sin_port);
}

void write_init_sql(const std::string& file) {
  // kPassword as an SQL literal.
  std::ofstream(file)
      << "CREATE USER mha@'%' IDENTIFIED BY 'p@ss w\\'o\\\\rd$1\\\"!';\n"
         "GRANT ALL ON *.* TO mha@'%' WITH GRANT OPTION;\n"
         "CREATE USER app@'%';\n"
         "CREATE DATABASE shop;\n"
         "GRANT SELECT, INSERT, UPDATE, DELETE, LOCK TABLES, ALTER, CREATE ON shop.* TO app@'%';\n"
         "CREATE TABLE shop.orders (id INT PRIMARY KEY, amount INT) ENGINE=InnoDB;\n"
         "INSERT INTO shop.orders VALUES (1, 1), (2, 2);\n";
}

void run_program(const std::vector<std::string>& argv) {
  std::vector<std::string> found = argv;
  if (found[0].find('/') == std::string::npos) found[0] = find_program(found[0]);
  int status = 0;
  if (waitpid(spawn(found), &status, 0) < 0 || status != 0) {
    throw std::runtime_error(fmt::format("{} failed (status {})", argv[0], status));
  }
}

std::string missing_tools() {
  for (const char* name : {"mariadbd", "mariadb-install-db", "openssl"}) {
    if (find_program(name).empty()) return name;
  }
  return "";
}

MysqlTarget local_target(std::uint16_t port) {
  MysqlTarget target;
  target.host = "127.0.0.1";
  target.port = port;
  target.user = "mha";
  target.password = Secret{kPassword};
  target.tls_mode = MysqlTlsMode::kDisabled;
  return target;
}

MariadbServer::MariadbServer(const std::vector<std::string>& options) {
  fs::copy(template_data(), folder_.path() + "/data", fs::copy_options::recursive);
  write_init_sql(folder_.path() + "/init.sql");
  // Another program may take the port before the server has it: another attempt, another port.
  for (int attempt = 0; attempt < 3; ++attempt) {
    start(options);
    if (wait_until_ready()) return;
    crash();
  }
  std::ifstream log(folder_.path() + "/log");
  throw std::runtime_error("mariadbd does not start:\n" +
                           std::string{std::istreambuf_iterator<char>(log), {}});
}

MariadbServer::~MariadbServer() { crash(); }

void MariadbServer::freeze() const {
  kill(pid_, SIGSTOP);
  waitpid(pid_, nullptr, WUNTRACED);  // until it has stopped
}

void MariadbServer::thaw() const { kill(pid_, SIGCONT); }

// No test needs what a clean shutdown would keep.
void MariadbServer::crash() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void MariadbServer::start(const std::vector<std::string>& options) {
  port_ = free_port();
  const std::string& folder = folder_.path();
  std::vector<std::string> argv{find_program("mariadbd"),
                                "--no-defaults",
                                "--datadir=" + folder + "/data",
                                "--socket=" + folder + "/socket",
                                "--pid-file=" + folder + "/pid",
                                "--log-error=" + folder + "/log",
                                fmt::format("--port={}", port_),
                                "--bind-address=127.0.0.1,::1",
                                "--skip-name-resolve",
                                "--innodb-buffer-pool-size=16M",
                                "--innodb-flush-log-at-trx-commit=0",
                                "--max-connections=3000",
                                "--back-log=2000",
                                "--init-file=" + folder + "/init.sql",
                                kSmall};
  if (geteuid() == 0) argv.push_back("--user=root");
  argv.insert(argv.end(), options.begin(), options.end());
  pid_ = spawn(argv);
}

bool MariadbServer::wait_until_ready() const {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (std::chrono::steady_clock::now() < give_up) {
    if (waitpid(pid_, nullptr, WNOHANG) != 0) return false;
    TestClient client;
    if (client.connect(port_, "mha", kPassword)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  return false;
}

}  // namespace mha
