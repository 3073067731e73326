// A fake network on which hosts hold the virtual IP, and drivers that move it there.
#pragma once

#include <fmt/core.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fakes/fault_plan.h"
#include "ports/clock.h"
#include "ports/remote_shell.h"
#include "ports/vip_driver.h"

namespace mha {

// Who holds the address: shared by the drivers of all hosts. Every holder answers on the network
// when another host asks who has it. Thread-safe.
class FakeVipNetwork {
 public:
  // Called at the start of each driver call (text as in FaultPlan), without a lock held.
  using OnCall = std::function<void(const std::string& call)>;

  explicit FakeVipNetwork(FaultPlan& faults, Clock* clock = nullptr)
      : faults_(faults), clock_(clock) {}

  // Hosts that hold the address.
  [[nodiscard]] std::set<std::string> holders() const {
    const std::lock_guard lock{mutex_};
    return holders_;
  }
  void set_holders(std::set<std::string> hosts) {
    const std::lock_guard lock{mutex_};
    holders_ = std::move(hosts);
  }
  // Link-layer addresses of machines that are none of our hosts and hold it too.
  void set_strangers(std::vector<std::string> link_addresses) {
    const std::lock_guard lock{mutex_};
    strangers_ = std::move(link_addresses);
  }
  // What check() on that host answers; nullopt: all is well.
  void set_check_error(const std::string& host, std::optional<Error> error) {
    const std::lock_guard lock{mutex_};
    check_errors_[host] = std::move(error);
  }
  // A warning with which assign() on that host comes back: announcements fail there.
  void set_warning(const std::string& host, const std::string& warning) {
    const std::lock_guard lock{mutex_};
    warnings_[host] = warning;
  }
  // The host answers nothing: each call costs its deadline (where there is a clock).
  void set_silent(const std::string& host) {
    const std::lock_guard lock{mutex_};
    silent_.insert(host);
  }
  // The network is a cloud's: its interface takes the address away from a host without its help.
  void be_a_cloud() {
    const std::lock_guard lock{mutex_};
    is_cloud_ = true;
  }
  [[nodiscard]] bool is_cloud() const {
    const std::lock_guard lock{mutex_};
    return is_cloud_;
  }
  void set_on_call(OnCall on_call) {
    const std::lock_guard lock{mutex_};
    on_call_ = std::move(on_call);
  }

 private:
  friend class FakeVipDriver;

  [[nodiscard]] OnCall on_call() const {
    const std::lock_guard lock{mutex_};
    return on_call_;
  }
  // As seen from `host`: with the lock held.
  [[nodiscard]] std::vector<std::string> others(const std::string& host) const {
    std::vector<std::string> found = strangers_;
    for (const std::string& holder : holders_) {
      if (holder != host) found.push_back("link of " + holder);
    }
    return found;
  }

  FaultPlan& faults_;
  Clock* clock_;
  mutable std::mutex mutex_;
  std::set<std::string> holders_;
  std::vector<std::string> strangers_;
  std::map<std::string, std::optional<Error>> check_errors_;
  std::map<std::string, std::string> warnings_;
  std::set<std::string> silent_;
  bool is_cloud_ = false;
  OnCall on_call_;
};

// One host's driver. Records "vip HOST CALL" in the fault plan, for instance
//   vip db1 check    vip db1 status    vip db1 other_holders
//   vip db1 remove   vip db1 assign    vip db1 assign kTakeOver    vip db1 remove by interface
// As strict as a session may be: after kTimeout or kUnreachable each further call is kUnreachable,
// and reaches no host; so is every call without a shell.
class FakeVipDriver : public VipDriver {
 public:
  FakeVipDriver(FakeVipNetwork& network, std::string host, const RemoteShell* shell)
      : network_(network),
        host_(std::move(host)),
        by_interface_(shell == nullptr && network.is_cloud()),
        dead_(shell == nullptr && !by_interface_) {}

  [[nodiscard]] const std::string& provider() const override { return provider_; }
  [[nodiscard]] bool moves_an_address() const override { return true; }
  [[nodiscard]] ShellUse shell_use() const override {
    return network_.is_cloud() ? ShellUse::kWanted : ShellUse::kNeeded;
  }

  Status check(Deadline deadline) override {
    return call("check", deadline, [this]() -> Status {
      const auto found = network_.check_errors_.find(host_);
      const bool wrong = found != network_.check_errors_.end() && found->second.has_value();
      return wrong ? Status{*found->second} : Status{};
    });
  }

  Result<VipPresence> status(Deadline deadline) override {
    return call(by_interface_ ? "status by interface" : "status", deadline,
                [this]() -> Result<VipPresence> {
                  return network_.holders_.contains(host_) ? VipPresence::kPresent
                                                           : VipPresence::kAbsent;
                });
  }

  Result<std::vector<std::string>> other_holders(Deadline deadline) override {
    return call("other_holders", deadline,
                [this]() -> Result<std::vector<std::string>> { return network_.others(host_); });
  }

  [[nodiscard]] std::vector<std::string> own_identities() const override {
    return {"link of " + host_};
  }

  Result<VipAssignment> assign(OtherHolder other_holder, Deadline deadline) override {
    const bool take_over = other_holder == OtherHolder::kTakeOver;
    return call(take_over ? "assign kTakeOver" : "assign", deadline,
                [&]() -> Result<VipAssignment> {
                  VipAssignment assignment;
                  const std::vector<std::string> others = network_.others(host_);
                  if (!network_.holders_.contains(host_) && !others.empty()) {
                    if (!take_over) {
                      return Error{Code::kRefused, fmt::format("{} answers for the address: it was "
                                                               "not added to host '{}'",
                                                               others.front(), host_)};
                    }
                    assignment.warnings.push_back(others.front() + " still answers");
                  }
                  network_.holders_.insert(host_);
                  const auto warning = network_.warnings_.find(host_);
                  if (warning != network_.warnings_.end()) {
                    assignment.warnings.push_back(warning->second);
                  }
                  return assignment;
                });
  }

  Status remove(Deadline deadline) override {
    return call(by_interface_ ? "remove by interface" : "remove", deadline, [this]() -> Status {
      network_.holders_.erase(host_);
      return {};
    });
  }

  [[nodiscard]] std::string assign_by_hand() const override { return "add-vip-on " + host_; }
  [[nodiscard]] std::string remove_by_hand() const override { return "del-vip-on " + host_; }

 private:
  template <typename Effect>
  auto call(const std::string& what, Deadline deadline, Effect effect) -> decltype(effect()) {
    using Answer = decltype(effect());
    if (dead_) return Error{Code::kUnreachable, fmt::format("no session to host '{}'", host_)};
    const std::string text = fmt::format("vip {} {}", host_, what);
    if (const FakeVipNetwork::OnCall on_call = network_.on_call()) on_call(text);
    Answer outcome = network_.faults_.around(text, [&]() -> Answer {
      const std::lock_guard lock{network_.mutex_};
      Clock* clock = network_.clock_;
      const bool silent = network_.silent_.contains(host_) && !by_interface_;
      if (silent || (clock != nullptr && clock->passed(deadline))) {
        if (clock != nullptr) clock->sleep_until(deadline.at());
        return Error{Code::kTimeout, fmt::format("{}: no answer in time", text)};
      }
      return effect();
    });
    if (!outcome.ok()) {
      const Code code = outcome.error().code;
      dead_ = code == Code::kTimeout || code == Code::kUnreachable;
    }
    return outcome;
  }

  FakeVipNetwork& network_;
  std::string host_;
  std::string provider_ = "fake";
  bool by_interface_;
  bool dead_;
};

}  // namespace mha
