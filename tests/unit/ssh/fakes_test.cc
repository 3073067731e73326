// The fakes that other tests rely on do as the ports say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_clock.h"
#include "fakes/fake_shell.h"

namespace mha {
namespace {

using ::testing::ElementsAre;

TEST(FakeClock, MovesOnlyWhenTold) {
  FakeClock clock;
  const TimePoint start = clock.now();
  const WallTime wall = clock.wall_now();
  const Deadline deadline = clock.deadline_after(Milliseconds{100});
  EXPECT_EQ(clock.now(), start);
  clock.sleep_for(Milliseconds{40});
  clock.advance(Milliseconds{59});
  EXPECT_FALSE(clock.passed(deadline));
  EXPECT_EQ(clock.remaining(deadline), Milliseconds{1});
  clock.sleep_until(deadline.at());
  clock.sleep_until(start);  // the past: no time goes by
  EXPECT_TRUE(clock.passed(deadline));
  EXPECT_EQ(clock.elapsed(), Milliseconds{100});
  EXPECT_EQ(clock.slept(), Milliseconds{41});
  EXPECT_EQ(clock.wall_now() - wall, Milliseconds{100});
}

TEST(FakeShell, RecordsAndAnswers) {
  FakeClock clock;
  const Deadline deadline = clock.deadline_after(Milliseconds{5});
  FakeShellConnector connector;
  const auto host = connector.add_host("db1", [](const std::string& command) {
    return Result<CommandOutput>{CommandOutput{3, command + "!", "e"}};
  });
  SshTarget target;
  target.host = "db1";
  target.user = "mha";
  {
    Result<std::unique_ptr<RemoteShell>> shell = connector.connect(target, deadline);
    ASSERT_TRUE(shell.ok());
    EXPECT_EQ(shell.value()->host(), "db1");
    EXPECT_EQ(shell.value()->run("ip addr", deadline).value().out, "ip addr!");
    host->set_answer({});
    EXPECT_EQ(shell.value()->run("true", deadline).value().exit_status, 0);
    EXPECT_EQ(host->sessions_open(), 1);
  }
  EXPECT_EQ(host->sessions_open(), 0);
  EXPECT_EQ(host->sessions_opened(), 1);
  EXPECT_THAT(host->commands(), ElementsAre("ip addr", "true"));
  EXPECT_EQ(host->deadlines().size(), 2U);
  ASSERT_EQ(connector.targets().size(), 1U);
  EXPECT_EQ(connector.targets()[0].user, "mha");
}

TEST(FakeShell, IsDeadAfterALostSession) {
  FakeClock clock;
  const Deadline deadline = clock.deadline_after(Milliseconds{5});
  FakeShell shell{"db1", [](const std::string&) {
                    return Result<CommandOutput>{Error{Code::kTimeout, "hangs"}};
                  }};
  EXPECT_EQ(shell.run("a", deadline).error().code, Code::kTimeout);
  shell.fake_host().set_answer({});
  EXPECT_EQ(shell.run("b", deadline).error().code, Code::kUnreachable);
  EXPECT_THAT(shell.fake_host().commands(), ElementsAre("a"));
}

TEST(FakeShellConnector, HostsThatCannotBeHad) {
  FakeClock clock;
  FakeShellConnector connector;
  connector.add_host("db2", Error{Code::kDenied, "no key"});
  SshTarget target;
  target.host = "db2";
  EXPECT_EQ(connector.connect(target, clock.deadline_after({})).error().code, Code::kDenied);
  target.host = "db3";
  EXPECT_EQ(connector.connect(target, clock.deadline_after({})).error().code, Code::kUnreachable);
}

}  // namespace
}  // namespace mha
