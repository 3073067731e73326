// aws_mode=route: routes of one or several route tables to an address outside the VPC's range.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <future>
#include <utility>

#include "vip/aws_move.h"

namespace mha {
namespace {

// What became of one route table.
struct TableResult {
  std::string table_id;
  Status status;
};

class Route : public AwsMove {
 public:
  Route(const AwsPlace& place, Ec2Api& ec2)
      : place_(place),
        ec2_(ec2),
        ip_(place.site().settings.writer_vip->address),
        destination_(
            fmt::format("{}/{}", ip_, place.site().settings.writer_vip->is_v6 ? 128 : 32)) {}

  std::string address() const override { return ip_; }

  Status read(Deadline deadline) override {
    Result<std::vector<Ec2RouteTable>> found =
        ec2_.route_tables(place_.settings().route_table_ids, deadline);
    if (!found.ok()) return found.error();
    tables_ = std::move(found).value();
    return {};
  }

  AwsView view() const override {
    AwsView view;
    std::vector<std::string> words;
    std::size_t leading_here = 0;
    for (const Ec2RouteTable& table : tables_) {
      const std::string target = table.target_of(destination_);
      words.push_back(target.empty() ? fmt::format("{} has no route to {}", table.id, destination_)
                                     : fmt::format("{} leads to {}", table.id, target));
      if (leads_here(table)) {
        ++leading_here;
      } else if (!target.empty() &&
                 std::find(view.others.begin(), view.others.end(), target) == view.others.end()) {
        view.others.push_back(target);
      }
    }
    view.words = fmt::format("{}", fmt::join(words, ", "));
    if (leading_here > 0) {
      view.here = leading_here == tables_.size() ? AwsHere::kPresent : AwsHere::kPartly;
    }
    return view;
  }

  Status give(Deadline deadline) override {
    return for_tables(
        [this](const Ec2RouteTable& table) { return !leads_here(table); },
        [this, deadline](const Ec2RouteTable& table) { return lead_here(table, deadline); });
  }

  // Each table is moved by a call of its own, so two managers at once may each have had the last
  // word on some of them. The table with the lowest id, the same one for both, decides.
  Status unite(Deadline deadline) override {
    const auto first = std::min_element(
        tables_.begin(), tables_.end(),
        [](const Ec2RouteTable& a, const Ec2RouteTable& b) { return a.id < b.id; });
    const std::string winner = first->target_of(destination_);
    if (winner.empty() || leads_here(*first)) return give(deadline);
    const Status given =
        for_tables([this](const Ec2RouteTable& table) { return leads_here(table); },
                   [&](const Ec2RouteTable& table) -> Status {
                     const Result<Ec2Outcome> outcome =
                         ec2_.change(replace_route(table.id, destination_, winner), deadline);
                     return outcome.ok() ? outcome.value().status() : outcome.status();
                   });
    return Error{Code::kRefused, fmt::format("somebody else has moved {} to {} meanwhile{}{}", ip_,
                                             winner, given.ok() ? ", and has it now" : "; ",
                                             given.ok() ? std::string{} : given.error().message)};
  }

  Status take(Deadline deadline) override {
    return for_tables([this](const Ec2RouteTable& table) { return leads_here(table); },
                      [this, deadline](const Ec2RouteTable& table) -> Status {
                        const Result<Ec2Outcome> outcome =
                            ec2_.change(delete_route(table.id, destination_), deadline);
                        if (!outcome.ok()) return outcome.error();
                        return is_no_route(outcome.value()) ? Status{} : outcome.value().status();
                      });
  }

  void preflight(Problems& problems, Deadline deadline) override {
    const Ec2Interface& own = *place_.own();
    if (own.source_dest_check) {
      problems.add(Code::kRefused,
                   fmt::format("{} of {} drops packets for other addresses (source/dest check); "
                               "switch that off: {} --network-interface-id {} "
                               "--no-source-dest-check",
                               own.id, place_.title(),
                               place_.command("modify-network-interface-attribute"), own.id));
    }
    const Result<AwsView> view = look(deadline);
    problems.add(view.status());
    const Result<std::vector<std::string>> ranges = ec2_.vpc_ranges(own.vpc_id, deadline);
    problems.add(ranges.status());
    if (ranges.ok()) {
      for (const std::string& range : ranges.value()) {
        if (!is_in_range(ip_, range)) continue;
        problems.add(Code::kRefused,
                     fmt::format("{} is in {}, a range of {} itself, where routes to one address "
                                 "are not followed; take one outside as writer_vip_cidr",
                                 ip_, range, own.vpc_id));
      }
    }
    if (!view.ok()) return;
    for (const Ec2RouteTable& table : tables_) {
      if (table.vpc_id != own.vpc_id) {
        problems.add(Code::kRefused,
                     fmt::format("{} belongs to {}, and {} of {} to {}; correct "
                                 "aws_route_table_ids",
                                 table.id, table.vpc_id, own.id, place_.title(), own.vpc_id));
      }
      check_permission(ec2_, replace_route(table.id, destination_, own.id), problems, deadline);
      check_permission(ec2_, create_route(table.id, destination_, own.id), problems, deadline);
      check_permission(ec2_, delete_route(table.id, destination_), problems, deadline);
    }
  }

  std::string give_by_hand() const override {
    const std::string target = fmt::format(" --network-interface-id {}", place_.id_for_command());
    return for_each_table([&](const std::string& table) {
      return fmt::format("{{ {}{} || {}{}; }}", command("replace-route", table), target,
                         command("create-route", table), target);
    });
  }
  std::string take_by_hand() const override {
    return for_each_table([&](const std::string& table) { return command("delete-route", table); });
  }

 private:
  [[nodiscard]] bool leads_here(const Ec2RouteTable& table) const {
    return place_.own() != nullptr && table.target_of(destination_) == place_.own()->id;
  }

  // EC2 has a code for it, and says InvalidParameterValue ("There is no route defined for ...") all
  // the same.
  static bool is_no_route(const Ec2Outcome& outcome) {
    return outcome.refusal == "InvalidRoute.NotFound" ||
           (outcome.refusal == "InvalidParameterValue" &&
            outcome.error.message.find("no route") != std::string::npos);
  }

  // Replaced where there is one and made where there is none, whichever is true by now.
  Status lead_here(const Ec2RouteTable& table, Deadline deadline) {
    const std::string& own = place_.own()->id;
    const Ec2Change replace = replace_route(table.id, destination_, own);
    const Ec2Change create = create_route(table.id, destination_, own);
    const bool exists = !table.target_of(destination_).empty();
    Result<Ec2Outcome> outcome = ec2_.change(exists ? replace : create, deadline);
    if (!outcome.ok()) return outcome.error();
    const bool other_way =
        exists ? is_no_route(outcome.value()) : outcome.value().refusal == "RouteAlreadyExists";
    if (other_way) outcome = ec2_.change(exists ? create : replace, deadline);
    return outcome.ok() ? outcome.value().status() : outcome.status();
  }

  // All at once, each in a thread of its own; where some fail, the error names all of them and
  // those that were done.
  template <typename Wanted, typename Act>
  Status for_tables(Wanted wanted, Act act) {
    std::vector<std::future<TableResult>> running;
    std::vector<std::string> well;
    for (const Ec2RouteTable& table : tables_) {
      if (!wanted(table)) {
        well.push_back(table.id);
        continue;
      }
      running.push_back(std::async(std::launch::async, [&table, &act] {
        return TableResult{table.id, act(table)};
      }));
    }
    std::vector<std::string> failed;
    Code code = Code::kRefused;
    for (std::future<TableResult>& one : running) {
      const TableResult result = one.get();
      if (result.status.ok()) {
        well.push_back(result.table_id);
        continue;
      }
      if (failed.empty()) code = result.status.error().code;
      failed.push_back(fmt::format("{}: {}", result.table_id, result.status.error().message));
    }
    if (failed.empty()) return {};
    return Error{code, fmt::format("{} of {} route tables were not changed: {}{}", failed.size(),
                                   tables_.size(), fmt::join(failed, "; "),
                                   well.empty() ? std::string{}
                                                : fmt::format("; as they should be: {}",
                                                              fmt::join(well, ", ")))};
  }

  [[nodiscard]] std::string command(const std::string& verb, const std::string& table) const {
    return fmt::format("{} --route-table-id {} --destination-{}cidr-block {}", place_.command(verb),
                       table, place_.site().settings.writer_vip->is_v6 ? "ipv6-" : "",
                       destination_);
  }
  template <typename Command>
  [[nodiscard]] std::string for_each_table(Command command_for) const {
    std::vector<std::string> commands;
    for (const std::string& table : place_.settings().route_table_ids) {
      commands.push_back(command_for(table));
    }
    return fmt::format("{}", fmt::join(commands, " && "));
  }

  const AwsPlace& place_;
  Ec2Api& ec2_;
  std::string ip_;
  std::string destination_;
  std::vector<Ec2RouteTable> tables_;  // as last read
};

}  // namespace

std::unique_ptr<AwsMove> make_aws_route(const AwsPlace& place, Ec2Api& ec2, Log& /*log*/) {
  return std::make_unique<Route>(place, ec2);
}

}  // namespace mha
