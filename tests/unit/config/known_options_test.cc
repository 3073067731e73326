// The table of options: each has what the man pages need, and its default is what holds without it.
#include "config/known_options.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace mha {
namespace {

std::string all_of_openstack(const OpenstackSettings& o) {
  return std::to_string(static_cast<int>(o.mode)) + "|" + o.cloud + "|" + o.region + "|" +
         o.port_id + "|" + o.network_id + "|" + o.floating_ip_id + "|" + o.ca_file;
}

// Every member, as text: two drafts that hold the same give the same.
std::string all_of(const HostDraft& d) {
  std::string mails;
  for (const std::string& address : d.report_email) {
    mails += address + ",";
  }
  std::string tables;
  for (const std::string& table : d.aws.route_table_ids) tables += table + ",";
  const std::string aws = std::to_string(static_cast<int>(d.aws.mode)) + "|" + d.aws.region + "|" +
                          d.aws.profile + "|" + d.aws.instance_id + "|" + d.aws.interface_id + "|" +
                          d.aws.allocation_id + "|" + d.aws.private_ip + "|" + tables + "|" +
                          d.aws.ca_file + "|";
  const auto number = [](auto value) { return std::to_string(value) + "|"; };
  return aws + number(static_cast<int>(d.vip_type)) + (d.writer_vip ? d.writer_vip->text() : "") +
         "|" + d.cluster_interface + "|" + number(d.requires_sudo) + number(d.requires_arping) +
         number(d.super_read_only) + number(d.kill_after_timeout.count()) +
         number(d.lock_wait_timeout.count()) +
         number(d.operation_timeout_written.value_or(d.operation_timeout).count()) +
         number(d.ssh_session_keep.count()) + number(static_cast<int>(d.unfenced_failover)) +
         number(static_cast<int>(d.mysql_ssl_mode)) + d.mysql_ssl_ca + "|" + d.mysql_password_file +
         "|" + d.mysql_login_path + "|" + d.repl_password_file + "|" + d.repl_login_path + "|" +
         d.mysql_login_file + "|" + mails + "|" + d.report_from + "|" + d.smtp_host + "|" +
         number(d.smtp_port_written.value_or(0)) + number(d.port_in_smtp_host.value_or(0)) +
         number(static_cast<int>(d.smtp_security)) + d.smtp_user + "|" + d.smtp_password_file +
         "|" + d.smtp_ca_file + "|" + all_of_openstack(d.openstack);
}

// An allowed value that is not the default.
std::string other_value(std::string_view name) {
  const std::map<std::string_view, std::string> values = {
      {"vip_type", "metal"},
      {"writer_vip_cidr", "192.0.2.1/24"},
      {"cluster_interface", "eth0"},
      {"requires_sudo", "no"},
      {"requires_arping", "no"},
      {"super_read_only", "yes"},
      {"kill_after_timeout", "7"},
      {"lock_wait_timeout", "7"},
      {"operation_timeout", "7"},
      {"ssh_session_keep", "7"},
      {"unfenced_failover", "refuse"},
      {"mysql_ssl_mode", "required"},
      {"mysql_ssl_ca", "/a"},
      {"mysql_password_file", "/m"},
      {"mysql_login_path", "mha"},
      {"repl_password_file", "/r"},
      {"repl_login_path", "repl"},
      {"mysql_login_file", "/l"},
      {"report_email", "a@b"},
      {"report_from", "a@b"},
      {"smtp_host", "mail:26"},
      {"smtp_port", "27"},
      {"smtp_security", "tls"},
      {"smtp_user", "u"},
      {"smtp_password_file", "/p"},
      {"smtp_ca", "/c"},
      {"aws_mode", "route"},
      {"aws_region", "eu-west-1"},
      {"aws_profile", "dba"},
      {"aws_instance_id", "i-0123456789abcdef0"},
      {"aws_interface_id", "eni-0123456789abcdef0"},
      {"aws_allocation_id", "eipalloc-0123456789abcdef0"},
      {"aws_private_ip", "10.0.0.9"},
      {"aws_route_table_ids", "rtb-0123456789abcdef0, rtb-01234567"},
      {"aws_ca", "/aws"},
      {"openstack_mode", "fixed_ip"},
      {"openstack_cloud", "db"},
      {"openstack_region", "r"},
      {"openstack_port_id", "00000000-0000-0000-0000-000000000001"},
      {"openstack_network_id", "00000000-0000-0000-0000-000000000002"},
      {"openstack_floating_ip_id", "00000000-0000-0000-0000-000000000003"},
      {"openstack_ca", "/o"},
  };
  return values.at(name);
}

TEST(KnownOptions, RowsAreComplete) {
  std::set<std::string_view> names;
  for (const KnownOption& option : known_options()) {
    EXPECT_TRUE(names.insert(option.name).second) << option.name << " is there twice";
    EXPECT_FALSE(option.syntax.empty()) << option.name;
    EXPECT_TRUE(option.meaning.ends_with('.')) << option.name;
    EXPECT_EQ(find_option(option.name), &option);
  }
  EXPECT_EQ(find_option("smtp_hots"), nullptr);
  EXPECT_EQ(option_suggestion("smtp_hots"), "; did you mean 'smtp_host'?");
}

TEST(KnownOptions, DefaultTextIsWhatHoldsWithoutTheOption) {
  const std::string untouched = all_of(HostDraft{});
  for (const KnownOption& option : known_options()) {
    HostDraft draft;
    // First something else, so that an assignment that does nothing shows.
    option.parse(other_value(option.name)).value()(draft);
    ASSERT_NE(all_of(draft), untouched) << option.name;
    auto assignment = option.parse(option.default_text);
    ASSERT_TRUE(assignment.ok()) << option.name;
    assignment.value()(draft);
    EXPECT_EQ(all_of(draft), untouched) << option.name;
  }
}

TEST(KnownOptions, EveryOptionHasAnEffectOfItsOwn) {
  std::set<std::string> effects = {all_of(HostDraft{})};
  for (const KnownOption& option : known_options()) {
    HostDraft draft;
    auto assignment = option.parse(other_value(option.name));
    ASSERT_TRUE(assignment.ok()) << option.name;
    assignment.value()(draft);
    EXPECT_TRUE(effects.insert(all_of(draft)).second) << option.name;
  }
}

}  // namespace
}  // namespace mha
