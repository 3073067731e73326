// Which host names are well-formed and which mean the same host.
#include "config/host_name.h"

#include <gtest/gtest.h>

#include <string>

namespace mha {
namespace {

TEST(HostName, WellFormed) {
  for (const std::string host : {"db1", "db1.example.com", "DB-1.Example.COM.", "db_1", "1db",
                                 "10.0.0.1", "2001:db8::1", "::ffff:10.0.0.1", "x.1a"}) {
    EXPECT_TRUE(is_host(host)) << host;
  }
  EXPECT_TRUE(is_host(std::string(63, 'a') + ".b"));
}

TEST(HostName, Malformed) {
  for (const std::string host :
       {"", ".", "db1..x", ".db1", "-db1", "db1-", "db 1", "db1;reboot", "db1/24", "10.0.0.256",
        "10.0.0", "1234", "fe80::1%eth0", "[::1]", "db1:3306", "d\xc3\xbc", "$(id)"}) {
    EXPECT_FALSE(is_host(host)) << host;
  }
  EXPECT_FALSE(is_host(std::string(64, 'a')));
  std::string long_name;
  while (long_name.size() < 254) {
    long_name += "abcdefghi.";
  }
  EXPECT_FALSE(is_host(long_name));
}

TEST(HostName, KeysOfTheSameHost) {
  EXPECT_EQ(host_key("DB1.Example.com."), host_key("db1.example.com"));
  EXPECT_EQ(host_key("2001:DB8:0:0::1"), host_key("2001:db8::1"));
  EXPECT_EQ(host_key("::ffff:10.0.0.1"), host_key("10.0.0.1"));
  EXPECT_EQ(host_key("::ffff:a00:1"), host_key("10.0.0.1"));
  EXPECT_NE(host_key("db1"), host_key("db1.example.com"));
  EXPECT_NE(host_key("2001:db8::1"), host_key("2001:db8::2"));
  EXPECT_EQ(host_key(""), "");
}

}  // namespace
}  // namespace mha
