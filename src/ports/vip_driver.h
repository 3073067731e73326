// Port for the writer's virtual IP on one host: is it there, put it there, take it away.
#pragma once

#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/status.h"

namespace mha {

enum class VipPresence { kPresent, kAbsent };

// What a driver does with the host's shell.
enum class ShellUse {
  kNone,    // nothing: the address is the network's alone, or there is none
  kWanted,  // the host's own configuration; without a shell remove() still takes the address away
  kNeeded,  // everything
};

// What assign does where another machine still answers for the address.
enum class OtherHolder {
  kRefuse,    // two holders are worse than none
  kTakeOver,  // the other one could not be fenced, and the operator has set to go on all the same
};

struct VipAssignment {
  std::vector<std::string>
      warnings;  // what failed without harm to the address itself: announcements
};

// The virtual IP as seen from one host. All calls are idempotent, read back what they did, and end
// by `deadline`. Not thread-safe; objects for different hosts may be used from different threads.
class VipDriver {
 public:
  virtual ~VipDriver() = default;

  // "metal", "none"...
  [[nodiscard]] virtual const std::string& provider() const = 0;
  // Whether anything is to be moved at all; false for `none`, whose other calls then do nothing.
  [[nodiscard]] virtual bool moves_an_address() const = 0;
  // Where it is not kNeeded, a driver without a shell is worth calling: check() and status() then
  // tell what the network's own interface says, and remove() takes the address away from a host
  // that answers nobody, which fences the address.
  [[nodiscard]] virtual ShellUse shell_use() const = 0;

  // Changes nothing: tools, permissions (sudo), the interface. An error says what is missing and
  // the remedy.
  virtual Status check(Deadline deadline) = 0;

  virtual Result<VipPresence> status(Deadline deadline) = 0;

  // The machines that have the address on this host's network, this host itself left out: their
  // link-layer addresses, lower case, or the names that a cloud's interface has for them. Changes
  // nothing; waits for answers up to a second, or the deadline.
  virtual Result<std::vector<std::string>> other_holders(Deadline deadline) = 0;

  // How another host's other_holders() would show this host, as check() has read it.
  [[nodiscard]] virtual std::vector<std::string> own_identities() const { return {}; }

  // Afterwards this host has the address and neighbours have been told once; further announcements
  // go on in the background. Before that, where the host has it not yet, asks the network whether
  // another machine has it. A network whose interface moves the address in one act (a cloud) takes
  // it over from the counterpart that the driver was made with, with kRefuse too: that one has lost
  // it then, whether it lives or not.
  virtual Result<VipAssignment> assign(OtherHolder other_holder, Deadline deadline) = 0;

  // Afterwards nobody reaches this host by the address. Over a shell it may stay routed to the
  // host, which does not answer for it, until assign() on another moves it: an act less in the
  // downtime.
  virtual Status remove(Deadline deadline) = 0;

  // Start now what remove() or a later assign() with kRefuse (in another process too, on a kept
  // session) will need, so that it costs one round trip. They change nothing, and are only about
  // time: a failure is none of the operation's. prepare_assign asks the network at once who else
  // has the address, so it is to be called after remove().
  virtual void prepare_remove(Deadline /*deadline*/) {}
  virtual void prepare_assign(Deadline /*deadline*/) {}
  // As prepare_assign, but before remove() on the host that has the address: the network is not
  // asked again. Only for a caller that has just asked it (other_holders) and takes the address off
  // the only holder itself before it assigns.
  virtual void prepare_assign_ahead(Deadline /*deadline*/) {}

  // The command that a person would type to put the address on this host, or take it away.
  [[nodiscard]] virtual std::string assign_by_hand() const = 0;
  [[nodiscard]] virtual std::string remove_by_hand() const = 0;
};

}  // namespace mha
