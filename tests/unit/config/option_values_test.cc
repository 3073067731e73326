// Tables of good and bad values.
#include "config/option_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mha {
namespace {

using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// The error's message; "" and a failure where there is none.
template <typename T>
std::string refusal(const Result<T>& result) {
  EXPECT_FALSE(result.ok());
  if (result.ok()) {
    return "";
  }
  EXPECT_EQ(result.error().code, Code::kConfig);
  return result.error().message;
}

TEST(OptionValues, YesNo) {
  EXPECT_TRUE(parse_yes_no("yes").value());
  EXPECT_TRUE(parse_yes_no("YES").value());
  EXPECT_FALSE(parse_yes_no("No").value());
  for (const std::string bad : {"", "y", "true", "1", "yes no", "on"}) {
    EXPECT_EQ(refusal(parse_yes_no(bad)), "'" + bad + "' is neither yes nor no");
  }
}

TEST(OptionValues, CidrNormalised) {
  const auto text = [](std::string_view value) { return parse_cidr(value).value()->text(); };
  EXPECT_EQ(text("192.0.2.10/24"), "192.0.2.10/24");
  EXPECT_EQ(text("192.0.2.10/32"), "192.0.2.10/32");
  EXPECT_EQ(text("2001:DB8:0::00a/64"), "2001:db8::a/64");
  EXPECT_EQ(text("fe80::1/128"), "fe80::1/128");
  EXPECT_TRUE(parse_cidr("2001:db8::a/64").value()->is_v6);
  EXPECT_FALSE(parse_cidr("192.0.2.10/24").value()->is_v6);
  EXPECT_FALSE(parse_cidr("").value().has_value());
}

TEST(OptionValues, CidrRefused) {
  struct Case {
    std::string value;
    std::string why;
  };
  const std::vector<Case> cases = {
      {"192.0.2.10", "lacks the prefix length: write 192.0.2.10/24"},
      {"2001:db8::a", "lacks the prefix length: write 2001:db8::a/64"},
      {"192.0.2.10/33", "no prefix length from 1 to 32"},
      {"192.0.2.10/0", "no prefix length from 1 to 32"},
      {"192.0.2.10/", "no prefix length from 1 to 32"},
      {"192.0.2.10/-1", "no prefix length from 1 to 32"},
      {"192.0.2.10/+24", "no prefix length from 1 to 32"},
      {"192.0.2.10/24x", "no prefix length from 1 to 32"},
      {"192.0.2.10/24/24", "no prefix length from 1 to 32"},
      {"192.0.2.10/255.255.255.0", "no prefix length from 1 to 32"},
      {"2001:db8::a/129", "no prefix length from 1 to 128"},
      {"192.0.2.10 /24", "is not an address with prefix length"},
      {"192.0.2.300/24", "is not an address with prefix length"},
      {"192.0.2/24", "is not an address with prefix length"},
      {"/24", "is not an address with prefix length"},
      {"db1/24", "is not an address with prefix length"},
      {"fe80::1%eth0/64", "is not an address with prefix length"},
      {"$(reboot)/24", "is not an address with prefix length"},
      {"0.0.0.0/24", "is not an address that a host can have"},
      {"224.0.0.1/24", "is not an address that a host can have"},
      {"255.255.255.255/32", "is not an address that a host can have"},
      {"::/64", "is not an address that a host can have"},
      {"ff02::1/64", "is not an address that a host can have"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(refusal(parse_cidr(c.value)),
                AllOf(HasSubstr("'" + c.value + "'"), HasSubstr(c.why)));
  }
}

TEST(OptionValues, NetworkAndBroadcastAddresses) {
  const auto odd = [](std::string_view value) {
    return is_network_or_broadcast(*parse_cidr(value).value());
  };
  EXPECT_TRUE(odd("10.0.0.0/24"));
  EXPECT_TRUE(odd("10.0.0.255/24"));
  EXPECT_TRUE(odd("10.0.0.16/28"));
  EXPECT_TRUE(odd("2001:db8::/64"));
  EXPECT_FALSE(odd("10.0.0.1/24"));
  EXPECT_FALSE(odd("10.0.1.0/16"));
  EXPECT_FALSE(odd("10.0.0.0/32"));
  EXPECT_FALSE(odd("10.0.0.0/31"));
  EXPECT_FALSE(odd("2001:db8::/127"));
  EXPECT_FALSE(odd("2001:db8::ffff:ffff:ffff:ffff/64"));
}

TEST(OptionValues, Interfaces) {
  for (const std::string good :
       {"", "eth0", "bond0.100", "enp0s31f6", "br-lan", "eth0@if5", "abcdefghijklmno"}) {
    EXPECT_EQ(parse_interface(good).value(), good);
  }
  for (const std::string bad :
       {"abcdefghijklmnop", "eth 0", "eth0:1", "a/b", ".", "..", "-eth0", "eth0\neth1", "eth0;id",
        "a$b", "a'b", "eth0#1", "\"eth0\"", "eth\\0"}) {
    EXPECT_THAT(refusal(parse_interface(bad)), HasSubstr("is not the name of a network interface"));
  }
}

TEST(OptionValues, Seconds) {
  EXPECT_EQ(parse_seconds("0").value(), seconds{0});
  EXPECT_EQ(parse_seconds("005").value(), seconds{5});
  EXPECT_EQ(parse_seconds("86400").value(), seconds{86400});
  for (const std::string bad :
       {"", "-1", "+1", "5s", "1.5", "5 ", "86401", "99999999999999999999"}) {
    EXPECT_EQ(refusal(parse_seconds(bad)),
              "'" + bad + "' is not a number of whole seconds from 0 to 86400");
  }
  EXPECT_EQ(parse_positive_seconds("1").value(), seconds{1});
  EXPECT_EQ(refusal(parse_positive_seconds("0")),
            "'0' is not a number of whole seconds from 1 to 86400");
}

TEST(OptionValues, Ports) {
  EXPECT_EQ(parse_port("1").value(), 1);
  EXPECT_EQ(parse_port("65535").value(), 65535);
  for (const std::string bad : {"", "0", "65536", "-25", "smtp", "25,26", "4294967321"}) {
    EXPECT_EQ(refusal(parse_port(bad)), "'" + bad + "' is not a port: a number from 1 to 65535");
  }
}

TEST(OptionValues, MailAddresses) {
  for (const std::string good :
       {"dba@example.com", "dba@example.info", "first.last+mha@mail.example.photography",
        "root@localhost", "o'neil@x.org", "dba@db_1", "dba@[192.0.2.1]",
        "dba@[IPv6:2001:db8::1]"}) {
    EXPECT_THAT(parse_mail_addresses(good).value(), ElementsAre(good));
  }
  for (const std::string bad :
       {"dba", "@example.com", "dba@", "d b@example.com", "DBA <dba@example.com>",
        "dba@example..com", "dba@-example.com", "dba@192.0.2.1", "dba@[192.0.2.1",
        "dba@[2001:db8::1]", "dba@example.com.", "d\xc3\xbc@example.com",
        "dba@example.com;root@localhost", "\"d b\"@example.com"}) {
    EXPECT_THAT(refusal(parse_mail_addresses(bad)),
                HasSubstr("'" + bad + "' is not a mail address"));
  }
  EXPECT_THAT(refusal(parse_mail_addresses(std::string(65, 'a') + "@x.org")),
              HasSubstr("is not a mail address"));
}

TEST(OptionValues, ListsOfMailAddresses) {
  EXPECT_THAT(parse_mail_addresses("a@x.org,b@x.org ,\n c@x.org").value(),
              ElementsAre("a@x.org", "b@x.org", "c@x.org"));
  EXPECT_THAT(parse_mail_addresses("").value(), IsEmpty());
  for (const std::string bad : {",", "a@x.org,", ",a@x.org", "a@x.org,,b@x.org"}) {
    EXPECT_THAT(refusal(parse_mail_addresses(bad)), HasSubstr("a comma with no address"));
  }
  EXPECT_EQ(refusal(parse_mail_addresses("a@x.org, b")),
            "'b' is not a mail address like dba@example.com");
}

TEST(OptionValues, HostsAndPorts) {
  struct Case {
    std::string value;
    std::string host;
    int port;  // 0: none
  };
  const std::vector<Case> good = {
      {"localhost", "localhost", 0},
      {"mail.example.com.", "mail.example.com.", 0},
      {"mail.example.com:587", "mail.example.com", 587},
      {"192.0.2.1:25", "192.0.2.1", 25},
      {"2001:db8::1", "2001:db8::1", 0},
      {"[2001:db8::1]", "2001:db8::1", 0},
      {"[2001:db8::1]:465", "2001:db8::1", 465},
  };
  for (const Case& c : good) {
    const auto result = parse_host_and_port(c.value);
    ASSERT_TRUE(result.ok()) << c.value;
    EXPECT_EQ(result.value().host, c.host);
    EXPECT_EQ(result.value().port.value_or(0), c.port) << c.value;
  }
  for (const std::string bad : {"", "mail host", ":25", "[mail]:25", "[192.0.2.1]:25", "[::1",
                                "[::1]25", "[::1]x", "mail/25", "smtp://mail:25//", "-mail"}) {
    EXPECT_THAT(refusal(parse_host_and_port(bad)), HasSubstr("'" + bad + "' is not a mail server"));
  }
  for (const std::string bad :
       {"mail:", "mail:0", "mail:70000", "mail:smtp", "[::1]:", "[::1]:x"}) {
    EXPECT_THAT(refusal(parse_host_and_port(bad)), HasSubstr("is not a port"));
  }
  EXPECT_THAT(refusal(parse_host_and_port("smtp://me:hunter2@mail")), Not(HasSubstr("hunter2")));
}

TEST(OptionValues, PathsAndText) {
  EXPECT_EQ(parse_path("/a b/c").value(), "/a b/c");
  EXPECT_EQ(parse_path("").value(), "");
  EXPECT_THAT(refusal(parse_path("~/pw")), HasSubstr("'~/pw' is not an absolute path"));
  EXPECT_EQ(parse_text("x ; y").value(), "x ; y");
  EXPECT_EQ(refusal(parse_text("x\ny")), "has more than one line");
  EXPECT_EQ(refusal(parse_path("/x\ny")), "has more than one line");
}

TEST(OptionValues, Words) {
  EXPECT_EQ(parse_vip_type("none").value(), VipType::kNone);
  EXPECT_EQ(parse_vip_type("Metal").value(), VipType::kMetal);
  EXPECT_EQ(refusal(parse_vip_type("steel")), "'steel' is none of: none, metal, aws, openstack");
  EXPECT_EQ(parse_vip_type("AWS").value(), VipType::kAws);
  EXPECT_EQ(parse_vip_type("OpenStack").value(), VipType::kOpenstack);
  EXPECT_EQ(parse_unfenced_failover("refuse").value(), UnfencedFailover::kRefuse);
  EXPECT_EQ(refusal(parse_unfenced_failover("")), "'' is none of: proceed, refuse");
  EXPECT_EQ(parse_smtp_security("STARTTLS").value(), SmtpSecurity::kStartTls);
  EXPECT_EQ(refusal(parse_smtp_security("ssl")), "'ssl' is none of: none, starttls, tls");
  EXPECT_EQ(parse_mysql_ssl_mode("VERIFY_CA").value(), MysqlTlsMode::kVerifyCa);
  EXPECT_THAT(refusal(parse_mysql_ssl_mode("verify")), HasSubstr("verify_ca, verify_identity"));
}

TEST(OptionValues, MessagesStayOneReadableLine) {
  const std::string message = refusal(parse_port("1\n2\x1b[31m" + std::string(9999, 'x')));
  EXPECT_EQ(message.find('\n'), std::string::npos);
  EXPECT_EQ(message.find('\x1b'), std::string::npos);
  EXPECT_LT(message.size(), 200U);
}

}  // namespace
}  // namespace mha
