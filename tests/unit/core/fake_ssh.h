// Fake SSH to the hosts of a cluster: sessions open, are refused, or cost their deadline.
#pragma once

#include <fmt/core.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "fakes/fake_mysql.h"
#include "fakes/fake_shell.h"
#include "fakes/fault_plan.h"
#include "ports/clock.h"
#include "ports/remote_shell.h"

namespace mha {

// FakeShellConnector with the plan's faults ("ssh db1 connect") and a host's health. Thread-safe.
class FakeSsh : public ShellConnector {
 public:
  FakeSsh(FaultPlan& faults, Clock& clock) : faults_(faults), clock_(clock) {}

  std::shared_ptr<FakeShellHost> add_host(const std::string& name) { return inner_.add_host(name); }

  void set_health(const std::string& host, FakeHealth health) {
    const std::lock_guard lock{mutex_};
    health_[host] = health;
  }

  Result<std::unique_ptr<RemoteShell>> connect(const SshTarget& target,
                                               Deadline deadline) override {
    return faults_.around(fmt::format("ssh {} connect", target.host),
                          [&]() -> Result<std::unique_ptr<RemoteShell>> {
                            const FakeHealth health = health_of(target.host);
                            if (health == FakeHealth::kDown) {
                              return Error{Code::kUnreachable, "connection refused"};
                            }
                            if (health == FakeHealth::kSilent || clock_.passed(deadline)) {
                              clock_.sleep_until(deadline.at());
                              return Error{Code::kTimeout, "no answer in time"};
                            }
                            return inner_.connect(target, deadline);
                          });
  }

 private:
  FakeHealth health_of(const std::string& host) {
    const std::lock_guard lock{mutex_};
    return health_[host];
  }

  FaultPlan& faults_;
  Clock& clock_;
  FakeShellConnector inner_;
  std::mutex mutex_;
  std::map<std::string, FakeHealth> health_;
};

}  // namespace mha
