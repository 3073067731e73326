// A cloud with two hosts and somebody else, for the conformance suite of its drivers.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "component/vip/vip_world.h"
#include "fakes/faulty_http.h"

namespace mha {

// Whose keys a driver has.
enum class CloudKeys {
  kGood,   // may do what the driver's documentation asks for, and no more
  kPoor,   // may look only
  kWrong,  // the cloud does not know them
};

// What a mode can and cannot do.
struct CloudTraits {
  // The host's own configuration holds the address as well.
  bool has_os_part = true;
  // assign() moves the address by the interface, from the counterpart too; else the interface only
  // says who may have it (address_pair), and the hosts do the rest.
  bool moves_by_api = true;
  // One call of the interface does it; else (several route tables) a program that ends on the way
  // leaves it with two.
  bool moves_in_one_act = true;
  // check() can see that a permission is missing.
  bool check_sees_permissions = true;
};

// Machines are "a", "b" and "third"; the last has no driver, and is not the counterpart of another.
class CloudWorld : public VipWorld {
 public:
  [[nodiscard]] virtual CloudTraits traits() const = 0;

  // A driver as another program, on another machine, would make it: it shares no credentials, no
  // token and no connection with earlier ones. Without a session where `shell` is kNone.
  virtual std::unique_ptr<VipDriver> fresh_driver(const std::string& host, CloudKeys keys,
                                                  ShellUse shell) = 0;

  // Who has the address (address_pair: who may have it) by the cloud's interface, past all faults.
  virtual std::set<std::string> api_holders() = 0;
  // Whether the host's own configuration has it; false where there is no such part.
  virtual bool os_has(const std::string& host) = 0;
  // The host answers nobody any more, but keeps what it has.
  virtual void unplug(const std::string& host) = 0;
  // As other_holders() shows it.
  virtual std::string id_of(const std::string& host) = 0;

  // Faults between the drivers and the interface.
  virtual void add_fault(FaultOrder order) = 0;
  virtual void set_latency(Milliseconds latency) = 0;
  virtual void clear_faults() = 0;
  // Requests since it was last asked.
  virtual int take_request_count() = 0;

  // Runs `program`, which ends by force at its request number `done` + 1: a real one is a process
  // that is killed there. A fake one has the interface gone from there on instead, so that it can
  // neither go on nor put anything back.
  virtual void run_until_killed(int done, const std::function<void()>& program) {
    add_fault({CloudFault::kRefuse, 0, done});
    program();
    clear_faults();
  }

  // A client who asks for the address reaches this host.
  bool has_address(const std::string& host) override {
    return api_holders().contains(host) && (!traits().has_os_part || os_has(host));
  }
};

// For INSTANTIATE_TEST_SUITE_P; nullptr where there can be no such world here.
using MakeCloudWorld = std::unique_ptr<CloudWorld> (*)();

}  // namespace mha
