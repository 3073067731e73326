// The whole failover over fakes, and with a fault in every call of it.
#include "engine/failover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <thread>

#include "core/client_threads.h"
#include "fakes/fake_event_files.h"
#include "fakes/fake_scripts.h"
#include "unit/engine/engine_cluster.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

struct Kind {
  std::string name;
  GtidUse gtid_use;
  ServerFamily family;
};
std::ostream& operator<<(std::ostream& out, const Kind& kind) { return out << kind.name; }

// db1 was the master of db2 and db3, and is dead; its host answers unless a test says otherwise.
class DeadCluster {
 public:
  explicit DeadCluster(const Kind& kind) : cluster(kind.gtid_use, kind.family) {
    request.cluster = cluster.request.cluster;
    for (ClusterHost& host : request.cluster.hosts) host.binlog_dirs = {"/var/lib/mysql"};
    request.dead_host = "db1";
    cluster.mysql.replicate();
    cluster.ssh.add_host("db1")->set_answer(
        [this](const std::string& command) { return host_says(command); });
  }

  // `count` transactions that only db1's binary log has.
  void write_unseen(std::size_t count) {
    hold_receivers(true);
    cluster.server("db1").write_as_super(count);
    kill();
    cluster.mysql.replicate();
    hold_receivers(false);
  }
  // db3 alone receives `count` more.
  void write_for_db3(std::size_t count) {
    cluster.server("db2").replica->receiver = false;
    cluster.server("db1").write_as_super(count);
    cluster.mysql.replicate();
    cluster.server("db2").replica->receiver = true;
  }
  void kill() {
    cluster.server("db1").health = FakeHealth::kDown;
    server_runs = false;
  }
  void lose_host() {
    kill();
    cluster.ssh.set_health("db1", FakeHealth::kSilent);
    cluster.server("db1").health = FakeHealth::kSilent;
  }

  // `missing`: of the master's log it has all but so many.
  void add_binlog_server(const std::string& host, std::size_t missing) {
    cluster.ssh.add_host(host);
    BinlogServer server;
    server.id = "of_" + host;
    server.ssh.host = host;
    server.dirs = {"/var/binlogs"};
    request.cluster.binlog_servers.push_back(server);
    files.copy_binlog(host, "db1", cluster.server("db1").replication.binlog.size() - missing);
  }

  Outcome run() {
    Environment environment = cluster.environment();
    environment.scripts = &scripts;
    Failover failover(request, files, environment);
    Outcome outcome;
    outcome.ending = Ending::kUndone;
    Result<std::vector<Problem>> problems = failover.look();
    if (!problems.ok()) {
      outcome.headline = problems.error();
      return outcome;
    }
    if (!problems.value().empty()) {
      outcome.headline = Error{Code::kRefused, problems.value().front().text()};
      return outcome;
    }
    outcome = failover.run();
    summary = failover.summary();
    downtime = failover.operation_summary().downtime;
    leftovers = failover.operation_summary().leftovers;
    const TimePoint ended = cluster.clock.now();
    failover.outlast_who_waits();
    locks_kept = cluster.clock.now() - ended;
    locks_held = cluster.server("db2").locks.size();
    return outcome;
  }

  // The journal that the run has left, as one that was killed would have; nullopt where nothing
  // waits for an answer. Nothing fails any more.
  std::optional<JournalFile> left_by_the_killed() {
    cluster.faults.clear_faults();
    cluster.clock.advance(Milliseconds{5});
    forget_what_the_dead_noted(cluster.state_dir);
    const Environment environment = cluster.environment();
    return find_unfinished_failover(request.cluster, environment);
  }

  std::string history(const std::string& host) {
    return mysql_gtids(cluster.server(host).replication.executed);
  }

  EngineCluster cluster;
  FailoverRequest request;
  FailoverSummary summary;
  std::optional<TimePoint::duration> downtime;
  std::vector<std::string> leftovers;
  TimePoint::duration locks_kept{};  // after the failover's end
  std::size_t locks_held = 0;        // then, on db2
  FakeEventFiles files{cluster.mysql, cluster.faults};
  FakeScripts scripts{cluster.clock};
  bool server_runs = false;

 private:
  void hold_receivers(bool hold) {
    for (const char* host : {"db2", "db3"}) cluster.server(host).replica->receiver = !hold;
  }
  // As engine/remote_server.h asks: no server process there, or one that listens on 3306.
  Result<CommandOutput> host_says(const std::string& /*command*/) const {
    const char* const process =
        "listens=0CEA 100 555\nprocess=42\nname=mysqld\nstate=S\nparent=1\nuid=100\n"
        "fds=seen\nowns=555 \n";
    return CommandOutput{0, fmt::format("{}listed=yes\n", server_runs ? process : ""), ""};
  }
};

class FailoverTest : public testing::TestWithParam<Kind> {
 protected:
  static std::unique_ptr<DeadCluster> make() {
    auto dead = std::make_unique<DeadCluster>(GetParam());
    return dead;
  }
  static bool by_position() { return GetParam().gtid_use == GtidUse::kNone; }
  // Everything that a failover must come to, whatever it began with.
  static void expect_new_master(DeadCluster& dead, const std::string& next,
                                const std::string& replica) {
    const ClusterSeen seen = dead.cluster.seen();
    EXPECT_FALSE(seen.servers.at(next).read_only.blocks_writes()) << seen;
    EXPECT_TRUE(seen.servers.at(replica).read_only.blocks_writes()) << seen;
    EXPECT_THAT(seen.vip_holders, Contains(next));
    EXPECT_EQ(seen.servers.at(next).source, "");
    EXPECT_EQ(seen.servers.at(replica).source, next);
    EXPECT_TRUE(dead.cluster.server(next).write(2));
    dead.cluster.mysql.replicate();
    EXPECT_EQ(dead.history(replica), dead.history(next));
    EXPECT_EQ(dead.cluster.server(replica).replication.source.gtid_use, GetParam().gtid_use);
  }
};

TEST_P(FailoverTest, OfAKilledServer) {
  const auto dead = make();
  dead->kill();
  const Outcome outcome = dead->run();
  ASSERT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
  expect_new_master(*dead, "db2", "db3");
  EXPECT_THAT(dead->cluster.seen().vip_holders, ElementsAre("db2"));
  EXPECT_EQ(dead->summary.orig_master, "db1");
  EXPECT_EQ(dead->summary.new_master, "db2");
  EXPECT_THAT(dead->summary.new_replicas, ElementsAre("db3"));
  EXPECT_EQ(dead->summary.fence.state(), FenceState::kFenced) << dead->summary.fence.text();
  EXPECT_EQ(dead->summary.salvage.ending, Salvage::Ending::kNothing);
  EXPECT_TRUE(dead->downtime.has_value());
  Environment environment = dead->cluster.environment();
  EXPECT_FALSE(find_unfinished_failover(dead->request.cluster, environment));
}

// masterha_manager, which has looked at the replicas before, waits for its lock for a second.
TEST_P(FailoverTest, KeepsTheLocksUntilWhoWaitedHasGivenUp) {
  const auto dead = make();
  dead->kill();
  ASSERT_EQ(dead->run().ending, Ending::kDone);
  EXPECT_GE(dead->locks_kept, Milliseconds{1'500});
  EXPECT_LE(dead->locks_kept, Milliseconds{1'600});
  EXPECT_EQ(dead->locks_held, 1U);
}

TEST_P(FailoverTest, SavesWhatOnlyTheDeadMasterHas) {
  const auto dead = make();
  dead->write_unseen(4);
  const std::string all = dead->history("db1");
  const Outcome outcome = dead->run();
  ASSERT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
  EXPECT_EQ(dead->summary.salvage.ending, Salvage::Ending::kSaved);
  EXPECT_THAT(dead->summary.salvage.events.transactions, SizeIs(4));
  EXPECT_EQ(dead->history("db2"), all);
  expect_new_master(*dead, "db2", "db3");
}

TEST_P(FailoverTest, GetsWhatAnotherReplicaHasReceivedFirst) {
  const auto dead = make();
  dead->write_for_db3(3);
  dead->lose_host();
  const std::string all = dead->history("db3");
  ASSERT_NE(dead->history("db2"), all);
  const Outcome outcome = dead->run();
  ASSERT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
  EXPECT_EQ(dead->history("db2"), all);
  EXPECT_EQ(dead->summary.salvage.ending, Salvage::Ending::kNotTried);
  expect_new_master(*dead, "db2", "db3");
}

TEST_P(FailoverTest, BringsAReplicaThatIsBehindUpToDate) {
  const auto dead = make();
  dead->write_for_db3(3);
  dead->kill();
  dead->request.wish.host = "db3";
  const Outcome outcome = dead->run();
  ASSERT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
  expect_new_master(*dead, "db3", "db2");
}

TEST_P(FailoverTest, PrefersWhoHasReceivedMostWhereNobodyIsMarked) {
  const auto dead = make();
  for (ClusterHost& host : dead->request.cluster.hosts) host.candidate_master = false;
  dead->write_for_db3(2);
  dead->kill();
  ASSERT_EQ(dead->run().ending, Ending::kDone);
  EXPECT_EQ(dead->summary.new_master, "db3");
}

TEST_P(FailoverTest, SaysNotFencedOfAHostThatIsGone) {
  const auto dead = make();
  dead->lose_host();
  const Outcome outcome = dead->run();
  ASSERT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
  EXPECT_EQ(dead->summary.fence.state(), FenceState::kNotFenced);
  EXPECT_THAT(dead->summary.fence.text(), HasSubstr("NOT FENCED"));
  expect_new_master(*dead, "db2", "db3");
}

// Silent for all of the patience, and back while the new master catches up.
TEST_P(FailoverTest, FencesAndSalvagesFromAHostThatAnswersBeforeThePromotion) {
  const auto dead = make();
  dead->write_unseen(2);
  const std::string all = dead->history("db1");
  dead->lose_host();
  dead->cluster.server("db2").on_call = [&](FakeMysqlState&, const std::string& call) {
    if (call.find("wait_until_relay_log_applied") == std::string::npos) return;
    // Nothing else moves the clock so far: the call has been made, and heard nothing.
    while (dead->cluster.clock.elapsed() < Milliseconds{3000}) std::this_thread::yield();
    dead->cluster.ssh.set_health("db1", FakeHealth::kUp);
    dead->cluster.clock.advance(Milliseconds{5000});
  };
  const Outcome outcome = dead->run();
  ASSERT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
  EXPECT_EQ(dead->summary.fence.state(), FenceState::kFenced) << dead->summary.fence.text();
  EXPECT_EQ(dead->summary.salvage.ending, Salvage::Ending::kSaved) << dead->summary.salvage.why;
  EXPECT_EQ(dead->history("db2"), all);
  EXPECT_THAT(dead->cluster.seen().vip_holders, ElementsAre("db2"));
  expect_new_master(*dead, "db2", "db3");
}

TEST_P(FailoverTest, SalvagesFromTheBinlogServerThatHasMost) {
  const auto dead = make();
  dead->write_unseen(4);
  const std::string all = dead->history("db1");
  dead->lose_host();
  dead->add_binlog_server("bl1", 3);
  dead->add_binlog_server("bl2", 0);
  dead->add_binlog_server("bl3", 1);
  dead->add_binlog_server("bl4", 0);
  dead->cluster.ssh.set_health("bl4", FakeHealth::kDown);
  const Outcome outcome = dead->run();
  ASSERT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
  EXPECT_EQ(dead->summary.salvage.ending, Salvage::Ending::kSaved) << dead->summary.salvage.why;
  EXPECT_THAT(dead->summary.salvage.from, HasSubstr("bl2"));
  EXPECT_THAT(dead->summary.salvage.events.transactions, SizeIs(4));
  EXPECT_EQ(dead->history("db2"), all);
  EXPECT_THAT(dead->leftovers, Contains(AllOf(HasSubstr("bl2"), HasSubstr("had not got yet"))))
      << "nobody can say that it has all";
  expect_new_master(*dead, "db2", "db3");
}

TEST_P(FailoverTest, TheMastersOwnLogsComeBeforeTheBinlogServers) {
  const auto dead = make();
  dead->write_unseen(4);
  dead->add_binlog_server("bl1", 2);
  ASSERT_EQ(dead->run().ending, Ending::kDone);
  EXPECT_EQ(dead->summary.salvage.from, "");
  EXPECT_THAT(dead->summary.salvage.events.transactions, SizeIs(4));
}

TEST_P(FailoverTest, BinlogServersAreAskedWhereTheMastersLogsCannotBeRead) {
  const auto dead = make();
  dead->write_unseen(2);
  const std::string all = dead->history("db1");
  dead->add_binlog_server("bl1", 0);
  dead->cluster.faults.fail_matching("files db1 fetch_binlog", FaultTime::kBefore,
                                     {Code::kRefused, "the disk is broken"});
  ASSERT_EQ(dead->run().ending, Ending::kDone);
  EXPECT_THAT(dead->summary.salvage.from, HasSubstr("bl1"));
  EXPECT_EQ(dead->history("db2"), all);
}

TEST_P(FailoverTest, BinlogServersThatAreGoneSaveNothing) {
  for (const SalvageMode mode : {SalvageMode::kAuto, SalvageMode::kRequire}) {
    const auto dead = make();
    dead->write_unseen(2);
    dead->lose_host();
    dead->add_binlog_server("bl1", 0);
    dead->cluster.ssh.set_health("bl1", FakeHealth::kSilent);
    dead->request.salvage = mode;
    const ClusterSeen found = dead->cluster.seen();
    const Outcome outcome = dead->run();
    EXPECT_EQ(dead->summary.salvage.ending, Salvage::Ending::kFailed);
    EXPECT_THAT(dead->summary.salvage.why,
                AllOf(HasSubstr("does not answer SSH"), HasSubstr("binlog server bl1 (of_bl1): ")));
    if (mode == SalvageMode::kRequire) {
      EXPECT_EQ(outcome.ending, Ending::kUndone);
      EXPECT_EQ(dead->cluster.seen(), found);
    } else {
      EXPECT_EQ(outcome.ending, Ending::kDone);
      EXPECT_THAT(dead->leftovers, Contains(HasSubstr("what only db1 had is not on db2")));
    }
  }
}

TEST_P(FailoverTest, RequiredFencingEndsIt) {
  const auto dead = make();
  dead->lose_host();
  dead->request.fencing = Fencing::kRequired;
  const ClusterSeen found = dead->cluster.seen();
  const Outcome outcome = dead->run();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(outcome.headline->message, HasSubstr("NOT FENCED"));
  EXPECT_EQ(dead->cluster.seen(), found);
}

TEST_P(FailoverTest, RequiredSalvageEndsIt) {
  const auto dead = make();
  dead->lose_host();
  dead->request.salvage = SalvageMode::kRequire;
  const ClusterSeen found = dead->cluster.seen();
  const Outcome outcome = dead->run();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(outcome.headline->message, HasSubstr("--salvage=require"));
  EXPECT_EQ(dead->cluster.seen(), found);
}

// The dead master is not given back what was taken from it; who reads the report is told.
TEST_P(FailoverTest, AnUndoneOneSaysThatTheFenceStays) {
  const auto dead = make();
  dead->kill();
  dead->request.salvage = SalvageMode::kRequire;
  for (ClusterHost& host : dead->request.cluster.hosts) host.binlog_dirs.clear();
  EXPECT_EQ(dead->run().ending, Ending::kUndone);
  EXPECT_EQ(dead->summary.fence.state(), FenceState::kFenced);
  EXPECT_THAT(dead->leftovers,
              Contains(AllOf(HasSubstr("'db1' stays fenced"), HasSubstr("run this again"))));
}

TEST_P(FailoverTest, ALivingMasterIsNotDead) {
  const auto dead = make();
  dead->server_runs = true;
  const ClusterSeen found = dead->cluster.seen();
  const Outcome outcome = dead->run();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(outcome.headline->message, HasSubstr("db1: it is not dead"));
  EXPECT_EQ(dead->cluster.seen(), found);
}

// A failover that nobody finished has made db2 the master: a second one must not make another.
TEST_P(FailoverTest, AnotherHostThatIsTheMasterIsAReason) {
  for (const bool has_address : {true, false}) {
    const auto dead = make();
    dead->kill();
    FakeMysqlState& other = dead->cluster.server("db2");
    other.replica.reset();
    other.replication.source = {};
    other.read_only.read_only = ReadOnly::kOff;
    dead->cluster.vip.set_holders({"db2"});
    for (ClusterHost& host : dead->request.cluster.hosts) {
      if (has_address) continue;
      host.node.settings.vip_type = VipType::kNone;
      host.node.settings.writer_vip.reset();
    }
    const ClusterSeen found = dead->cluster.seen();
    const Outcome outcome = dead->run();
    EXPECT_EQ(outcome.ending, Ending::kUndone);
    EXPECT_THAT(outcome.headline->message,
                HasSubstr(has_address ? "db2: it has the virtual IP" : "db2: it takes writes"));
    EXPECT_EQ(dead->cluster.seen(), found);
  }
}

// Of two masters the idle one has died: the other one goes on.
TEST_P(FailoverTest, TheIdleOneOfTwoMastersNeedsNoSuccessor) {
  const auto dead = make();
  dead->cluster.mysql.follow("db1:3306", "db2:3306", GetParam().gtid_use);
  dead->request.dead_host = "db2";
  dead->cluster.server("db2").health = FakeHealth::kDown;
  dead->cluster.ssh.add_host("db2")->set_answer([](const std::string& /*command*/) {
    return CommandOutput{0, "pgrep=1\n", ""};
  });
  const ClusterSeen found = dead->cluster.seen();
  const Outcome outcome = dead->run();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(outcome.headline->message, HasSubstr("db1: it has the virtual IP"));
  EXPECT_EQ(dead->cluster.seen(), found);
}

TEST_P(FailoverTest, SaysWhatAReplicaAloneHas) {
  const auto dead = make();
  dead->cluster.server("db3").write_as_super(1);
  dead->kill();
  const Ending ending = dead->run().ending;
  // MariaDB refuses a replica whose last GTID the new master does not have.
  const bool is_refused = GetParam().name == "MariadbGtid";
  EXPECT_EQ(ending, is_refused ? Ending::kIncomplete : Ending::kDone);
  if (by_position() && GetParam().family == ServerFamily::kMysql) {
    EXPECT_THAT(dead->leftovers, IsEmpty()) << "without GTIDs nobody can tell";
  } else {
    EXPECT_THAT(dead->leftovers, ElementsAre(HasSubstr("db3 has transactions of its own")));
  }
}

TEST_P(FailoverTest, AReplicaIsNoMaster) {
  const auto dead = make();
  dead->request.dead_host = "db3";
  const Outcome outcome = dead->run();
  EXPECT_EQ(outcome.ending, Ending::kUndone);
  EXPECT_THAT(outcome.headline->message, HasSubstr("db3 is not the master of any living host"));
}

TEST_P(FailoverTest, AStoppedSqlThreadIsStarted) {
  const auto dead = make();
  dead->cluster.server("db2").replica->applier = false;
  dead->cluster.server("db1").write(2);
  dead->cluster.mysql.replicate();
  dead->kill();
  const Outcome outcome = dead->run();
  ASSERT_EQ(outcome.ending, Ending::kDone) << outcome.headline->message;
  expect_new_master(*dead, "db2", "db3");
}

// Once the new master writes: a host without power has no binary log to save.
TEST_P(FailoverTest, ShutdownScriptComesLastWhereItWasNotNeeded) {
  const auto dead = make();
  dead->write_unseen(2);
  const std::string all = dead->history("db1");
  dead->request.cluster.hosts[0].scripts.shutdown = "/usr/local/bin/power_off";
  std::string had;
  dead->scripts.on("power_off", [&] {
    had = dead->history("db2");
    EXPECT_FALSE(dead->cluster.server("db2").read_only.blocks_writes());
    return 1;
  });
  const Outcome outcome = dead->run();
  EXPECT_EQ(outcome.ending, Ending::kIncomplete) << "it may still have power";
  EXPECT_THAT(dead->scripts.commands(), ElementsAre(HasSubstr("--command=stopssh")));
  EXPECT_EQ(had, all);
  EXPECT_THAT(outcome.leftovers, Contains(HasSubstr("shutdown_script failed (exit 1)")));
}

// A process that died before the shutdown_script and the report leaves both to the one that carries
// on.
TEST_P(FailoverTest, WhoCarriesOnNamesTheEventsAndShutsTheHostDown) {
  const auto dead = make();
  dead->kill();
  dead->request.cluster.hosts[0].scripts.shutdown = "/usr/local/bin/power_off";
  FakeMysqlState& next = dead->cluster.server("db2");
  ScheduledEvent& event = next.replication.events.emplace_back();
  event.schema = "app";
  event.name = "nightly";
  event.status = EventStatus::kDisabledOnReplica;
  dead->cluster.faults.fail_matching("mysql db3:3306 replicate_from db2:3306", FaultTime::kBefore,
                                     {Code::kTimeout, "killed"});
  EXPECT_EQ(dead->run().ending, Ending::kIncomplete);
  EXPECT_THAT(dead->leftovers, Contains(HasSubstr("app.nightly")));
  EXPECT_THAT(dead->scripts.commands(), SizeIs(1));
  const auto journal = dead->left_by_the_killed();
  Environment environment = dead->cluster.environment();
  environment.scripts = &dead->scripts;
  ASSERT_TRUE(journal.has_value());
  const ResumedFailover done = resume_failover(dead->request, *journal, dead->files, environment);
  EXPECT_EQ(done.outcome.ending, Ending::kDone) << done.outcome.headline->message;
  EXPECT_THAT(done.operation_summary.leftovers, Contains(HasSubstr("app.nightly")));
  EXPECT_THAT(dead->scripts.commands(), SizeIs(2));
}

// masterha_manager may have begun one of its own meanwhile.
TEST_P(FailoverTest, IsNeitherCarriedOnNorPutBackBesideAnother) {
  for (const char* lost :
       {"mysql db3:3306 replicate_from db2:3306", "mysql db2:3306 set_read_only"}) {
    const auto dead = make();
    dead->kill();
    dead->cluster.faults.fail_matching(lost, FaultTime::kBefore, {Code::kTimeout, "killed"});
    dead->run();
    const auto journal = dead->left_by_the_killed();
    Environment environment = dead->cluster.environment();
    ASSERT_TRUE(journal.has_value()) << lost;
    dead->cluster.server("db3").locks[kMhaFailoverLock] = 4711;
    const ClusterSeen before = dead->cluster.seen();
    const Outcome outcome =
        summarize(*journal).past_point_of_no_return
            ? resume_failover(dead->request, *journal, dead->files, environment).outcome
            : roll_back_failover(dead->request.cluster, *journal, environment);
    EXPECT_EQ(outcome.ending, Ending::kUndone);
    ASSERT_TRUE(outcome.headline.has_value()) << lost;
    EXPECT_THAT(outcome.headline->message, HasSubstr("another failover is at work")) << lost;
    EXPECT_EQ(dead->cluster.seen(), before);
  }
}

TEST_P(FailoverTest, AReplicaThatFailsDoesNotStopTheOthers) {
  const auto dead = make();
  dead->kill();
  dead->cluster.faults.fail_matching("mysql db3:3306 replicate_from db2:3306", FaultTime::kBefore,
                                     {Code::kRefused, "no"});
  const Outcome outcome = dead->run();
  EXPECT_EQ(outcome.ending, Ending::kIncomplete);
  EXPECT_THAT(outcome.leftovers, Contains(HasSubstr("db3")));
  EXPECT_THAT(dead->cluster.seen().vip_holders, ElementsAre("db2"));
}

// Before the point of no return: the replicas are as they were found, or what is not is named.
// After it: forward.
TEST_P(FailoverTest, AFaultInEveryCall) {
  const auto prepare = [] {
    auto dead = make();
    dead->write_for_db3(1);
    dead->write_unseen(2);
    return dead;
  };
  const auto fine = prepare();
  const ClusterSeen found = fine->cluster.seen();
  ASSERT_EQ(fine->run().ending, Ending::kDone);
  const std::size_t calls = fine->cluster.faults.count();
  int undone = 0;
  int forward = 0;
  for (std::size_t k = 1; k <= calls; ++k) {
    for (const FaultTime when : {FaultTime::kBefore, FaultTime::kAfter}) {
      for (const Code code : {Code::kTimeout, Code::kRefused}) {
        const auto dead = prepare();
        dead->cluster.faults.fail_call(k, when, {code, "the injected fault"});
        const Outcome outcome = dead->run();
        const ClusterSeen seen = dead->cluster.seen();
        SCOPED_TRACE(fmt::format("call {} ({}) {} {}: {}", k,
                                 dead->cluster.faults.calls().at(k - 1),
                                 when == FaultTime::kBefore ? "before" : "after", to_string(code),
                                 outcome.headline ? outcome.headline->message : ""));
        EXPECT_TRUE(seen.servers.at("db3").read_only.blocks_writes()) << seen;
        switch (outcome.ending) {
          case Ending::kDone:
          case Ending::kIncomplete:
            ++forward;
            EXPECT_FALSE(seen.servers.at("db2").read_only.blocks_writes()) << seen;
            EXPECT_EQ(outcome.leftovers.empty(), outcome.ending == Ending::kDone);
            break;
          case Ending::kUndone:
            ++undone;
            EXPECT_EQ(seen.servers, found.servers);
            EXPECT_THAT(outcome.leftovers, IsEmpty());
            break;
          case Ending::kNotUndone:
            ADD_FAILURE() << "one fault alone can be undone: " << seen;
            break;
        }
      }
    }
  }
  EXPECT_GT(undone, 50);
  EXPECT_GT(forward, 20);
}

// A process killed before call k, for every k: another run ends in one writable master with the
// address and everything that was in the dead one's log.
TEST_P(FailoverTest, KilledAtEveryCall) {
  const auto prepare = [] {
    auto dead = make();
    dead->write_for_db3(1);
    dead->write_unseen(2);
    return dead;
  };
  const auto fine = prepare();
  const std::string all = fine->history("db1");
  ASSERT_EQ(fine->run().ending, Ending::kDone);
  const std::size_t calls = fine->cluster.faults.count();
  int resumed = 0;
  int again = 0;
  for (std::size_t k = 1; k <= calls; ++k) {
    const auto dead = prepare();
    for (std::size_t lost = k; lost < k + 400; ++lost) {
      dead->cluster.faults.fail_call(lost, FaultTime::kBefore, {Code::kTimeout, "killed"});
    }
    dead->run();
    const auto journal = dead->left_by_the_killed();
    Environment environment = dead->cluster.environment();
    SCOPED_TRACE(
        fmt::format("killed before call {} ({})", k, fine->cluster.faults.calls().at(k - 1)));
    if (journal.has_value() && summarize(*journal).past_point_of_no_return) {
      ++resumed;
      const ResumedFailover done =
          resume_failover(dead->request, *journal, dead->files, environment);
      EXPECT_EQ(done.outcome.ending, Ending::kDone) << done.outcome.headline->message;
    } else {
      ++again;
      if (journal.has_value()) {
        const Outcome back = roll_back_failover(dead->request.cluster, *journal, environment);
        EXPECT_EQ(back.ending, Ending::kUndone);
      }
      dead->cluster.clock.advance(Milliseconds{5});
      const Outcome second = dead->run();
      EXPECT_EQ(second.ending, Ending::kDone) << second.headline->message;
    }
    EXPECT_THAT(dead->cluster.seen().writers(), Contains("db2"));
    EXPECT_EQ(dead->history("db2"), all);
    expect_new_master(*dead, "db2", "db3");
    EXPECT_FALSE(find_unfinished_failover(dead->request.cluster, environment));
  }
  EXPECT_GT(again, 10);
  EXPECT_GT(resumed, 5);
}

INSTANTIATE_TEST_SUITE_P(
    Families, FailoverTest,
    testing::Values(Kind{"MysqlGtid", GtidUse::kAuto, ServerFamily::kMysql},
                    Kind{"MysqlPosition", GtidUse::kNone, ServerFamily::kMysql},
                    Kind{"MariadbGtid", GtidUse::kAuto, ServerFamily::kMariadb},
                    Kind{"MariadbPosition", GtidUse::kNone, ServerFamily::kMariadb}),
    testing::PrintToStringParamName());

}  // namespace
}  // namespace mha
