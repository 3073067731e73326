// From settings and addresses to interfaces, in as few calls as will do.
#include "vip/aws_place.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "base/shell_quote.h"
#include "config/host_name.h"

namespace mha {
namespace {

// Names of filters: EC2 API Reference, DescribeNetworkInterfaces.
constexpr const char* kById = "network-interface-id";
constexpr const char* kByAddress = "addresses.private-ip-address";
constexpr const char* kByInstance = "attachment.instance-id";

std::string address_of(const VipSite& site) {
  for (const std::string& text : {site.ip, site.host}) {
    if (const auto address = parse_address(text)) return address->text;
  }
  return "";
}

// How a host's interface is looked for.
struct Search {
  const char* filter = nullptr;  // nullptr: nothing is known to look for
  std::string value;
  std::string instance_id;  // the interface must be its own; empty: any

  [[nodiscard]] bool fits(const Ec2Interface& interface) const {
    if (!instance_id.empty() && interface.instance_id != instance_id) return false;
    if (filter == kById) return interface.id == value;
    if (filter == kByAddress) return interface.has(value);
    return filter == kByInstance && interface.instance_id == value;
  }
  [[nodiscard]] std::vector<Ec2Filter> filters() const {
    std::vector<Ec2Filter> all{{filter, {value}}};
    if (filter == kByInstance) all.push_back({"attachment.device-index", {"0"}});
    return all;
  }
};

Search search_for(const VipSite& site) {
  const AwsSettings& aws = site.settings.aws;
  if (!aws.interface_id.empty()) return {kById, aws.interface_id, aws.instance_id};
  const std::string address = address_of(site);
  if (!address.empty()) return {kByAddress, address, aws.instance_id};
  if (!aws.instance_id.empty()) return {kByInstance, aws.instance_id, aws.instance_id};
  return {};
}

std::vector<Ec2Interface> fitting(const std::vector<Ec2Interface>& all, const Search& search) {
  std::vector<Ec2Interface> found;
  for (const Ec2Interface& one : all) {
    if (search.fits(one)) found.push_back(one);
  }
  return found;
}

}  // namespace

AwsPlace::AwsPlace(VipSite site, const VipSite* counterpart, Ec2Api& ec2)
    : site_(std::move(site)), ec2_(ec2) {
  if (counterpart != nullptr) counterpart_site_ = *counterpart;
}

std::string AwsPlace::title() const { return fmt::format("host '{}'", site_.host); }

Status AwsPlace::find(Deadline deadline) {
  if (own_.has_value()) return {};
  const Search own = search_for(site_);
  if (own.filter == nullptr) {
    return Error{Code::kConfig,
                 fmt::format("{}: the address of {} is not known, by which its network interface "
                             "could be found; set aws_interface_id in [{}]",
                             site_.settings.file, title(), site_.host)};
  }
  const Search other = counterpart_site_ ? search_for(*counterpart_site_) : Search{};
  std::vector<Ec2Filter> filters = own.filters();
  const bool together = other.filter == own.filter && other.filter != kByInstance;
  if (together) filters.front().values.push_back(other.value);
  Result<std::vector<Ec2Interface>> seen = ec2_.interfaces(filters, deadline);
  if (!seen.ok()) return seen.error().with_context("looking for the interface of " + title());

  const std::vector<Ec2Interface> mine = fitting(seen.value(), own);
  if (mine.size() > 1) {
    std::vector<std::string> ids;
    for (const Ec2Interface& one : mine) ids.push_back(one.id);
    return Error{Code::kRefused,
                 fmt::format("{} network interfaces have {}: {}; set aws_interface_id for {}",
                             mine.size(), own.value, fmt::join(ids, ", "), title())};
  }
  if (other.filter != nullptr && !together) {
    seen = ec2_.interfaces(other.filters(), deadline);
    if (!seen.ok()) return seen.error().with_context("looking for the other master's interface");
  }
  counterpart_.reset();
  if (other.filter != nullptr) {
    std::vector<Ec2Interface> theirs = fitting(seen.value(), other);
    // Other VPCs may use the same addresses.
    theirs.erase(std::remove_if(theirs.begin(), theirs.end(),
                                [&mine](const Ec2Interface& one) {
                                  return !mine.empty() && one.vpc_id != mine.front().vpc_id;
                                }),
                 theirs.end());
    if (theirs.size() == 1) counterpart_ = theirs.front();
  }
  if (!mine.empty()) own_ = mine.front();
  return {};
}

Status AwsPlace::need_own(Deadline deadline) {
  if (Status found = find(deadline); !found.ok()) return found;
  return own_is_there();
}

Status AwsPlace::own_is_there() const {
  if (own_.has_value()) return {};
  const Search own = search_for(site_);
  return Error{
      Code::kRefused,
      fmt::format("EC2 has no network interface of {} ({} {}{}) in this region; correct "
                  "aws_interface_id, aws_instance_id or aws_region in {}",
                  title(), own.filter, own.value,
                  own.instance_id.empty() ? "" : " at " + own.instance_id, site_.settings.file)};
}

std::string AwsPlace::command(const std::string& verb) const {
  std::string text = "aws ec2 " + verb;
  if (!settings().region.empty()) text += " --region " + settings().region;
  if (!settings().profile.empty()) text += " --profile " + shell_quote(settings().profile);
  return text;
}

std::string AwsPlace::looked_for_address() const {
  const Search own = search_for(site_);
  return own.filter == kByAddress ? own.value : "";
}

std::string AwsPlace::id_for_command() const {
  if (own_.has_value()) return own_->id;
  if (!settings().interface_id.empty()) return settings().interface_id;
  const Search own = search_for(site_);
  if (own.filter == nullptr) return "INTERFACE_ID";
  return fmt::format(
      "$({} --filters Name={},Values={} --query 'NetworkInterfaces[0].NetworkInterfaceId' "
      "--output text)",
      command("describe-network-interfaces"), own.filter, own.value);
}

}  // namespace mha
