// aws_mode=secondary_ip: a secondary private address of the host's network interface.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <utility>

#include "vip/aws_move.h"

namespace mha {
namespace {

class SecondaryIp : public AwsMove {
 public:
  SecondaryIp(const AwsPlace& place, Ec2Api& ec2, Log& log)
      : place_(place), ec2_(ec2), log_(log), ip_(place.site().settings.writer_vip->address) {}

  std::string address() const override { return ip_; }

  Status read(Deadline deadline) override {
    Result<std::vector<Ec2Interface>> found =
        ec2_.interfaces({{"addresses.private-ip-address", {ip_}}}, deadline);
    if (!found.ok()) return found.error();
    read_ = std::move(found).value();
    return {};
  }

  AwsView view() const override {
    const Ec2Interface* known = place_.own() != nullptr ? place_.own() : place_.counterpart();
    AwsView view;
    std::vector<std::string> ids;
    for (const Ec2Interface& one : read_) {
      // Other VPCs may use the same addresses.
      if (!one.has(ip_) || (known != nullptr && one.vpc_id != known->vpc_id)) continue;
      ids.push_back(one.id);
      if (one.primary_ip == ip_) view.primary_of.push_back(one.id);
      if (place_.own() != nullptr && one.id == place_.own()->id) {
        view.here = AwsHere::kPresent;
      } else {
        view.others.push_back(one.id);
      }
    }
    view.words = ids.empty() ? fmt::format("no interface has {}", ip_)
                             : fmt::format("{} has {}", fmt::join(ids, " and "), ip_);
    return view;
  }

  Status give(Deadline deadline) override {
    return done(assign_private_ip(place_.own()->id, ip_), deadline);
  }

  Status take(Deadline deadline) override {
    return done(unassign_private_ip(place_.own()->id, ip_), deadline);
  }

  // Another account answers "no such interface" too. A subnet outlives its instances, and only
  // where it is can the address have been.
  Status prove_place(Deadline deadline) override {
    const Result<std::vector<std::string>> ranges = ec2_.subnet_ranges(deadline);
    if (!ranges.ok()) {
      return ranges.error().with_context(
          fmt::format("EC2 has no network interface of {}, and whether that is the right account "
                      "and region is not known",
                      place_.title()));
    }
    const std::string own_ip = place_.looked_for_address();
    for (const std::string& range : ranges.value()) {
      if (is_in_range(ip_, range) && (own_ip.empty() || is_in_range(own_ip, range))) return {};
    }
    return Error{
        Code::kRefused,
        fmt::format("EC2 has no network interface of {}, and no subnet with {}{}{} either: "
                    "it is another account or region that was asked, and where {} is "
                    "remains unknown; correct aws_region or aws_profile in {}, or the keys",
                    place_.title(), ip_, own_ip.empty() ? "" : " and ", own_ip, ip_,
                    place_.site().settings.file)};
  }

  void preflight(Problems& problems, Deadline deadline) override {
    const Ec2Interface& own = *place_.own();
    const Ec2Interface* other = place_.counterpart();
    if (own.primary_ip == ip_) {
      problems.add(Code::kRefused,
                   fmt::format("{} is the primary address of {} ({}), which EC2 never moves; "
                               "write another address of the subnet as writer_vip_cidr",
                               ip_, own.id, place_.title()));
    }
    if (other != nullptr && other->subnet_id != own.subnet_id) {
      problems.add(Code::kRefused,
                   fmt::format("{} of {} is in subnet {}, and {} of the other master in {}: a "
                               "secondary address moves within one subnet only; use aws_mode=route "
                               "or eip",
                               own.id, place_.title(), own.subnet_id, other->id, other->subnet_id));
    }
    const Result<std::string> range = ec2_.subnet_range(own.subnet_id, deadline);
    problems.add(range.status());
    if (range.ok() && !is_in_range(ip_, range.value())) {
      problems.add(Code::kRefused,
                   fmt::format("{} is not in {}, the range of subnet {} of {}; correct "
                               "writer_vip_cidr",
                               ip_, range.value(), own.subnet_id, place_.title()));
    }
    problems.add(ec2_.dry_run(assign_private_ip(own.id, ip_), deadline));
    check_permission(ec2_, unassign_private_ip(own.id, ip_), problems, deadline);
    check_quota(own, problems, deadline);
  }

  std::string give_by_hand() const override {
    return fmt::format(
        "{} --network-interface-id {} --private-ip-addresses {} --allow-reassignment",
        place_.command("assign-private-ip-addresses"), place_.id_for_command(), ip_);
  }
  std::string take_by_hand() const override {
    return fmt::format("{} --network-interface-id {} --private-ip-addresses {}",
                       place_.command("unassign-private-ip-addresses"), place_.id_for_command(),
                       ip_);
  }

 private:
  Status done(const Ec2Change& change, Deadline deadline) {
    const Result<Ec2Outcome> outcome = ec2_.change(change, deadline);
    return outcome.ok() ? outcome.value().status() : outcome.status();
  }

  // How many addresses an interface can have depends on the type of its instance. That it could not
  // be asked is no reason to refuse a failover.
  void check_quota(const Ec2Interface& own, Problems& problems, Deadline deadline) {
    if (own.instance_id.empty()) {
      problems.add(Code::kRefused, fmt::format("{} of {} is attached to no instance; correct "
                                               "aws_interface_id",
                                               own.id, place_.title()));
      return;
    }
    if (own.has(ip_)) return;
    const Result<std::string> type = ec2_.instance_type(own.instance_id, deadline);
    const Result<unsigned> most =
        type.ok() ? ec2_.addresses_per_interface(type.value(), deadline) : type.error();
    if (!most.ok()) {
      log_.warning("how many addresses {} of {} can have is not known: {}", own.id, place_.title(),
                   most.error().message);
      return;
    }
    if (own.private_ips.size() >= most.value()) {
      problems.add(Code::kRefused,
                   fmt::format("{} of {} has {} private addresses, all that an interface of {} can "
                               "have; unassign one, or take a larger instance type",
                               own.id, place_.title(), own.private_ips.size(), type.value()));
    }
  }

  const AwsPlace& place_;
  Ec2Api& ec2_;
  Log& log_;
  std::string ip_;
  std::vector<Ec2Interface> read_;  // those that have it, in any VPC
};

}  // namespace

std::unique_ptr<AwsMove> make_aws_secondary_ip(const AwsPlace& place, Ec2Api& ec2, Log& log) {
  return std::make_unique<SecondaryIp>(place, ec2, log);
}

}  // namespace mha
