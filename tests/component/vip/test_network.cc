// Making and removing namespaces.
#include "component/vip/test_network.h"

#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace mha {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNamespaces = "/run/netns";
constexpr const char* kFamily = "mhavip-";
const std::vector<std::string> kMachines{"a", "b", "lan"};

// Ends what runs in a namespace (announcements go on for seconds), then the namespace.
void remove_namespace(LocalShell& shell, const std::string& name, Deadline deadline) {
  const Result<CommandOutput> pids = shell.run("ip netns pids " + name, deadline);
  if (pids.ok()) {
    std::istringstream words(pids.value().out);
    for (pid_t pid = 0; words >> pid;) kill(pid, SIGKILL);
  }
  static_cast<void>(shell.run("ip netns del " + name, deadline));
}

// "mhavip-PID-N-a" of a process that is no more.
void remove_left_behind(LocalShell& shell, Deadline deadline) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(kNamespaces, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kFamily)) continue;
    const std::string pid =
        name.substr(std::string(kFamily).size(),
                    name.find('-', std::string(kFamily).size()) - std::string(kFamily).size());
    if (!fs::exists("/proc/" + pid)) remove_namespace(shell, name, deadline);
  }
}

}  // namespace

std::unique_ptr<TestNetwork> TestNetwork::make() {
  static std::atomic<int> number{0};
  std::unique_ptr<TestNetwork> network{
      new TestNetwork(fmt::format("{}{}-{}-", kFamily, getpid(), ++number))};
  LocalShell shell("here", network->clock_);
  remove_left_behind(shell, network->clock_.deadline_after(Milliseconds{10000}));
  if (network->set_up()) return network;
  const char* ci = std::getenv("CI");
  const bool in_ci = ci != nullptr && std::string(ci) == "true";
  if (in_ci || geteuid() == 0) ADD_FAILURE() << "no network namespaces";
  return nullptr;
}

bool TestNetwork::set_up() {
  if (geteuid() != 0) return false;
  std::string script = "set -e\n";
  for (const std::string& machine : kMachines) {
    script += fmt::format("ip netns add {0}{1}; ip -n {0}{1} link set lo up\n", name_, machine);
  }
  script +=
      fmt::format("ip -n {0}lan link add br0 type bridge; ip -n {0}lan link set br0 up\n", name_);
  int number = 1;
  for (const std::string machine : {"a", "b"}) {
    script += fmt::format(
        "ip -n {0}lan link add port-{1} type veth peer name eth0 netns {0}{1}\n"
        "ip -n {0}lan link set port-{1} master br0 up\n"
        "ip -n {0}{1} link set eth0 up\n"
        "ip -n {0}{1} addr add 10.99.0.{2}/24 dev eth0\n"
        "ip -n {0}{1} addr add fd99::{2}/64 dev eth0 nodad\n",
        name_, machine, number++);
  }
  script += fmt::format(
      "ip -n {0}lan addr add 10.99.0.3/24 dev br0; ip -n {0}lan addr add fd99::3/64 dev br0 "
      "nodad\n",
      name_);
  const Result<CommandOutput> done = run({}, script);
  if (done.ok() && done.value().exit_status == 0) return true;
  std::cerr << (done.ok() ? done.value().err : done.error().message) << "\n";
  return false;
}

TestNetwork::~TestNetwork() {
  LocalShell shell("here", clock_);
  for (const std::string& machine : kMachines) {
    remove_namespace(shell, name_ + machine, clock_.deadline_after(Milliseconds{10000}));
  }
}

std::vector<std::string> TestNetwork::prefix(const std::string& machine) const {
  return {"ip", "netns", "exec", name_ + machine};
}

Result<CommandOutput> TestNetwork::run(const std::vector<std::string>& prefix,
                                       const std::string& command) {
  LocalShell shell("here", clock_, prefix);
  return shell.run(command, clock_.deadline_after(Milliseconds{20000}));
}

std::string TestNetwork::on(const std::string& machine, const std::string& command) {
  const Result<CommandOutput> output = run(prefix(machine), command);
  EXPECT_TRUE(output.ok()) << command << ": " << output.status().error().message;
  if (!output.ok()) return "";
  EXPECT_EQ(output.value().exit_status, 0) << command << ": " << output.value().err;
  return output.value().out;
}

std::string TestNetwork::link_address(const std::string& machine) {
  const std::string text = on(machine, "cat /sys/class/net/eth0/address");
  return text.substr(0, text.find('\n'));
}

std::string TestNetwork::neighbour_entry(const std::string& address) {
  std::istringstream words(on("lan", "ip neigh show " + address + " dev br0"));
  for (std::string word; words >> word;) {
    if (word == "lladdr" && words >> word) return word;
  }
  return "";
}

std::vector<std::string> TestNetwork::running(const std::string& machine) {
  const Result<CommandOutput> pids = run({}, "ip netns pids " + name_ + machine);
  std::vector<std::string> names;
  std::istringstream words(pids.ok() ? pids.value().out : "");
  for (std::string pid; words >> pid;) {
    std::ifstream file("/proc/" + pid + "/comm");
    std::string name;
    if (std::getline(file, name)) names.push_back(name);
  }
  return names;
}

}  // namespace mha
