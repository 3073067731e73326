// The rows of vip_type=aws: words, and ids of the forms that EC2 gives out.
#include "config/aws_options.h"

#include <fmt/core.h>

#include <algorithm>
#include <regex>
#include <utility>

#include "config/ascii.h"
#include "config/diagnostic.h"
#include "config/host_name.h"
#include "config/option_values.h"

namespace mha {
namespace {

using Checked = Result<std::string>;

// The parser of a row whose value goes into one member of the AWS settings as it is.
template <typename T, typename Parse>
auto into_aws(T AwsSettings::*member, Parse parse) {
  return [member, parse](std::string_view text) -> Result<OptionAssignment> {
    auto value = parse(text);
    if (!value.ok()) return value.error();
    return OptionAssignment{[member, value = std::move(value).value()](HostDraft& draft) {
      draft.aws.*member = value;
    }};
  };
}

Result<AwsMode> parse_mode(std::string_view value) {
  const std::string word = lower_case(value);
  if (word == "secondary_ip") return AwsMode::kSecondaryIp;
  if (word == "eip") return AwsMode::kEip;
  if (word == "route") return AwsMode::kRoute;
  return Error{Code::kConfig,
               fmt::format("'{}' is none of: secondary_ip, eip, route", printable(value))};
}

// "us-east-1", "us-gov-west-1", "cn-north-1"; it becomes a part of a host name.
Checked parse_region(std::string_view value) {
  static const std::regex form("[a-z]{2,8}(-[a-z]{2,12}){1,3}-[0-9]{1,2}");
  if (value.empty() || std::regex_match(value.begin(), value.end(), form)) {
    return std::string(value);
  }
  return Error{Code::kConfig,
               fmt::format("'{}' is not a region, like eu-west-1", printable(value))};
}

// EC2's ids have 8 hexadecimal digits where they are old, else 17 (EC2 User Guide, "Resource IDs").
Checked parse_id(std::string_view value, const std::string& prefix) {
  const std::regex form(prefix + "-([0-9a-f]{8}|[0-9a-f]{17})");
  if (value.empty() || std::regex_match(value.begin(), value.end(), form)) {
    return std::string(value);
  }
  return Error{Code::kConfig,
               fmt::format("'{}' is not an id of the form {}-0123456789abcdef0 ({}- and 17 or 8 "
                           "digits or letters a to f)",
                           printable(value), prefix, prefix)};
}

auto id_with(const char* prefix) {
  return [prefix](std::string_view value) { return parse_id(value, prefix); };
}

Result<std::vector<std::string>> parse_route_tables(std::string_view value) {
  std::vector<std::string> ids;
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const std::string_view one = trimmed(value.substr(0, comma));
    value.remove_prefix(std::min(comma + 1, value.size()));
    Checked id = parse_id(one, "rtb");
    if (!id.ok()) return id.error();
    if (one.empty()) {
      return Error{Code::kConfig, "an id is missing beside a comma: write rtb-..., rtb-..."};
    }
    if (std::find(ids.begin(), ids.end(), one) == ids.end()) ids.emplace_back(one);
  }
  return ids;
}

Checked parse_private_ip(std::string_view value) {
  if (value.empty()) return std::string{};
  const auto address = parse_address(value);
  if (!address || address->family != AddressFamily::kV4) {
    return Error{Code::kConfig, fmt::format("'{}' is not a v4 address", printable(value))};
  }
  return address->text;
}

// A profile's name goes into a command by hand, quoted; only what no ini file can name is refused.
Checked parse_profile(std::string_view value) {
  if (value.find_first_of("]\n") != std::string_view::npos) {
    return Error{Code::kConfig, fmt::format("'{}' cannot be a profile's name", printable(value))};
  }
  return std::string(value);
}

}  // namespace

std::vector<KnownOption> aws_options() {
  using A = AwsSettings;
  return {
      {"aws_mode", "secondary_ip, eip, route", "secondary_ip",
       "How vip_type = aws moves the address: as a secondary private address of the host's network "
       "interface (both hosts in one subnet), as an Elastic IP, or by routes of route tables.",
       into_aws(&A::mode, parse_mode)},
      {"aws_region", "REGION", "",
       "The region; empty: AWS_REGION, AWS_DEFAULT_REGION, the profile's, the manager's own.",
       into_aws(&A::region, parse_region)},
      {"aws_profile", "NAME", "",
       "The profile of the shared credentials and configuration files; empty: the SDKs' order "
       "(environment, AWS_PROFILE or default, the manager's instance role).",
       into_aws(&A::profile, parse_profile)},
      {"aws_instance_id", "i-ID", "",
       "This host's instance; empty: the one that has the host's address.",
       into_aws(&A::instance_id, id_with("i"))},
      {"aws_interface_id", "eni-ID", "",
       "This host's network interface; empty: the one that has the host's address.",
       into_aws(&A::interface_id, id_with("eni"))},
      {"aws_allocation_id", "eipalloc-ID", "", "The Elastic IP. aws_mode = eip needs it.",
       into_aws(&A::allocation_id, id_with("eipalloc"))},
      {"aws_private_ip", "ADDRESS", "",
       "With aws_mode = eip, the private address of this host's interface that the Elastic IP maps "
       "to; empty: the interface's primary one.",
       into_aws(&A::private_ip, parse_private_ip)},
      {"aws_route_table_ids", "rtb-ID[, rtb-ID...]", "",
       "The route tables that lead to the address. aws_mode = route needs them.",
       into_aws(&A::route_table_ids, parse_route_tables)},
      {"aws_ca", "PATH", "",
       "The certificate authorities that vouch for EC2's endpoint; empty: the system's.",
       into_aws(&A::ca_file, parse_path)},
  };
}

std::vector<OptionProblem> aws_problems(const HostDraft& draft) {
  std::vector<OptionProblem> problems;
  const AwsSettings& aws = draft.aws;
  const bool is_v6 = draft.writer_vip.has_value() && draft.writer_vip->is_v6;
  const auto need_address_on_host = [&](const std::string& mode) {
    if (!draft.writer_vip) problems.push_back({"writer_vip_cidr", "", mode});
    if (draft.cluster_interface.empty()) problems.push_back({"cluster_interface", "", mode});
  };
  switch (aws.mode) {
    case AwsMode::kSecondaryIp:
      need_address_on_host("aws_mode = secondary_ip");
      if (is_v6) {
        problems.push_back({"writer_vip_cidr",
                            "EC2 moves secondary addresses of IPv4 only: write a v4 address of the "
                            "hosts' subnet, or use aws_mode = route",
                            ""});
      }
      break;
    case AwsMode::kEip:
      if (aws.allocation_id.empty()) {
        problems.push_back({"aws_allocation_id", "", "aws_mode = eip"});
      }
      if (is_v6) {
        problems.push_back(
            {"writer_vip_cidr", "an Elastic IP is a v4 address: write it, or nothing", ""});
      }
      break;
    case AwsMode::kRoute:
      need_address_on_host("aws_mode = route");
      if (aws.route_table_ids.empty()) {
        problems.push_back({"aws_route_table_ids", "", "aws_mode = route"});
      }
      break;
  }
  return problems;
}

}  // namespace mha
