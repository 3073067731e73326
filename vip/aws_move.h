// One of the ways in which EC2 leads an address to a host (facts: docs/vip-aws.rst).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/status.h"
#include "config/host_settings.h"
#include "vip/aws_place.h"
#include "vip/ec2_api.h"
#include "vip/problems.h"

namespace mha {

enum class AwsHere {
  kAbsent,
  kPartly,  // in some route tables only; an Elastic IP at another private address of the interface
  kPresent,
};

// What EC2 says about the address.
struct AwsView {
  AwsHere here = AwsHere::kAbsent;
  std::vector<std::string> others;      // ids of what else has it, each once
  std::vector<std::string> primary_of;  // interfaces that cannot lose it: their primary address
  std::string words;                    // "rtb-1 leads to eni-2, rtb-3 has no route to it"

  [[nodiscard]] bool is_settled() const { return here == AwsHere::kPresent && others.empty(); }
};

// Not thread-safe. `place` is found (AwsPlace::find) before view(), give(), take() and preflight().
class AwsMove {
 public:
  virtual ~AwsMove() = default;

  // The address as its clients know it; for messages.
  [[nodiscard]] virtual std::string address() const = 0;
  // Asks EC2 who has it: one call, which uses nothing that AwsPlace::find finds, so that both may
  // be asked at once.
  virtual Status read(Deadline deadline) = 0;
  // What was read last, as seen from this host.
  [[nodiscard]] virtual AwsView view() const = 0;
  Result<AwsView> look(Deadline deadline) {
    if (const Status asked = read(deadline); !asked.ok()) return asked.error();
    return view();
  }
  // Leads it to this host, away from whoever has it, in one act where there is one holder: one call
  // (route: one a table, at once). Does not wait for it to be seen.
  virtual Status give(Deadline deadline) = 0;
  // After give(), where look() shows a part of it here and the rest at somebody who did not have it
  // before give(): two have moved it at once. Ok: this host is to have it, and was given the rest.
  // kRefused: the other is, and was given what this host had. Both come to the same end.
  virtual Status unite(Deadline /*deadline*/) {
    return Error{Code::kRefused, "somebody else has moved it meanwhile"};
  }
  // Takes it away from this host, and leads it nowhere: as many calls.
  virtual Status take(Deadline deadline) = 0;
  // Whether take() may be called by what was read long ago: it takes that from this host, or
  // nothing.
  [[nodiscard]] virtual bool knows_what_to_take() const { return false; }
  // After read(), where it found no interface of the two masters: whether it asked the account and
  // region that the address belongs to, so that its silence tells something. At most one call. Ok
  // where read() fails elsewhere, since it goes by ids of EC2.
  virtual Status prove_place(Deadline /*deadline*/) { return {}; }
  // Permissions and facts that give() and take() need. Changes nothing.
  virtual void preflight(Problems& problems, Deadline deadline) = 0;
  [[nodiscard]] virtual std::string give_by_hand() const = 0;
  [[nodiscard]] virtual std::string take_by_hand() const = 0;
};

// All outlive what is made.
std::unique_ptr<AwsMove> make_aws_secondary_ip(const AwsPlace& place, Ec2Api& ec2, Log& log);
std::unique_ptr<AwsMove> make_aws_eip(const AwsPlace& place, Ec2Api& ec2, Log& log);
std::unique_ptr<AwsMove> make_aws_route(const AwsPlace& place, Ec2Api& ec2, Log& log);

// Whether EC2 permits a change that may be wrong in itself at this time (there is nothing to take
// away yet): only a missing permission, or no answer, is a problem.
void check_permission(Ec2Api& ec2, const Ec2Change& change, Problems& problems, Deadline deadline);

// Whether `address` is in the v4 or v6 block `range` ("10.0.1.0/24"); no where one is none.
bool is_in_range(const std::string& address, const std::string& range);

}  // namespace mha
