// Fetching, starting and stopping.
#include "fetched_server.h"

#include <fmt/core.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>
#include <thread>

#include "source_paths.h"
#include "test_client.h"

namespace mha {
namespace {

namespace fs = std::filesystem;

// Where the server is; "" where it cannot be had. Asked once for each.
const std::string& folder_of(const std::string& name) {
  static std::map<std::string, std::string> known;
  const auto [entry, is_new] = known.emplace(name, "");
  if (!is_new) return entry->second;
  // The name is one of ours and the path has no quote: nothing for a shell to take wrongly.
  FILE* pipe = popen(fmt::format("'{}/tests/servers/fetch' {}", MHA_SOURCE_DIR, name).c_str(), "r");
  if (pipe == nullptr) return entry->second;
  std::array<char, 4096> line{};
  std::string said;
  while (std::fgets(line.data(), line.size(), pipe) != nullptr) said += line.data();
  if (pclose(pipe) == 0) entry->second = said.substr(0, said.find('\n'));
  return entry->second;
}

bool is_mariadb(const std::string& name) { return name.starts_with("mariadb"); }

std::vector<std::string> family_options(const std::string& name) {
  if (is_mariadb(name)) return {"--log-slave-updates"};
  std::vector<std::string> options{"--gtid-mode=ON", "--enforce-gtid-consistency=ON"};
  if (name == "mysql-5.6") {
    options.insert(options.end(), {"--log-slave-updates", "--explicit-defaults-for-timestamp",
                                   "--innodb-log-file-size=16M"});
  } else {
    // Debian's build wants a folder of the machine for files.
    options.insert(options.end(),
                   {"--mysqlx=0", "--secure-file-priv=NULL", "--innodb-redo-log-capacity=32M"});
  }
  return options;
}

}  // namespace

bool can_fetch(const std::string& name) { return !folder_of(name).empty(); }

FetchedServer::FetchedServer(const std::string& name, const std::vector<std::string>& options) {
  if (!can_fetch(name)) throw std::runtime_error(name + " could not be fetched: see above");
  fs::copy(folder_of(name) + "/data", folder_.path() + "/data", fs::copy_options::recursive);
  write_init_sql(folder_.path() + "/init.sql");
  // Another program may take the port before the server has it: another attempt, another port.
  for (int attempt = 0; attempt < 3; ++attempt) {
    start(name, options);
    if (wait_until_ready()) return;
    kill_it();
  }
  std::ifstream log(folder_.path() + "/log");
  throw std::runtime_error(name + " does not start:\n" +
                           std::string{std::istreambuf_iterator<char>(log), {}});
}

FetchedServer::~FetchedServer() { kill_it(); }

std::string FetchedServer::folder(const std::string& name) { return folder_of(name); }

void FetchedServer::kill_it() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void FetchedServer::start(const std::string& name, const std::vector<std::string>& options) {
  port_ = free_port();
  const std::string& program = folder_of(name);
  const std::string& own = folder_.path();
  const std::string share = program + (is_mariadb(name) ? "/share/mariadb" : "/share/mysql");
  std::vector<std::string> argv{program + (is_mariadb(name) ? "/sbin/mariadbd" : "/sbin/mysqld"),
                                "--no-defaults",
                                "--basedir=" + program,
                                "--lc-messages-dir=" + share,
                                "--character-sets-dir=" + share + "/charsets",
                                "--datadir=" + own + "/data",
                                "--tmpdir=" + own,
                                "--socket=" + own + "/socket",
                                "--pid-file=" + own + "/pid",
                                "--log-error=" + own + "/log",
                                fmt::format("--port={}", port_),
                                "--bind-address=127.0.0.1",
                                "--skip-name-resolve",
                                "--server-id=1",
                                "--log-bin=" + own + "/data/bin",
                                "--innodb-buffer-pool-size=16M",
                                "--innodb-flush-log-at-trx-commit=0",
                                "--sync-binlog=0",
                                "--init-file=" + own + "/init.sql"};
  if (geteuid() == 0) argv.push_back("--user=root");
  for (const std::string& option : family_options(name)) argv.push_back(option);
  argv.insert(argv.end(), options.begin(), options.end());
  pid_ = spawn(argv);
}

bool FetchedServer::wait_until_ready() const {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{60};
  while (std::chrono::steady_clock::now() < give_up) {
    if (waitpid(pid_, nullptr, WNOHANG) != 0) return false;
    TestClient client;
    if (client.connect(port_, "mha", kPassword)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  return false;
}

FetchedServer& fetched_server(const std::string& name) {
  static std::map<std::string, std::unique_ptr<FetchedServer>> servers;
  std::unique_ptr<FetchedServer>& server = servers[name];
  if (server == nullptr) server = std::make_unique<FetchedServer>(name);
  return *server;
}

}  // namespace mha
