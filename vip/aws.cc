// EC2's part and the host's part, in the order that never shows the address where it is not.
#include "vip/aws.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <future>
#include <optional>
#include <utility>

#include "base/shell_quote.h"
#include "vip/aws_move.h"
#include "vip/aws_place.h"
#include "vip/cloud_retry.h"
#include "vip/metal.h"

namespace mha {
namespace {

// Of what is looked up ahead: a later call waits for it.
constexpr Milliseconds kLongestAhead{5000};

// How long assign() goes by what status() has seen, so that clients do not wait for a second look.
// A move is never conditional in EC2: between any look and it somebody else may come.
constexpr Milliseconds kFresh{1000};

struct Seen {
  AwsView view;
  TimePoint when;
};

bool contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

// The address as it is on the host: what a route leads to stands alone.
MetalPlace metal_place(const HostSettings& settings) {
  Cidr vip = *settings.writer_vip;
  if (settings.aws.mode == AwsMode::kRoute) vip.prefix_length = vip.is_v6 ? 128 : 32;
  return {std::move(vip), settings.cluster_interface, settings.requires_sudo, NeighbourTalk::kMute};
}

std::unique_ptr<AwsMove> make_move(const AwsPlace& place, Ec2Api& ec2, Log& log) {
  switch (place.settings().mode) {
    case AwsMode::kSecondaryIp:
      return make_aws_secondary_ip(place, ec2, log);
    case AwsMode::kEip:
      return make_aws_eip(place, ec2, log);
    case AwsMode::kRoute:
      return make_aws_route(place, ec2, log);
  }
  return nullptr;
}

class AwsDriver : public VipDriver {
 public:
  AwsDriver(const VipSite& site, const VipSite* counterpart, RemoteShell* shell, CloudPorts ports,
            Ec2Api& ec2)
      : place_(site, counterpart, ec2),
        move_(make_move(place_, ec2, ports.log)),
        has_shell_(shell != nullptr),
        host_(site.host),
        ec2_(ec2),
        clock_(ports.clock),
        log_(ports.log) {
    if (site.settings.aws.mode != AwsMode::kEip) {
      metal_ = make_metal_driver(metal_place(site.settings), site.host, shell, clock_, log_);
    }
  }

  const std::string& provider() const override {
    static const std::string name = "aws";
    return name;
  }
  bool moves_an_address() const override { return true; }
  ShellUse shell_use() const override {
    return metal_ == nullptr ? ShellUse::kNone : ShellUse::kWanted;
  }

  Status check(Deadline deadline) override {
    join();
    std::future<Status> on_host;
    if (uses_host()) {
      on_host = std::async(std::launch::async, [&] { return metal_->check(deadline); });
    } else if (metal_ != nullptr) {
      log_.debug("host '{}' is not reached: only EC2 is asked", host_);
    }
    Problems problems;
    if (const Status found = place_.need_own(deadline); !found.ok()) {
      problems.add(found);
    } else {
      check_pair(problems);
      move_->preflight(problems, deadline);
    }
    if (on_host.valid()) problems.add(on_host.get());
    return problems.status();
  }

  Result<VipPresence> status(Deadline deadline) override {
    join();
    std::future<Result<VipPresence>> asked;
    if (uses_host()) {
      asked = std::async(std::launch::async, [&] { return metal_->status(deadline); });
    }
    const Result<AwsView> view = look(deadline);
    if (view.ok()) seen_ = Seen{view.value(), clock_.now()};
    std::optional<Result<VipPresence>> on_host;
    if (asked.valid()) on_host = asked.get();
    if (!view.ok()) return view.error();
    const bool by_ec2 = view.value().here == AwsHere::kPresent;
    if (view.value().here == AwsHere::kPartly) {
      log_.warning("the virtual IP {} leads to host '{}' in part only: {}", move_->address(), host_,
                   view.value().words);
    }
    if (!on_host.has_value()) {
      if (metal_ != nullptr) {
        log_.debug("whether host '{}' itself has {} was not asked", host_, move_->address());
      }
      return by_ec2 ? VipPresence::kPresent : VipPresence::kAbsent;
    }
    if (!on_host->ok()) return on_host->error();
    const bool by_host = on_host->value() == VipPresence::kPresent;
    if (by_ec2 != by_host) {
      log_.warning("the virtual IP {} is {} host '{}', and by EC2 {}", move_->address(),
                   by_host ? "on" : "not on", host_, view.value().words);
    }
    return by_ec2 && by_host ? VipPresence::kPresent : VipPresence::kAbsent;
  }

  Result<std::vector<std::string>> other_holders(Deadline deadline) override {
    join();
    Result<AwsView> view = look(deadline);
    if (!view.ok()) return view.error();
    return existing(view.value().others, deadline);
  }

  std::vector<std::string> own_identities() const override {
    if (place_.own() == nullptr) return {};
    return {place_.own()->id};
  }

  Result<VipAssignment> assign(OtherHolder other_holder, Deadline deadline) override {
    join();
    if (metal_ != nullptr && !has_shell_) {
      return Error{Code::kUnreachable, fmt::format("no SSH session to host '{}': {} was not moved",
                                                   host_, move_->address())};
    }
    if (clock_.passed(deadline)) {
      return Error{Code::kTimeout, fmt::format("no time was left to move {} to host '{}'",
                                               move_->address(), host_)};
    }
    const Result<AwsView> before = seen_just_now_or_look(deadline);
    if (!before.ok()) return unchanged(before.error());
    Result<VipAssignment> assignment = may_be_taken(before.value(), other_holder, deadline);
    if (!assignment.ok()) return assignment;

    // In either order this is safe: the old host no longer has it, or is lost to its clients by the
    // move; a host that has it without EC2 gets no packet for it, and one that EC2 leads it to
    // without having it answers none.
    std::future<Status> on_host;
    if (uses_host()) {
      on_host = std::async(std::launch::async,
                           [&] { return metal_->assign(OtherHolder::kRefuse, deadline).status(); });
    }
    const Status moved = before.value().is_settled() ? Status{} : move(before.value(), deadline);
    const Status put = on_host.valid() ? on_host.get() : Status{};
    if (!moved.ok()) return not_moved(moved.error(), put, deadline);
    if (!put.ok()) {
      return put.error().with_context(
          fmt::format("EC2 leads {} to host '{}' ({}), which does not "
                      "answer for it",
                      move_->address(), host_, place_.own()->id));
    }
    return assignment;
  }

  Status remove(Deadline deadline) override {
    join();
    seen_.reset();
    if (uses_host()) return metal_->remove(deadline);
    if (move_->knows_what_to_take() && take_at_once(deadline)) return {};
    if (Status read = find_and_read(deadline); !read.ok()) return read;
    const AwsView seen = move_->view();
    if (place_.own() == nullptr) return gone(seen, deadline);
    if (seen.here == AwsHere::kAbsent) return {};
    if (contains(seen.primary_of, place_.own()->id)) {
      return Error{Code::kRefused,
                   fmt::format("{} is the primary address of {} (host '{}'), which EC2 never takes "
                               "away",
                               move_->address(), place_.own()->id, host_)};
    }
    say_that_it_is_taken();
    const Status taken = move_->take(deadline);
    // EC2 also refuses to take away what somebody else has taken meanwhile: what is read back
    // counts.
    if (!taken.ok() && taken.error().code != Code::kRefused) return taken;
    AwsView last;
    const Result<bool> read = poll_until(clock_, deadline, [&]() -> Result<bool> {
      Result<AwsView> now = move_->look(deadline);
      if (!now.ok()) return now.error();
      last = std::move(now).value();
      const bool absent = last.here == AwsHere::kAbsent;
      if (!absent && !taken.ok()) return taken.error();
      return absent;
    });
    if (!read.ok()) return read.error();
    if (read.value()) return {};
    return Error{Code::kTimeout, fmt::format("EC2 has accepted to take {} away from host '{}', and "
                                             "still says: {}",
                                             move_->address(), host_, last.words)};
  }

  void prepare_remove(Deadline deadline) override {
    look_ahead(deadline);
    if (uses_host()) metal_->prepare_remove(deadline);
  }
  void prepare_assign(Deadline deadline) override {
    look_ahead(deadline);
    if (uses_host()) metal_->prepare_assign(deadline);
  }

  std::string assign_by_hand() const override {
    return with_host(move_->give_by_hand(), metal_ ? metal_->assign_by_hand() : "");
  }
  std::string remove_by_hand() const override {
    return with_host(move_->take_by_hand(), metal_ ? metal_->remove_by_hand() : "");
  }

 private:
  [[nodiscard]] bool uses_host() const { return metal_ != nullptr && has_shell_; }

  [[nodiscard]] std::string with_host(const std::string& by_ec2, const std::string& on_host) const {
    if (on_host.empty()) return by_ec2;
    return fmt::format("{} && ssh {} {}", by_ec2, shell_quote(host_), shell_quote(on_host));
  }

  [[nodiscard]] Error unchanged(const Error& error) const {
    return Error{error.code, fmt::format("{}; {} was not moved", error.message, move_->address())};
  }

  // Both at once, where the interfaces are not known yet.
  Status find_and_read(Deadline deadline) {
    if (place_.own() != nullptr) return move_->read(deadline);
    // Once for both.
    if (Status ready = ec2_.find_credentials(deadline); !ready.ok()) return ready;
    std::future<Status> reading =
        std::async(std::launch::async, [&] { return move_->read(deadline); });
    Status found = place_.find(deadline);
    Status read = reading.get();
    return found.ok() ? read : found;
  }

  Result<AwsView> look(Deadline deadline) {
    if (const Status read = find_and_read(deadline); !read.ok()) return read.error();
    if (const Status there = place_.own_is_there(); !there.ok()) return there.error();
    return move_->view();
  }

  // That it is here already must be true now.
  Result<AwsView> seen_just_now_or_look(Deadline deadline) {
    const std::optional<Seen> seen = std::exchange(seen_, std::nullopt);
    const bool may_do = seen.has_value() && clock_.now() - seen->when < kFresh;
    return may_do && !seen->view.is_settled() ? seen->view : look(deadline);
  }

  // Whether that was enough, as read back; where not, nothing is to be made of it.
  bool take_at_once(Deadline deadline) {
    say_that_it_is_taken();
    if (!move_->take(deadline).ok()) return false;
    const Result<AwsView> now = move_->look(deadline);
    return now.ok() && now.value().here == AwsHere::kAbsent;
  }

  void say_that_it_is_taken() {
    log_.info("Taking {} away from host '{}' by EC2: {}", move_->address(), host_,
              move_->take_by_hand());
  }

  // The interfaces, and the credentials with them, while other things are done.
  void look_ahead(Deadline deadline) {
    join();
    if (place_.own() != nullptr) return;
    const Deadline soon = clock_.deadline_after(kLongestAhead).capped(deadline);
    ahead_ = std::async(std::launch::async, [this, soon] {
      const Status found = place_.find(soon);
      if (!found.ok()) log_.debug("looking ahead: {}", found.error().message);
    });
  }
  void join() {
    if (ahead_.valid()) ahead_.get();
  }

  void check_pair(Problems& problems) const {
    if (!place_.has_counterpart()) return;
    if (place_.counterpart() == nullptr) {
      log_.warning(
          "EC2 does not tell which interface is the other master's: set aws_interface_id in "
          "its section");
    } else if (place_.counterpart()->id == place_.own()->id) {
      problems.add(Code::kRefused,
                   fmt::format("{} would be the interface of both masters; set aws_interface_id in "
                               "each host's own section",
                               place_.own()->id));
    }
  }

  // Those that EC2 still knows: the route of a terminated instance leads nowhere. Asked only where
  // one is neither of our two.
  Result<std::vector<std::string>> existing(const std::vector<std::string>& holders,
                                            Deadline deadline) {
    std::vector<std::string> unknown;
    for (const std::string& id : holders) {
      const bool ours = place_.counterpart() != nullptr && place_.counterpart()->id == id;
      if (!ours && id.starts_with("eni-")) unknown.push_back(id);
    }
    if (unknown.empty()) return holders;
    const Result<std::vector<Ec2Interface>> found =
        ec2_.interfaces({{"network-interface-id", unknown}}, deadline);
    if (!found.ok()) return found.error();
    std::vector<std::string> left;
    for (const std::string& id : holders) {
      const bool is_there = !contains(unknown, id) ||
                            std::any_of(found.value().begin(), found.value().end(),
                                        [&id](const Ec2Interface& one) { return one.id == id; });
      if (is_there) left.push_back(id);
    }
    return left;
  }

  // Who may lose it without being asked: nobody but the other master. kTakeOver asks nobody.
  Result<VipAssignment> may_be_taken(const AwsView& view, OtherHolder other_holder,
                                     Deadline deadline) {
    for (const std::string& id : view.primary_of) {
      if (id == place_.own()->id) continue;
      return Error{
          Code::kRefused,
          fmt::format("{} is the primary address of {}, which EC2 never moves; nothing was "
                      "changed",
                      move_->address(), id)};
    }
    VipAssignment assignment;
    const Result<std::vector<std::string>> holders = existing(view.others, deadline);
    if (!holders.ok()) return unchanged(holders.error());
    for (const std::string& id : holders.value()) {
      if (place_.counterpart() != nullptr && place_.counterpart()->id == id) continue;
      if (other_holder == OtherHolder::kRefuse) {
        return Error{Code::kRefused,
                     fmt::format("{}, which is neither master's, has {}: it was not moved to host "
                                 "'{}'; take it off there first",
                                 id, move_->address(), host_)};
      }
      assignment.warnings.push_back(
          fmt::format("{}, which is neither master's, had {}; the address was taken over all the "
                      "same (unfenced_failover=proceed)",
                      id, move_->address()));
    }
    return assignment;
  }

  // The move, and then EC2's own word for it.
  Status move(const AwsView& before, Deadline deadline) {
    log_.info("Moving {} to host '{}' by EC2: {}", move_->address(), host_, move_->give_by_hand());
    if (Status given = move_->give(deadline); !given.ok()) return given;
    AwsView last;
    const Result<bool> seen = poll_until(clock_, deadline, [&]() -> Result<bool> {
      Result<AwsView> now = move_->look(deadline);
      if (!now.ok()) return now.error();
      last = std::move(now).value();
      for (const std::string& id : last.others) {
        // EC2 may still show the old holder for a while, but no new one.
        if (contains(before.others, id)) continue;
        if (last.here == AwsHere::kPartly) {
          if (Status united = move_->unite(deadline); !united.ok()) return united.error();
          return false;
        }
        return Error{Code::kRefused, fmt::format("somebody else has moved {} meanwhile: {}",
                                                 move_->address(), last.words)};
      }
      return last.is_settled();
    });
    if (!seen.ok()) {
      return seen.error().with_context(
          fmt::format("reading back whether {} leads to host '{}'", move_->address(), host_));
    }
    if (seen.value()) return {};
    return Error{Code::kTimeout, fmt::format("EC2 has accepted to move {} to host '{}', and still "
                                             "says: {}",
                                             move_->address(), host_, last.words)};
  }

  // A host must not keep an address that EC2 leads elsewhere. Where that is not sure, it keeps it:
  // the move may have been made.
  Error not_moved(const Error& error, const Status& put, Deadline deadline) {
    std::string left;
    if (!put.ok()) {
      left = fmt::format("; and on the host: {}", put.error().message);
    } else if (uses_host()) {
      const bool is_no = error.code == Code::kRefused || error.code == Code::kDenied;
      const Result<AwsView> now = is_no ? move_->look(deadline) : error;
      if (now.ok() && now.value().here == AwsHere::kAbsent && metal_->remove(deadline).ok()) {
        left = fmt::format("; host '{}' does not have {} (read back)", host_, move_->address());
      } else {
        left = fmt::format("; host '{}' itself has {}", host_, move_->address());
      }
    }
    return Error{error.code, error.message + left};
  }

  // The host's interface is no more, as after the end of its instance.
  Status gone(const AwsView& seen, Deadline deadline) {
    const Result<std::vector<std::string>> holders = existing(seen.others, deadline);
    if (!holders.ok()) return holders.error();
    for (const std::string& id : holders.value()) {
      if (place_.counterpart() != nullptr && place_.counterpart()->id == id) continue;
      return Error{Code::kRefused,
                   fmt::format("which interface is that of host '{}' is not known, and {} has {}; "
                               "set aws_interface_id",
                               host_, id, move_->address())};
    }
    if (place_.counterpart() == nullptr) {
      if (const Status proved = move_->prove_place(deadline); !proved.ok()) return proved;
    }
    log_.info("EC2 has no network interface of host '{}' any more, and {} leads to none", host_,
              move_->address());
    return {};
  }

  AwsPlace place_;
  std::unique_ptr<AwsMove> move_;
  std::unique_ptr<VipDriver> metal_;  // nullptr: nothing on the host
  bool has_shell_;
  std::string host_;
  Ec2Api& ec2_;
  Clock& clock_;
  Log& log_;
  std::optional<Seen> seen_;  // by status()
  std::future<void> ahead_;   // last: joined before what it uses goes
};

}  // namespace

std::unique_ptr<VipDriver> make_aws_driver(const VipSite& site, const VipSite* counterpart,
                                           RemoteShell* shell, CloudPorts ports, Ec2Api& ec2) {
  return std::make_unique<AwsDriver>(site, counterpart, shell, ports, ec2);
}

Ec2Api& AwsSessions::of(const HostSettings& settings) {
  const AwsSettings& aws = settings.aws;
  const std::string key = fmt::format("{}\n{}\n{}", aws.region, aws.profile, aws.ca_file);
  const std::lock_guard lock{mutex_};
  std::unique_ptr<Ec2Api>& session = sessions_[key];
  if (session == nullptr) {
    session = std::make_unique<Ec2Api>(ports_, aws.profile, aws.region, aws.ca_file,
                                       fmt::format("{}: [{}]", settings.file, settings.host));
  }
  return *session;
}

}  // namespace mha
