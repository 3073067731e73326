// Two database hosts, "a" and "b", as servers of a fake cloud, and the drivers of both.
#pragma once

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fakes/fake_clock.h"
#include "fakes/fake_log.h"
#include "fakes/fake_openstack.h"
#include "fakes/fake_shell.h"
#include "fakes/fault_plan.h"
#include "vip/factory.h"

namespace mha {

inline constexpr const char* kPortA = "aaaaaaaa-0000-4000-8000-000000000001";
inline constexpr const char* kPortB = "bbbbbbbb-0000-4000-8000-000000000002";
inline constexpr const char* kPortC = "cccccccc-0000-4000-8000-000000000003";
inline constexpr const char* kFloating = "ffffffff-0000-4000-8000-000000000004";
inline constexpr const char* kNetwork = "network-1";
inline constexpr const char* kVip = "10.0.1.100";
inline constexpr const char* kPublic = "203.0.113.10";

class OpenstackWorld {
 public:
  explicit OpenstackWorld(OpenstackMode mode) {
    cloud.add_port(kPortA, kNetwork, "10.0.1.11", "server-a");
    cloud.add_port(kPortB, kNetwork, "10.0.1.12", "server-b");
    cloud.add_port(kPortC, kNetwork, "10.0.1.13", "server-c");
    cloud.add_floating_ip(kFloating, kPublic);
    if (mode == OpenstackMode::kAddressPair) {
      cloud.set_pairs(kPortA, {kVip});
      cloud.set_pairs(kPortB, {kVip});
    }
    settings.file = "/etc/mha-helper/app.conf";
    settings.vip_type = VipType::kOpenstack;
    settings.openstack.mode = mode;
    if (mode != OpenstackMode::kFloatingIp) {
      settings.writer_vip = Cidr{kVip, 24, false};
      settings.cluster_interface = "eth0";
    } else {
      settings.writer_vip = Cidr{kPublic, 32, false};
    }
    variables = {{"OS_AUTH_URL", "https://id.example.com"},
                 {"OS_USERNAME", "dba"},
                 {"OS_PASSWORD", "secret-password"},
                 {"OS_PROJECT_NAME", "db"},
                 {"HOME", "/nonexistent"}};
    for (const std::string host : {"a", "b"}) {
      shells[host] = std::make_unique<FakeShell>(
          host, [this, host](const std::string& script) { return run(host, script); });
    }
  }

  [[nodiscard]] VipSite site(const std::string& host) const {
    return {settings, host, host == "a" ? "10.0.1.11" : "10.0.1.12"};
  }
  std::unique_ptr<VipDriver> make(const std::string& host, RemoteShell* shell) {
    const VipSite other = site(host == "a" ? "b" : "a");
    return drivers.make(site(host), &other, shell);
  }
  std::unique_ptr<VipDriver> driver(const std::string& host) {
    return make(host, shells.at(host).get());
  }
  std::unique_ptr<VipDriver> bare(const std::string& host) { return make(host, nullptr); }

  [[nodiscard]] Deadline soon() const { return clock.deadline_after(Milliseconds{20000}); }
  [[nodiscard]] bool on_host(const std::string& host) const { return on_os.at(host); }
  // Calls of the cloud, tokens aside.
  [[nodiscard]] std::vector<std::string> calls() const {
    std::vector<std::string> all = faults.calls();
    std::erase(all, "POST /v3/auth/tokens");
    return all;
  }

  FakeClock clock;
  FakeLog log;
  FaultPlan faults;
  FakeOpenstack cloud{faults, clock};
  HostSettings settings;
  std::map<std::string, std::string> variables;
  Environ environ_of_test = [this](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
  VipDrivers drivers{{cloud, environ_of_test, clock, log}};
  std::map<std::string, std::unique_ptr<FakeShell>> shells;
  std::map<std::string, bool> on_os{{"a", false}, {"b", false}};
  std::vector<std::string> strangers;  // link addresses that answer for the address too
  bool has_sudo = true;
  std::vector<std::string> scripts;  // what the hosts were asked that changes them

 private:
  // A host of the lab in a few words: what the metal driver's scripts would print.
  Result<CommandOutput> run(const std::string& host, const std::string& script) {
    const bool adds = script.find("addr add") != std::string::npos;
    const bool removes = script.find("addr del") != std::string::npos;
    const std::string answering = fmt::format("{}", fmt::join(answering_to(host), "] ["));
    const std::string probe =
        answering.empty() || script.find("-D -c 1") == std::string::npos
            ? ""
            : fmt::format("Unicast reply from {} [{}]  0.6ms", kVip, answering);
    std::string out = fmt::format(
        "ip=/usr/sbin/ip\narping=/usr/bin/"
        "arping\narping_sudo=ok\nsudo={}\nlink=02:00:00:00:00:0{}\n"
        "links=02:00:00:00:00:0{}\nchange=ok\nprobe={}\n--addresses--\n",
        has_sudo ? "ok" : "a password is required", host, host, probe);
    if (adds) {
      const bool stops = script.find("if [ -z \"$probe\" ]") != std::string::npos;
      if (!on_os[host] && (probe.empty() || !stops)) on_os[host] = true;
      scripts.push_back(host + " add");
    }
    if (removes) {
      on_os[host] = false;
      scripts.push_back(host + " del");
    }
    if (on_os[host]) out += fmt::format("2: eth0    inet {}/24 scope global eth0\n", kVip);
    return CommandOutput{0, out, ""};
  }

  // The other host where it has the address and its port passes that, and strangers.
  std::vector<std::string> answering_to(const std::string& host) const {
    std::vector<std::string> all = strangers;
    const std::string other = host == "a" ? "b" : "a";
    const char* port = other == "a" ? kPortA : kPortB;
    if (on_os.at(other) && (cloud.has_pair(port, kVip) || cloud.has_fixed_ip(port, kVip))) {
      std::string mac = cloud.port(port)["mac_address"];
      for (char& c : mac) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      all.push_back(mac);
    }
    return all;
  }
};

// The error's message, or what makes a test fail.
template <typename T>
std::string message_of(const T& outcome) {
  return outcome.ok() ? "(no error)" : outcome.error().message;
}

}  // namespace mha
