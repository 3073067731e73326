// The options of vip_type=aws: what each mode needs, and ids of the wrong form.
#include "config/aws_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mha {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Result<OptionAssignment> parse(std::string_view name, std::string_view value) {
  return find_option(name)->parse(value);
}

std::string refusal(std::string_view name, std::string_view value) {
  const auto parsed = parse(name, value);
  return parsed.ok() ? "(accepted)" : parsed.error().message;
}

std::vector<std::string> missing_in(const HostDraft& draft) {
  std::vector<std::string> keys;
  for (const OptionProblem& problem : aws_problems(draft)) {
    EXPECT_NE(problem.message.empty(), problem.missing_for.empty()) << problem.key;
    keys.push_back(problem.key);
  }
  return keys;
}

HostDraft draft_with_vip(const std::string& address, bool is_v6) {
  HostDraft draft;
  draft.vip_type = VipType::kAws;
  draft.writer_vip = Cidr{address, is_v6 ? 64U : 24U, is_v6};
  draft.cluster_interface = "ens5";
  return draft;
}

TEST(AwsOptions, IdsHaveTheirForm) {
  const std::vector<std::pair<std::string_view, std::string>> ids = {
      {"aws_instance_id", "i-"},
      {"aws_interface_id", "eni-"},
      {"aws_allocation_id", "eipalloc-"},
      {"aws_route_table_ids", "rtb-"}};
  for (const auto& [name, prefix] : ids) {
    EXPECT_TRUE(parse(name, prefix + "0123456789abcdef0").ok()) << name;
    EXPECT_TRUE(parse(name, prefix + "0a1b2c3d").ok()) << name;
    EXPECT_TRUE(parse(name, "").ok()) << name;
    for (const std::string& wrong :
         {prefix, prefix + "0123456789abcdef", prefix + "0123456789ABCDEF0",
          "x" + prefix + "0a1b2c3d", prefix + "0a1b2c3d'", std::string("db1")}) {
      EXPECT_THAT(refusal(name, wrong), HasSubstr(prefix + "0123456789abcdef0"))
          << name << " " << wrong;
    }
  }
}

TEST(AwsOptions, RouteTablesAreAListWithoutRepetition) {
  HostDraft draft;
  parse("aws_route_table_ids", "rtb-0a1b2c3d ,rtb-0a1b2c3e,rtb-0a1b2c3d").value()(draft);
  EXPECT_THAT(draft.aws.route_table_ids, ElementsAre("rtb-0a1b2c3d", "rtb-0a1b2c3e"));
  EXPECT_THAT(refusal("aws_route_table_ids", "rtb-0a1b2c3d,,rtb-0a1b2c3e"),
              HasSubstr("beside a comma"));
}

TEST(AwsOptions, RegionsAndWords) {
  for (const char* good : {"us-east-1", "us-gov-west-1", "cn-north-1", "ap-southeast-2", ""}) {
    EXPECT_TRUE(parse("aws_region", good).ok()) << good;
  }
  for (const char* bad : {"europe", "eu-west-1a", "EU-WEST-1", "eu-west-1.evil.example", "-1"}) {
    EXPECT_THAT(refusal("aws_region", bad), HasSubstr("like eu-west-1")) << bad;
  }
  EXPECT_THAT(refusal("aws_mode", "elastic"), HasSubstr("secondary_ip, eip, route"));
  EXPECT_THAT(refusal("aws_private_ip", "fd00::1"), HasSubstr("not a v4 address"));
  EXPECT_THAT(refusal("aws_ca", "ca.pem"), HasSubstr("absolute"));
}

TEST(AwsOptions, EachModeSaysWhatItLacks) {
  HostDraft draft;
  draft.vip_type = VipType::kAws;
  EXPECT_THAT(missing_in(draft), ElementsAre("writer_vip_cidr", "cluster_interface"));
  draft.aws.mode = AwsMode::kEip;
  EXPECT_THAT(missing_in(draft), ElementsAre("aws_allocation_id"));
  draft.aws.mode = AwsMode::kRoute;
  EXPECT_THAT(missing_in(draft),
              ElementsAre("writer_vip_cidr", "cluster_interface", "aws_route_table_ids"));
}

TEST(AwsOptions, WhatSufficesSuffices) {
  HostDraft draft = draft_with_vip("10.0.1.100", false);
  EXPECT_THAT(missing_in(draft), IsEmpty());
  draft.aws.mode = AwsMode::kRoute;
  draft.aws.route_table_ids = {"rtb-0a1b2c3d"};
  EXPECT_THAT(missing_in(draft), IsEmpty());
  HostDraft eip;
  eip.aws.mode = AwsMode::kEip;
  eip.aws.allocation_id = "eipalloc-0a1b2c3d";
  EXPECT_THAT(missing_in(eip), IsEmpty());
}

TEST(AwsOptions, OnlyRoutesLeadToV6) {
  HostDraft draft = draft_with_vip("fd00::100", true);
  EXPECT_THAT(missing_in(draft), ElementsAre("writer_vip_cidr"));
  draft.aws.mode = AwsMode::kEip;
  draft.aws.allocation_id = "eipalloc-0a1b2c3d";
  EXPECT_THAT(missing_in(draft), ElementsAre("writer_vip_cidr"));
  draft.aws.mode = AwsMode::kRoute;
  draft.aws.route_table_ids = {"rtb-0a1b2c3d"};
  EXPECT_THAT(missing_in(draft), IsEmpty());
}

}  // namespace
}  // namespace mha
