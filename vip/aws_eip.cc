// aws_mode=eip: an Elastic IP, which EC2 maps to a private address of the host's interface.
#include <fmt/core.h>

#include <utility>

#include "vip/aws_move.h"

namespace mha {
namespace {

class Eip : public AwsMove {
 public:
  Eip(const AwsPlace& place, Ec2Api& ec2) : place_(place), ec2_(ec2) {}

  std::string address() const override {
    const auto& written = place_.site().settings.writer_vip;
    return written.has_value() ? written->address : place_.settings().allocation_id;
  }

  Status read(Deadline deadline) override {
    Result<Ec2Address> found = ec2_.address(place_.settings().allocation_id, deadline);
    if (!found.ok()) return found.error();
    read_ = std::move(found).value();
    return {};
  }

  AwsView view() const override {
    const Ec2Address& address = read_;
    AwsView view;
    if (address.interface_id.empty()) {
      view.words = fmt::format("{} ({}) is associated with nothing", address.public_ip,
                               address.allocation_id);
      return view;
    }
    view.words = fmt::format("{} ({}) is associated with {} of {}", address.public_ip,
                             address.allocation_id, address.private_ip, address.interface_id);
    if (!is_here()) {
      view.others.push_back(address.interface_id);
      return view;
    }
    view.here = address.private_ip == wanted_private_ip() ? AwsHere::kPresent : AwsHere::kPartly;
    return view;
  }

  Status give(Deadline deadline) override {
    return done(associate_address(place_.settings().allocation_id, place_.own()->id,
                                  place_.settings().private_ip),
                deadline);
  }

  // By the id of the association that was seen here: one that is over by now is nobody else's.
  Status take(Deadline deadline) override {
    const Result<Ec2Outcome> outcome =
        ec2_.change(disassociate_address(read_.association_id), deadline);
    if (!outcome.ok()) return outcome.error();
    if (outcome.value().refusal == "InvalidAssociationID.NotFound") return {};
    return outcome.value().status();
  }

  bool knows_what_to_take() const override { return is_here() && !read_.association_id.empty(); }

  void preflight(Problems& problems, Deadline deadline) override {
    const Ec2Interface& own = *place_.own();
    const auto& written = place_.site().settings.writer_vip;
    const Result<Ec2Address> address = ec2_.address(place_.settings().allocation_id, deadline);
    problems.add(address.status());
    if (address.ok() && written.has_value() && written->address != address.value().public_ip) {
      problems.add(
          Code::kRefused,
          fmt::format("{} is {}, and writer_vip_cidr says {}; correct one of them",
                      address.value().allocation_id, address.value().public_ip, written->address));
    }
    if (!own.has(wanted_private_ip())) {
      problems.add(Code::kRefused, fmt::format("{} of {} has no address {}; correct aws_private_ip",
                                               own.id, place_.title(), wanted_private_ip()));
    }
    problems.add(ec2_.dry_run(
        associate_address(place_.settings().allocation_id, own.id, place_.settings().private_ip),
        deadline));
    // Without an association there is nothing that a policy could be asked about.
    if (address.ok() && !address.value().association_id.empty()) {
      check_permission(ec2_, disassociate_address(address.value().association_id), problems,
                       deadline);
    }
  }

  std::string give_by_hand() const override {
    std::string command =
        fmt::format("{} --allocation-id {} --network-interface-id {} --allow-reassociation",
                    place_.command("associate-address"), place_.settings().allocation_id,
                    place_.id_for_command());
    if (!place_.settings().private_ip.empty()) {
      command += " --private-ip-address " + place_.settings().private_ip;
    }
    return command;
  }
  std::string take_by_hand() const override {
    return fmt::format(
        "{} --association-id $({} --allocation-ids {} --query 'Addresses[0].AssociationId' "
        "--output text)",
        place_.command("disassociate-address"), place_.command("describe-addresses"),
        place_.settings().allocation_id);
  }

 private:
  [[nodiscard]] bool is_here() const {
    return place_.own() != nullptr && read_.interface_id == place_.own()->id;
  }
  [[nodiscard]] std::string wanted_private_ip() const {
    const std::string& written = place_.settings().private_ip;
    return written.empty() ? place_.own()->primary_ip : written;
  }
  Status done(const Ec2Change& change, Deadline deadline) {
    const Result<Ec2Outcome> outcome = ec2_.change(change, deadline);
    return outcome.ok() ? outcome.value().status() : outcome.status();
  }

  const AwsPlace& place_;
  Ec2Api& ec2_;
  Ec2Address read_;
};

}  // namespace

std::unique_ptr<AwsMove> make_aws_eip(const AwsPlace& place, Ec2Api& ec2, Log& /*log*/) {
  return std::make_unique<Eip>(place, ec2);
}

}  // namespace mha
