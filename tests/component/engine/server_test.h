// What the tests of the engine's types on real servers share: a server by name, and a client of it.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "component/mysql/fetched_server.h"
#include "component/mysql/mariadb_server.h"
#include "component/mysql/test_client.h"

namespace mha {

// Debian 12's own MariaDB.
inline constexpr const char* kInstalled = "mariadb-10.11";

inline std::uint16_t port_of(const std::string& server) {
  if (server != kInstalled) return fetched_server(server).port();
  static MariadbServer installed{{"--log-bin", "--log-slave-updates", "--server-id=1"}};
  return installed.port();
}

// For each server that GetParam names. Skips where it cannot be had, which on a CI machine is a
// failure.
class ServerTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const bool there = GetParam() == kInstalled ? missing_tools().empty() : can_fetch(GetParam());
    if (!there) {
      const char* ci = std::getenv("CI");
      if (ci != nullptr && std::string{ci} == "true") FAIL() << GetParam() << " cannot be had";
      GTEST_SKIP() << GetParam() << " cannot be had: see above, or run tests/install-packages";
    }
    ASSERT_TRUE(client_.connect(port_of(GetParam()), "mha", kPassword));
  }

  // Text as an SQL literal, whatever it holds.
  static std::string quoted(const std::string& text) {
    static constexpr const char* kDigits = "0123456789abcdef";
    std::string hex;
    for (const char c : text) {
      hex += kDigits[static_cast<unsigned char>(c) >> 4];
      hex += kDigits[static_cast<unsigned char>(c) & 15];
    }
    return hex.empty() ? "''" : "CONVERT(x'" + hex + "' USING utf8)";
  }
  // The one value that the server gives; "NULL or error NUMBER" where it gives none.
  std::string ask(const std::string& sql) {
    return client_.value(sql).value_or("NULL or error " + std::to_string(client_.error()));
  }

  TestClient client_;
};

inline std::string server_name(const testing::TestParamInfo<std::string>& info) {
  std::string word = info.param;
  for (char& c : word) c = c == '-' || c == '.' ? '_' : c;
  return word;
}

}  // namespace mha
