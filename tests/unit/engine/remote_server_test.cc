// Which process is the server of a port, and that it goes: the host's own script on this machine's
// /proc, with shells that are named as servers are.
#include "engine/remote_server.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "component/real_clock.h"
#include "fakes/fake_shell.h"
#include "fakes/local_shell.h"
#include "unit/config/temp_folder.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::uint16_t kPort = 3306;  // 0CEA

std::string process(int pid, const std::string& more = "") {
  return fmt::format("process={}\nname=mysqld\nstate=S\nparent=1\nuid=105\n{}", pid, more);
}

ServerPresence presence(const std::string& listing) { return server_in(listing, kPort).presence; }

TEST(ServerInTest, RootSeesWhoHasTheSocket) {
  const std::string listing = "listens=0CEA 105 77\nlistens=0CEB 105 78\n" +
                              process(7, "fds=seen\nowns=5 78\n") +
                              process(8, "fds=seen\nowns=77 9\n");
  const ServerSeen seen = server_in(listing, kPort);
  EXPECT_EQ(seen.presence, ServerPresence::kRuns);
  EXPECT_EQ(seen.process.pid, 8U);
  EXPECT_EQ(server_in(listing, 3307).process.pid, 7U);
  EXPECT_EQ(server_in(listing, 3308).presence, ServerPresence::kNone);
}

TEST(ServerInTest, OthersSeeWhoseTheSocketIs) {
  const std::string listens = "listens=0CEA 105 77\n";
  EXPECT_EQ(presence(listens + process(8)), ServerPresence::kRuns);
  EXPECT_EQ(presence(listens + process(7) + process(8)), ServerPresence::kNotKnown)
      << "two of one user";
  EXPECT_EQ(presence("listens=0CEA 0 77\n" + process(8)), ServerPresence::kNotKnown)
      << "somebody else's socket";
  EXPECT_EQ(presence(process(8)), ServerPresence::kNotKnown) << "starting, or ending";
}

TEST(ServerInTest, AnArgumentTells) {
  EXPECT_EQ(presence(process(8, "port=3306\n")), ServerPresence::kRuns);
  EXPECT_EQ(presence(process(8, "port=3307\n")), ServerPresence::kNone);
  EXPECT_EQ(presence(process(8, "port=3306\nport=3307\n")), ServerPresence::kNone)
      << "the last one counts";
  const ServerSeen seen = server_in(process(7, "port=3307\n") + process(8, "port=3306\n"), kPort);
  EXPECT_EQ(seen.process.pid, 8U);
  EXPECT_EQ(presence("listens=0CEA 105 77\n" + process(7, "port=3307\n") + process(8)),
            ServerPresence::kRuns)
      << "the other one of this user has another port";
  EXPECT_EQ(presence(process(7, "port=3306\n") + process(8, "port=3306\n")),
            ServerPresence::kNotKnown);
}

// Found by fuzzing: to end 0 is to end a group of processes.
TEST(ServerInTest, NoServerHasTheNumberOfAGroupOrOfInit) {
  for (const std::string pid : {"0", "1", "", "x"}) {
    EXPECT_EQ(presence("process=" + pid + "\nname=mysqld\nport=3306\n"), ServerPresence::kNotKnown);
  }
}

TEST(ServerInTest, WhatMayComeBackIsNotGone) {
  EXPECT_EQ(presence(""), ServerPresence::kNone);
  EXPECT_EQ(presence("starts=mysqld@a.service\n"), ServerPresence::kNotKnown);
  EXPECT_EQ(presence("starts=?\n"), ServerPresence::kNotKnown);
  EXPECT_EQ(presence("safe=5\n"), ServerPresence::kNotKnown);
  EXPECT_EQ(presence("listens=0CEA 0 77\n"), ServerPresence::kNotKnown) << "docker-proxy";
  EXPECT_THAT(server_in("safe=5\n", kPort).text, HasSubstr("mysqld_safe (pid 5)"));
  EXPECT_THAT(server_in("starts=mysqld@a.service\n", kPort).text,
              HasSubstr("systemd's mysqld@a.service may start it again"));
}

TEST(ServerInTest, WhatMayComeBackIsSeenBesideAnotherInstance) {
  const std::string other = process(7, "port=3307\nunit=mysqld@b.service\n");
  EXPECT_EQ(presence(other), ServerPresence::kNone);
  EXPECT_EQ(presence(other + "starts=mysqld@a.service\n"), ServerPresence::kNotKnown);
  EXPECT_EQ(presence("safe=5\n" + other), ServerPresence::kNotKnown);
}

TEST(ServerInTest, WhatStartsAnotherInstanceIsNotOurs) {
  const std::string other = process(7, "port=3307\nunit=mysqld@b.service\n");
  EXPECT_EQ(presence(other + "starts=mysqld@b.service\n"), ServerPresence::kNone) << "it has begun";
  EXPECT_EQ(presence("safe=1\n" + other), ServerPresence::kNone) << "its child is there";
  EXPECT_EQ(presence("starts=mysqld@b.service 3307\n"), ServerPresence::kNone) << "by its port";
  EXPECT_EQ(presence("safe=5 3307\n"), ServerPresence::kNone) << "by its port";
  EXPECT_EQ(presence("starts=mysqld@a.service 3306\n"), ServerPresence::kNotKnown);
}

// Who starts it again is known of one that was seen.
TEST(ServerInTest, OfOneThatHasEndedItsOwnStarterCounts) {
  ServerProcess ended;
  ended.unit = "mysqld@a.service";
  const auto after = [&](const std::string& listing) {
    return server_in(listing, kPort, ended).presence;
  };
  EXPECT_EQ(after("starts=mysqld@b.service\nsafe=5\n"), ServerPresence::kNone);
  EXPECT_EQ(after("starts=mysqld@a.service\n"), ServerPresence::kNotKnown);
  EXPECT_EQ(after("starts=?\n"), ServerPresence::kNotKnown);
  ended = ServerProcess{};
  ended.safe = 5;
  EXPECT_EQ(after("safe=5\n"), ServerPresence::kNotKnown);
  EXPECT_EQ(after("starts=mysqld@b.service\n"), ServerPresence::kNotKnown)
      << "in what unit it was is not seen";
}

TEST(ServerInTest, WhatIsToldIsOneLine) {
  const ServerSeen seen = server_in(
      "process=7\nname=m\x01"
      "1\nstate=\x02\nunit=u\x03\nlisted=yes\n",
      kPort);
  EXPECT_THAT(seen.text, HasSubstr("m?1"));
  EXPECT_EQ(std::ranges::count_if(seen.text, [](unsigned char c) { return c < 0x20; }), 0);
}

TEST(ServerInTest, TheProcessIsTold) {
  const std::string listing =
      "safe=3\nprocess=8\nname=mariadbd\nstate=T\nparent=3\nuid=105\nunit=mariadb.service\n"
      "port=3306\n";
  const ServerSeen seen = server_in(listing, kPort);
  EXPECT_EQ(seen.text, "mariadbd (pid 8, stopped) runs there");
  EXPECT_EQ(seen.process.safe, 3U);
  EXPECT_EQ(seen.process.unit, "mariadb.service");
  EXPECT_EQ(seen.process.uid, 105U);
}

// The processes of a host are seen by all who run there: one test at a time.
class OnlyOne {
 public:
  OnlyOne() {
    EXPECT_GE(file_, 0) << kPath;
    EXPECT_EQ(flock(file_, LOCK_EX), 0);
  }
  ~OnlyOne() { close(file_); }
  OnlyOne(const OnlyOne&) = delete;
  OnlyOne& operator=(const OnlyOne&) = delete;

 private:
  static constexpr const char* kPath = "/tmp/mha_remote_server_test.lock";
  const int file_ = open(kPath, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
};

// A shell with the name and the arguments of a server.
class RemoteServerTest : public testing::Test {
 protected:
  RemoteServerTest() {
    for (const char* name : {"mysqld", "mysqld_safe"}) {
      std::filesystem::copy_file("/bin/sh", folder_.path(name));
    }
  }

  [[nodiscard]] Deadline soon() const { return clock_.deadline_after(Milliseconds{20000}); }
  // Started by a shell that waits for it, so that it leaves no zombie.
  std::unique_ptr<LocalProcess> start(const std::string& command) {
    auto process = std::make_unique<LocalProcess>(
        std::vector<std::string>{"/bin/sh", "-c", command}, std::map<std::string, std::string>{});
    EXPECT_TRUE(process->started());
    return process;
  }
  std::string server(std::uint16_t port) const {
    return fmt::format("{} -c 'while :; do sleep 1; done' --port={}", folder_.path("mysqld"), port);
  }
  ServerSeen find(std::uint16_t port) {
    const Result<ServerSeen> seen = find_server(shell_, port, soon());
    EXPECT_TRUE(seen.ok()) << seen.error().message;
    return seen.ok() ? seen.value() : ServerSeen{};
  }
  bool comes(std::uint16_t port) {
    const Deadline deadline = soon();
    while (find(port).presence != ServerPresence::kRuns) {
      if (clock_.passed(deadline)) return false;
    }
    return true;
  }

  OnlyOne only_one_;
  RealClock clock_;
  TempFolder folder_;
  LocalShell shell_{"db1", clock_};
  // This one and the next are this test's alone, and no real server's.
  const std::uint16_t port_ = static_cast<std::uint16_t>(2 * (1 + getpid() % 500));
};

TEST_F(RemoteServerTest, FoundKilledAndReadBack) {
  const auto process = start(server(port_) + " & wait");
  const auto other = start(server(static_cast<std::uint16_t>(port_ + 1)) + " & wait");
  ASSERT_TRUE(comes(port_));
  ASSERT_TRUE(comes(static_cast<std::uint16_t>(port_ + 1)));
  const ServerSeen seen = find(port_);
  for (int time = 0; time < 2; ++time) {
    const auto end = kill_server(shell_, port_, UseSudo::kNo, soon(), clock_);
    ASSERT_TRUE(end.ok()) << end.error().message;
    EXPECT_TRUE(end.value().down) << end.value().text;
    EXPECT_THAT(end.value().text, AllOf(HasSubstr(time == 0 ? "was killed" : "no server of port"),
                                        HasSubstr("(read back)")));
  }
  EXPECT_NE(kill(static_cast<pid_t>(seen.process.pid), 0), 0);
  EXPECT_EQ(find(static_cast<std::uint16_t>(port_ + 1)).presence, ServerPresence::kRuns)
      << "the neighbour";
}

TEST_F(RemoteServerTest, OneThatIsStoppedIsKilledToo) {
  const auto process = start(server(port_) + " & wait");
  ASSERT_TRUE(comes(port_));
  ASSERT_EQ(kill(static_cast<pid_t>(find(port_).process.pid), SIGSTOP), 0);
  const Deadline deadline = soon();
  while (find(port_).process.state != 'T' && !clock_.passed(deadline))
    clock_.sleep_for(Milliseconds{5});
  EXPECT_THAT(find(port_).text, HasSubstr("stopped"));
  const auto end = kill_server(shell_, port_, UseSudo::kNo, soon(), clock_);
  ASSERT_TRUE(end.ok()) << end.error().message;
  EXPECT_TRUE(end.value().down) << end.value().text;
}

// mysqld_safe would have started it again.
TEST_F(RemoteServerTest, MysqldSafeGoesBeforeIt) {
  const auto process =
      start(folder_.path("mysqld_safe") + " -c 'while :; do " + folder_.path("mysqld") +
            fmt::format(" -c \"while :; do sleep 1; done\" --port={}; done' & wait", port_));
  ASSERT_TRUE(comes(port_));
  EXPECT_NE(find(port_).process.safe, 0U);
  const auto end = kill_server(shell_, port_, UseSudo::kNo, soon(), clock_);
  ASSERT_TRUE(end.ok()) << end.error().message;
  EXPECT_TRUE(end.value().down) << end.value().text;
  EXPECT_EQ(find(port_).presence, ServerPresence::kNone);
}

// Its server is between two attempts.
TEST_F(RemoteServerTest, AMysqldSafeWithoutAServerIsToldWithItsPort) {
  const auto process =
      start(folder_.path("mysqld_safe") +
            fmt::format(" -c 'while :; do sleep 1; done' --port={} & wait", port_));
  const Deadline deadline = soon();
  while (find(port_).presence == ServerPresence::kNone && !clock_.passed(deadline)) {
    clock_.sleep_for(Milliseconds{5});
  }
  EXPECT_THAT(find(port_).text, HasSubstr("mysqld_safe (pid "));
  EXPECT_EQ(find(static_cast<std::uint16_t>(port_ + 1)).presence, ServerPresence::kNone);
}

// A host whose systemctl says what this one is told to.
class SystemdTest : public RemoteServerTest {
 protected:
  void systemctl(const std::string& list, const std::string& show) {
    std::ofstream{folder_.path("systemctl")}
        << fmt::format("#!/bin/sh\ncase $1 in\nlist-units) {} ;;\nshow) {} ;;\nesac\n", list, show);
    std::filesystem::permissions(folder_.path("systemctl"), std::filesystem::perms::owner_all);
  }
  ServerSeen find(std::uint16_t port) {
    LocalShell shell{"db1", clock_, {}, {{"PATH", folder_.path() + ":" + std::getenv("PATH")}}};
    const Result<ServerSeen> seen = find_server(shell, port, soon());
    EXPECT_TRUE(seen.ok()) << seen.error().message;
    return seen.ok() ? seen.value() : ServerSeen{};
  }
  static std::string listed(const std::string& unit) {
    return fmt::format("echo '{} loaded activating auto-restart MySQL Server'", unit);
  }
  static std::string starts(const std::string& command) {
    return fmt::format("echo 'ExecStart={{ path=/x ; argv[]={} ; ignore_errors=no }}'", command);
  }
};

TEST_F(SystemdTest, AServiceThatWaitsForItsNextStartIsSeenBesideARunningServer) {
  const auto other = start(server(port_) + " & wait");
  ASSERT_TRUE(comes(port_));
  const auto its_port = static_cast<std::uint16_t>(port_ + 1);
  for (const std::string unit :
       {"mariadb.service", "mysqld@a.service", "mariadb@b\\x2dc.service"}) {
    systemctl(listed(unit), starts("/usr/sbin/mysqld $MYSQLD_OPTS"));
    const ServerSeen seen = find(its_port);
    EXPECT_EQ(seen.presence, ServerPresence::kNotKnown) << unit;
    EXPECT_THAT(seen.text, HasSubstr("systemd's " + unit));
    EXPECT_EQ(find(port_).presence, ServerPresence::kRuns);
  }
}

TEST_F(SystemdTest, ItsCommandTellsWhatItIs) {
  const auto presence_with = [&](const std::string& unit, const std::string& command) {
    systemctl(listed(unit), starts(command));
    return find(port_).presence;
  };
  const std::string port = fmt::format("{}", port_);
  EXPECT_EQ(presence_with("shop.service", "/opt/mysql/bin/mysqld --user=x"),
            ServerPresence::kNotKnown);
  EXPECT_EQ(presence_with("shop.service", "/bin/sh -c \"exec mariadbd-safe\""),
            ServerPresence::kNotKnown);
  EXPECT_EQ(presence_with("mysqld@a.service", "/usr/sbin/mysqld --port=1 --port=" + port),
            ServerPresence::kNotKnown);
  EXPECT_EQ(presence_with("mysqld@a.service", "/usr/sbin/mysqld --port=1"), ServerPresence::kNone);
  EXPECT_EQ(presence_with("mysqld_exporter.service",
                          "/usr/bin/mysqld_exporter --mysqld.username=x --sock=/run/mysqld/x"),
            ServerPresence::kNone);
  EXPECT_EQ(presence_with("mysqlrouter.service", "/usr/bin/mysqlrouter"), ServerPresence::kNone);
  systemctl("exec sleep 30", "exec sleep 30");
  EXPECT_THAT(find(port_).text, HasSubstr("systemd, which does not answer"));
}

TEST(RemoteServerWordsTest, ARefusedKillIsSaidWithItsRemedy) {
  const std::string listing = process(8, "port=3306\n") + "listed=yes\n";
  FakeShell shell{"db1", [&](const std::string& command) -> Result<CommandOutput> {
                    const bool kills = command.find("kill -KILL") != std::string::npos;
                    const std::string word = kills ? "refused=sudo: a password is required \n" : "";
                    return CommandOutput{0, word + listing, ""};
                  }};
  const RealClock clock;
  const auto end =
      kill_server(shell, kPort, UseSudo::kYes, clock.deadline_after(Milliseconds{9999}), clock);
  ASSERT_TRUE(end.ok());
  EXPECT_FALSE(end.value().down);
  EXPECT_THAT(end.value().text,
              AllOf(HasSubstr("a password is required"), HasSubstr("sample sudoers file"),
                    HasSubstr("mysqld (pid 8) runs there"), Not(HasSubstr("was killed"))));
  EXPECT_THAT(shell.fake_host().commands().back(), HasSubstr("#105"));
}

TEST(RemoteServerWordsTest, WhatSystemdStartsAgainIsNotDown) {
  FakeShell shell{"db1", [&](const std::string& command) -> Result<CommandOutput> {
                    const bool kills = command.find("kill -KILL") != std::string::npos;
                    return CommandOutput{
                        0,
                        kills ? "not_stopped=sudo: a password is required \n"
                                "starts=mysql.service\nlisted=yes\n"
                              : process(8, "port=3306\nunit=mysql.service\n") + "listed=yes\n",
                        ""};
                  }};
  const RealClock clock;
  const auto end =
      kill_server(shell, kPort, UseSudo::kYes, clock.deadline_after(Milliseconds{9999}), clock);
  ASSERT_TRUE(end.ok());
  EXPECT_FALSE(end.value().down);
  EXPECT_THAT(end.value().text, HasSubstr("systemd starts mysql.service again"));
}

// Its neighbour, which is a service too, goes on; another one is between two attempts.
TEST(RemoteServerWordsTest, OneOfSeveralInstancesIsDown) {
  const std::string others =
      process(9, "port=3307\nunit=mysqld@b.service\n") + "starts=mysqld@c.service\nlisted=yes\n";
  FakeShell shell{"db1", [&](const std::string& command) -> Result<CommandOutput> {
                    const bool kills = command.find("kill -KILL") != std::string::npos;
                    const std::string ours = process(8, "port=3306\nunit=mysqld@a.service\n");
                    return CommandOutput{0, (kills ? "" : ours) + others, ""};
                  }};
  const RealClock clock;
  const auto end =
      kill_server(shell, kPort, UseSudo::kYes, clock.deadline_after(Milliseconds{9999}), clock);
  ASSERT_TRUE(end.ok());
  EXPECT_TRUE(end.value().down) << end.value().text;
  EXPECT_THAT(shell.fake_host().commands().back(), HasSubstr("stop mysqld@a.service"));
}

TEST(RemoteServerWordsTest, WhatIsNotCertainIsLeftAlone) {
  FakeShell shell{"db1", [&](const std::string&) -> Result<CommandOutput> {
                    return CommandOutput{0, process(7) + process(8) + "listed=yes\n", ""};
                  }};
  const RealClock clock;
  const auto end =
      kill_server(shell, kPort, UseSudo::kYes, clock.deadline_after(Milliseconds{9999}), clock);
  ASSERT_TRUE(end.ok());
  EXPECT_FALSE(end.value().down);
  EXPECT_THAT(end.value().text, AllOf(HasSubstr("mysqld (pid 7) or mysqld (pid 8)"),
                                      HasSubstr("nothing was killed")));
  EXPECT_EQ(shell.fake_host().commands().size(), 1U);
}

TEST(RemoteServerWordsTest, AHostThatTellsNothingIsAnError) {
  FakeShell shell{"db1"};
  const RealClock clock;
  EXPECT_EQ(find_server(shell, kPort, clock.deadline_after(Milliseconds{9999})).error().code,
            Code::kRefused);
}

}  // namespace
}  // namespace mha
