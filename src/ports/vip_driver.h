// Port for the writer's virtual IP on one host: is it there, put it there, take it away.
#pragma once

#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/status.h"

namespace mha {

enum class VipPresence { kPresent, kAbsent };

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

  // Changes nothing: tools, permissions (sudo), the interface. An error says what is missing and
  // the remedy.
  virtual Status check(Deadline deadline) = 0;

  virtual Result<VipPresence> status(Deadline deadline) = 0;

  // Link-layer addresses of the machines that answer for the address on this host's network, this
  // host itself left out. Changes nothing; waits for answers up to a second, or the deadline.
  virtual Result<std::vector<std::string>> other_holders(Deadline deadline) = 0;

  // This host's own link-layer addresses, lower case, as check() has read them; how another host's
  // other_holders() would show it.
  [[nodiscard]] virtual std::vector<std::string> own_link_addresses() const { return {}; }

  // Afterwards this host has the address and neighbours have been told once; further announcements
  // go on in the background. Before that, where the host has it not yet, asks the network whether
  // another machine answers for it.
  virtual Result<VipAssignment> assign(OtherHolder other_holder, Deadline deadline) = 0;

  // Afterwards this host does not have the address.
  virtual Status remove(Deadline deadline) = 0;

  // Start now what remove() or a later assign() with kRefuse (in another process too, on a kept
  // session) will need, so that it costs one round trip. They change nothing, and are only about
  // time: a failure is none of the operation's. prepare_assign asks the network at once who else
  // has the address, so it is to be called after remove().
  virtual void prepare_remove(Deadline /*deadline*/) {}
  virtual void prepare_assign(Deadline /*deadline*/) {}

  // The command that a person would type to put the address on this host, or take it away.
  [[nodiscard]] virtual std::string assign_by_hand() const = 0;
  [[nodiscard]] virtual std::string remove_by_hand() const = 0;
};

}  // namespace mha
