// What the tests on a real server share: the adapter, a clock, time measured.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "component/needed_tools.h"
#include "component/real_clock.h"
#include "mariadb_server.h"
#include "mysql/libmysql_server.h"
#include "test_client.h"

namespace mha {

// Skips where a tool is missing, which on a CI machine is a failure.
class MysqlTest : public testing::Test {
 protected:
  void SetUp() override { skip_or_fail_without(missing_tools()); }

  [[nodiscard]] Deadline within(Milliseconds span) const { return clock_.deadline_after(span); }
  // For calls whose time is not what the test is about.
  [[nodiscard]] Deadline soon() const { return within(Milliseconds{10000}); }

  // A session of the adapter; fails the test and gives null where there is none.
  std::unique_ptr<MysqlServer> open(const MysqlTarget& target) {
    Result<std::unique_ptr<MysqlServer>> session = connector_.connect(target, soon());
    EXPECT_TRUE(session.ok()) << session.error().message;
    return session.ok() ? std::move(session).value() : nullptr;
  }

  // Notes in took_ how long `call` lasts, and gives what it gives.
  template <typename Call>
  auto timed(Call call) -> decltype(call()) {
    const TimePoint begin = clock_.now();
    auto outcome = call();
    took_ = clock_.now() - begin;
    return outcome;
  }
  [[nodiscard]] double took_ms() const {
    return std::chrono::duration<double, std::milli>(took_).count();
  }

  // Polls until `condition` holds; false after ten seconds.
  bool eventually(const std::function<bool()>& condition) {
    const Deadline deadline = soon();
    while (!condition()) {
      if (clock_.passed(deadline)) return false;
      clock_.sleep_for(Milliseconds{5});
    }
    return true;
  }

  RealClock clock_;
  LibmysqlConnector connector_{clock_};
  TimePoint::duration took_{};
};

// A plain server, one for all tests of the program: each leaves it writable and without clients.
inline MariadbServer& plain_server() {
  static MariadbServer server{{"--event-scheduler=ON"}};
  return server;
}

class PlainServerTest : public MysqlTest {
 protected:
  void SetUp() override {
    MysqlTest::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) server_ = &plain_server();
  }

  MariadbServer* server_ = nullptr;
};

}  // namespace mha
