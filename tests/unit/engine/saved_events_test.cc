// Events fetched from a host's files and applied, over a shell that runs what it is told, a
// mysqlbinlog of our own, and fake servers.
#include "engine/saved_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "component/real_clock.h"
#include "fakes/binlog_bytes.h"
#include "fakes/fake_mysql.h"
#include "fakes/fake_shell.h"
#include "fakes/local_shell.h"

namespace mha {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// Prints the fake transactions in the range, of a file or of its input, as mysqlbinlog does for its
// own.
constexpr const char* kMysqlbinlog = R"(#!/bin/sh
case "$*" in *--help*) echo "mysqlbinlog of the family"; exit 0;; esac
[ "$1" = --no-defaults ] || { echo "the user's options are read" >&2; exit 3; }
begin=${2#--start-position=} end=${3#--stop-position=}
[ -z "$FAIL" ] || { echo "ERROR: $FAIL" >&2; exit 1; }
echo "DELIMITER /*!*/;"
range() { tail -c +$((begin + 1)) -- "$5" | head -c $((end - begin)); }
[ "$3" != - ] || range() { tail -c +$((begin + 1)); }
range "$@" | grep -a -o 'TRANSACTION [0-9]* [0-9]*' |
  while read -r line; do printf '%s\n/*!*/;\n' "$line"; done
echo "DELIMITER ;"
)";

class HereRunner : public ScriptRunner {
 public:
  Result<int> run(const Secret& command, Deadline /*deadline*/) override {
    ++runs;
    const int status = std::system(std::string{command.reveal()}.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
  }
  int runs = 0;
};

class SavedEventsTest : public testing::Test {
 protected:
  SavedEventsTest() {
    fs::create_directories(folder_ + "/it's logs");
    fs::create_directories(folder_ + "/bin");
    fs::create_directories(folder_ + "/manager bin");
    program(folder_ + "/bin/mysqlbinlog", kMysqlbinlog);
    wanted_.after = {"bin.000009", 0};
    wanted_.keep_as = folder_ + "/saved.sql";
    wanted_.client_bindir = folder_ + "/bin";
    wanted_.remote_workdir = folder_;
    log_.uuid = std::string(15, '\0') + '\x01';
  }
  ~SavedEventsTest() override { fs::remove_all(folder_); }

  static void program(const std::string& path, const std::string& text) {
    std::ofstream{path} << text;
    fs::permissions(path, fs::perms::owner_all);
  }
  [[nodiscard]] std::string logs() const { return folder_ + "/it's logs"; }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream{logs() + "/" + name} << bytes;
  }
  Result<SavedEvents> fetch() {
    return fetch_binlog(shell_, {"/nowhere", logs()}, wanted_, manager_, soon());
  }
  SavedEvents fetched() {
    const Result<SavedEvents> events = fetch();
    EXPECT_TRUE(events.ok()) << events.error().message;
    return events.ok() ? events.value() : SavedEvents{};
  }
  std::string refusal() {
    const Result<SavedEvents> events = fetch();
    EXPECT_FALSE(events.ok());
    if (events.ok()) return "";
    EXPECT_EQ(events.error().code, Code::kRefused);
    EXPECT_THAT(events.error().message, Not(HasSubstr("\n")));
    return events.error().message;
  }
  [[nodiscard]] bool raw_is_kept() const { return fs::exists(wanted_.keep_as + ".raw"); }
  [[nodiscard]] Deadline soon() const { return clock_.deadline_after(Milliseconds{60000}); }

  RealClock clock_;
  const std::string folder_ = testing::TempDir() + "saved_events_" + std::to_string(getpid());
  LocalShell shell_{"db1", clock_};
  ScriptRunner* manager_ = nullptr;
  EventsWanted wanted_;
  BinlogBytes log_;
};

TEST_F(SavedEventsTest, FromAPlaceThroughAllFilesThatFollow) {
  log_.fake_transaction(1, 1);
  wanted_.after.position = log_.size();
  log_.fake_transaction(1, 2);
  log_.rotate("bin.1000000", 4);
  wanted_.after.file = "bin.999999";
  write("bin.999999", log_.bytes);
  BinlogBytes next;
  next.fake_transaction(1, 3);
  write("bin.1000000", next.bytes);
  write("bin.999998", "an older one");
  write("bin.index", "bin.999999");
  write("bin.1000000.bak", "no log");
  const SavedEvents events = fetched();
  EXPECT_THAT(events.transactions,
              ElementsAre("bin.999999:" + std::to_string(wanted_.after.position),
                          "bin.1000000:" + std::to_string(BinlogBytes{}.size())));
  EXPECT_EQ(events.end, (BinlogCoordinates{"bin.1000000", next.size()}));
  EXPECT_FALSE(events.torn);
  EXPECT_FALSE(raw_is_kept());
}

// The part behind a far place is copied with the head alone.
TEST_F(SavedEventsTest, FarPlaceIsFoundInTheCopy) {
  for (int i = 1; i <= 2000; ++i) log_.fake_transaction(1, static_cast<std::uint64_t>(i));
  wanted_.after.position = log_.size();
  log_.gtid(2001);
  log_.fake_transaction(1, 2001);
  const std::uint64_t whole = log_.size();
  write("bin.000009", log_.bytes + std::string(11, 'x'));
  const SavedEvents events = fetched();
  EXPECT_THAT(events.transactions, ElementsAre(fake_uuid(1) + ":2001"));
  EXPECT_TRUE(events.torn);
  EXPECT_EQ(events.left_out, 11U);
  EXPECT_FALSE(events.more_behind) << "as a crash leaves it";
  EXPECT_EQ(events.end, (BinlogCoordinates{"bin.000009", whole}));
}

// What is before it can be had.
TEST_F(SavedEventsTest, DamageMayHaveTransactionsBehindIt) {
  log_.fake_transaction(1, 1);
  const std::uint64_t whole = log_.size();
  log_.fake_transaction(1, 2);
  log_.fake_transaction(1, 3);
  log_.bytes[whole + 30] ^= 1;
  write("bin.000009", log_.bytes);
  BinlogBytes next;
  next.fake_transaction(1, 4);
  write("bin.000010", next.bytes);
  const SavedEvents events = fetched();
  EXPECT_THAT(events.transactions, SizeIs(1));
  EXPECT_TRUE(events.torn);
  EXPECT_TRUE(events.more_behind);
  EXPECT_EQ(events.left_out, log_.size() - whole + next.size());
  EXPECT_EQ(events.end, (BinlogCoordinates{"bin.000009", whole}));
  fs::remove(logs() + "/bin.000010");
  EXPECT_TRUE(fetched().more_behind) << "in the last file";
}

TEST_F(SavedEventsTest, FilesBehindATornOneMayHaveTransactions) {
  log_.fake_transaction(1, 1);
  const std::uint64_t whole = log_.size();
  log_.fake_transaction(1, 2);
  log_.bytes.pop_back();
  write("bin.000009", log_.bytes);
  EXPECT_FALSE(fetched().more_behind);
  BinlogBytes next;
  next.fake_transaction(1, 3);
  write("bin.000010", next.bytes);
  const SavedEvents events = fetched();
  EXPECT_THAT(events.transactions, SizeIs(1));
  EXPECT_TRUE(events.more_behind);
  EXPECT_EQ(events.end, (BinlogCoordinates{"bin.000009", whole}));
}

TEST_F(SavedEventsTest, WhatIsExecutedIsLeftOut) {
  for (std::uint64_t gno = 1; gno <= 5; ++gno) {
    log_.gtid(gno);
    log_.fake_transaction(1, gno);
  }
  write("bin.000009", log_.bytes);
  wanted_.executed_gtids = fake_uuid(1) + ":1-2:4," + fake_uuid(7) + ":1-100000";
  EXPECT_THAT(fetched().transactions, ElementsAre(fake_uuid(1) + ":3", fake_uuid(1) + ":5"));
}

// Of what the same server wrote. That its own last number is higher does not say that it has what
// another one wrote.
TEST_F(SavedEventsTest, MariadbsPositionCounts) {
  wanted_.family = ServerFamily::kMariadb;
  program(folder_ + "/bin/mariadb-binlog",
          std::string{kMysqlbinlog}.replace(std::string{kMysqlbinlog}.find("of the family"), 13,
                                            "of MariaDB"));
  for (std::uint64_t seqno = 1; seqno <= 3; ++seqno) {
    log_.mariadb_gtid(seqno, 1);
    log_.fake_transaction(1, seqno);
  }
  write("bin.000009", log_.bytes);
  wanted_.current_pos = "0-1-2";
  EXPECT_THAT(fetched().transactions, ElementsAre("0-1-3"));
  wanted_.current_pos = "0-2-7";
  EXPECT_THAT(fetched().transactions, ElementsAre("0-1-1", "0-1-2", "0-1-3"));
}

// By a file on the host, which is removed.
TEST_F(SavedEventsTest, LargePartComesInPieces) {
  constexpr std::uint64_t kCount = 40000;
  for (std::uint64_t i = 1; i <= kCount; ++i) log_.fake_transaction(1, i);
  ASSERT_GT(log_.size(), std::uint64_t{2} << 20U);
  write("bin.000009", log_.bytes);
  const SavedEvents events = fetched();
  EXPECT_THAT(events.transactions, SizeIs(kCount));
  EXPECT_EQ(events.bytes, fs::file_size(events.file));
  for (const auto& entry : fs::directory_iterator(folder_)) {
    EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr("mha-salvage")));
  }
}

TEST_F(SavedEventsTest, ManyRangesAreManyCommands) {
  constexpr std::uint64_t kCount = 1200;
  for (std::uint64_t gno = 1; gno <= kCount; ++gno) {
    log_.gtid(gno);
    log_.fake_transaction(1, gno);
  }
  write("bin.000009", log_.bytes);
  wanted_.executed_gtids = fake_uuid(1);
  for (std::uint64_t gno = 2; gno <= kCount; gno += 2) {
    wanted_.executed_gtids += ":" + std::to_string(gno);
  }
  EXPECT_THAT(fetched().transactions, SizeIs(kCount / 2));
}

TEST_F(SavedEventsTest, PurgedFileIsSaid) {
  write("bin.000011", log_.bytes);
  EXPECT_THAT(refusal(),
              AllOf(HasSubstr("bin.000009"), HasSubstr("bin.000011"), HasSubstr("purged")));
}

TEST_F(SavedEventsTest, FileThatIsNotThereYetIsSaid) {
  write("bin.000007", log_.bytes);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("bin.000009"), Not(HasSubstr("purged"))));
}

TEST_F(SavedEventsTest, MissingFileInBetweenIsSaid) {
  log_.fake_transaction(1, 1);
  write("bin.000009", log_.bytes);
  write("bin.000011", log_.bytes);
  EXPECT_THAT(refusal(), HasSubstr("file number 10"));
}

TEST_F(SavedEventsTest, NoLogsAtAllSaysWhereItLooked) {
  EXPECT_THAT(refusal(),
              AllOf(HasSubstr("/nowhere"), HasSubstr("it's logs"), HasSubstr("master_binlog_dir")));
}

TEST_F(SavedEventsTest, PlaceThatIsNoBorderIsSaid) {
  for (std::uint64_t i = 1; i <= 2; ++i) log_.fake_transaction(1, i);
  wanted_.after.position = log_.size() - 20;
  write("bin.000009", log_.bytes);
  EXPECT_THAT(refusal(), HasSubstr("no event begins"));
}

TEST_F(SavedEventsTest, LogThatLostItsEndHasNothing) {
  wanted_.after.position = log_.size() + 500;
  write("bin.000009", log_.bytes);
  EXPECT_THAT(fetched().transactions, IsEmpty());
  write("bin.000010", log_.bytes);
  EXPECT_THAT(refusal(), HasSubstr("history"));
}

TEST_F(SavedEventsTest, WithoutMysqlbinlogTheRawPartIsKept) {
  log_.fake_transaction(1, 1);
  write("bin.000009", log_.bytes);
  fs::remove(folder_ + "/bin/mysqlbinlog");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("no MySQL's mysqlbinlog"), HasSubstr("db1"),
                               HasSubstr("client_bindir"), HasSubstr("saved.sql.raw")));
  EXPECT_EQ(fs::file_size(wanted_.keep_as + ".raw/bin.000009"), log_.size());
  EXPECT_FALSE(fs::exists(wanted_.keep_as));
  EXPECT_EQ(fs::status(wanted_.keep_as + ".raw").permissions(), fs::perms::owner_all);
  // With the manager's it is done.
  HereRunner manager;
  manager_ = &manager;
  EXPECT_THAT(refusal(), AllOf(HasSubstr("on db1"), HasSubstr("on this host")));
  program(folder_ + "/bin/mysqlbinlog", kMysqlbinlog);
  setenv("FAIL", "wrong version", 1);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("wrong version"), HasSubstr("saved.sql.raw")));
  unsetenv("FAIL");
  EXPECT_THAT(fetched().transactions, SizeIs(1));
  EXPECT_FALSE(raw_is_kept());
}

TEST_F(SavedEventsTest, ManagersProgramDoesWhereTheHostHasNone) {
  log_.fake_transaction(1, 1);
  wanted_.after.position = log_.size();
  for (std::uint64_t i = 2; i <= 500; ++i) log_.fake_transaction(1, i);
  write("bin.000009", log_.bytes);
  LocalShell without{"db1", clock_, {"env", "HIDE=1"}};
  program(folder_ + "/bin/mysqlbinlog", std::string{"#!/bin/sh\n[ -z \"$HIDE\" ] || exit 127\n"} +
                                            (kMysqlbinlog + sizeof("#!/bin/sh")));
  HereRunner manager;
  const auto events = fetch_binlog(without, {logs()}, wanted_, &manager, soon());
  ASSERT_TRUE(events.ok()) << events.error().message;
  EXPECT_THAT(events.value().transactions, SizeIs(499));
  EXPECT_EQ(manager.runs, 1);
}

// As where MariaDB's client is installed beside MySQL's own folder.
TEST_F(SavedEventsTest, OtherFamilysProgramIsPassedOver) {
  log_.fake_transaction(1, 1);
  write("bin.000009", log_.bytes);
  fs::create_directories(folder_ + "/other");
  program(folder_ + "/other/mysqlbinlog", "#!/bin/sh\necho By MariaDB Corporation\n");
  wanted_.client_bindir = folder_ + "/other";
  LocalShell shell{"db1", clock_, {}, {{"PATH", folder_ + "/bin:" + std::getenv("PATH")}}};
  const auto events = fetch_binlog(shell, {logs()}, wanted_, nullptr, soon());
  ASSERT_TRUE(events.ok()) << events.error().message;
  EXPECT_THAT(events.value().transactions, SizeIs(1));
}

TEST_F(SavedEventsTest, OtherCountOfTransactionsIsRefused) {
  log_.fake_transaction(1, 1);
  log_.transaction();  // which the fake mysqlbinlog does not print
  write("bin.000009", log_.bytes);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("printed 1 transactions"), HasSubstr("have 2")));
  EXPECT_TRUE(raw_is_kept());
}

TEST_F(SavedEventsTest, WhatTheUserMayNotReadIsSaidWithTheRemedy) {
  FakeShell shell{"db1", [](const std::string& command) -> Result<CommandOutput> {
                    if (command.starts_with("for d in")) {
                      return CommandOutput{0, "/var/lib/mysql\n500 bin.000009\n", ""};
                    }
                    return CommandOutput{
                        0, "", "tail: cannot open 'bin.000009' for reading: Permission denied\n"};
                  }};
  const auto events = fetch_binlog(shell, {"/var/lib/mysql"}, wanted_, nullptr, soon());
  ASSERT_FALSE(events.ok());
  EXPECT_THAT(events.error().message,
              AllOf(HasSubstr("Permission denied"), HasSubstr("usermod -a -G mysql")));
}

TEST_F(SavedEventsTest, LostHostIsUnreachable) {
  FakeShell shell{"db1", [](const std::string&) -> Result<CommandOutput> {
                    return Error{Code::kUnreachable, "the connection broke"};
                  }};
  const auto events = fetch_binlog(shell, {"/var/lib/mysql"}, wanted_, nullptr, soon());
  ASSERT_FALSE(events.ok());
  EXPECT_EQ(events.error().code, Code::kUnreachable);
}

TEST_F(SavedEventsTest, ValuesForTheShellAreQuotedOrRefused) {
  FakeShell shell{"db1"};
  EXPECT_FALSE(fetch_binlog(shell, {"relative"}, wanted_, nullptr, soon()).ok());
  EXPECT_FALSE(fetch_binlog(shell, {"/a\nb"}, wanted_, nullptr, soon()).ok());
  wanted_.after.file = "../x;reboot.000001";
  EXPECT_FALSE(fetch_binlog(shell, {"/a"}, wanted_, nullptr, soon()).ok());
  EXPECT_THAT(shell.fake_host().commands(), IsEmpty());
  wanted_.after.file = "$(reboot).000001";
  EXPECT_FALSE(fetch_binlog(shell, {"/a b"}, wanted_, nullptr, soon()).ok());
  EXPECT_THAT(shell.fake_host().commands().at(0),
              AllOf(HasSubstr("'/a b'"), HasSubstr("'$(reboot)'.")));
}

// A replica's relay log: its own events, its source's, and a reconnection in between.
class RelayLogTest : public SavedEventsTest {
 protected:
  static constexpr int kArtificial = 0x20;
  static constexpr int kOwn = 0x40;

  RelayLogTest() {
    mysql_.server("db2:3306").replication.relay_log_basename = logs() + "/relay";
    MysqlTarget target;
    target.host = "db2";
    session_ = std::move(mysql_.connect(target, soon()).value());
  }
  // As it comes from the source, where it ends at `end`.
  static void relay(BinlogBytes& log, std::uint64_t number, std::uint32_t end) {
    log.next_log_pos = end;
    log.fake_transaction(1, number);
  }
  Result<SavedEvents> fetch_relay() {
    return fetch_relay_log(shell_, session_->replication(), wanted_, nullptr, soon());
  }

  FaultPlan faults_;
  FakeMysqlConnector mysql_{faults_};
  std::unique_ptr<MysqlServer> session_;
};

TEST_F(RelayLogTest, WhatIsBehindThePlaceOfTheSource) {
  BinlogBytes first;
  first.rotate("bin.000008", 700, kArtificial);
  relay(first, 1, 800);
  first.rotate("relay.000003", 4, kOwn);
  write("relay.000002", first.bytes);
  BinlogBytes second;
  relay(second, 2, 900);
  second.rotate("bin.000009", 4, kArtificial);
  relay(second, 3, 200);
  const std::uint64_t second_end = second.size();
  second.rotate("relay.000004", 4, kOwn);
  write("relay.000003", second.bytes);
  BinlogBytes third;
  third.rotate("bin.000009", 200, kArtificial);
  relay(third, 4, 300);
  relay(third, 5, 400);
  write("relay.000004", third.bytes);
  ASSERT_LT(second_end, second.size());

  wanted_.after = {"bin.000009", 200};
  Result<SavedEvents> events = fetch_relay();
  ASSERT_TRUE(events.ok()) << events.error().message;
  EXPECT_THAT(events.value().transactions, ElementsAre("bin.000009:200", "bin.000009:300"));
  EXPECT_EQ(events.value().end, (BinlogCoordinates{"bin.000009", 400}));

  wanted_.after = {"bin.000008", 800};
  events = fetch_relay();
  ASSERT_TRUE(events.ok()) << events.error().message;
  EXPECT_THAT(events.value().transactions, SizeIs(4));

  wanted_.after = {"bin.000008", 699};
  events = fetch_relay();
  ASSERT_FALSE(events.ok());
  EXPECT_THAT(events.error().message, HasSubstr("does not reach back to bin.000008:699"));
}

TEST_F(RelayLogTest, TransactionThatIsSentOnceMoreCountsOnce) {
  BinlogBytes log;
  log.rotate("bin.000009", 4, kArtificial);
  log.next_log_pos = 100;
  log.gtid(1);
  log.next_log_pos = 150;
  log.query("BEGIN");
  log.rotate("bin.000009", 4, kArtificial);
  log.next_log_pos = 100;
  log.gtid(1);
  relay(log, 1, 300);
  write("relay.000001", log.bytes);
  wanted_.after = {"bin.000009", 4};
  const Result<SavedEvents> events = fetch_relay();
  ASSERT_TRUE(events.ok()) << events.error().message;
  EXPECT_THAT(events.value().transactions, SizeIs(1));
}

// What was saved, on fake servers: with GTIDs of each family, and without.
class ApplyTest : public testing::TestWithParam<std::string> {
 protected:
  ApplyTest() {
    FakeMysqlState& state = heir();
    if (GetParam() == "mariadb") make_mariadb(state);
    if (GetParam() == "position") state.replication.gtids = false;
    FakeHistory history;
    for (std::uint64_t number = 1; number <= 4; ++number) history.push_back({9, number});
    events_.file = testing::TempDir() + "apply_" + std::to_string(getpid()) + ".sql";
    std::ofstream{events_.file, std::ios::trunc} << fake_binlog_script(history);
    for (const FakeTransaction& each : history) events_.transactions.push_back(name_of(each));
  }
  ~ApplyTest() override {
    std::error_code ignored;
    fs::remove(progress(), ignored);
    fs::remove(events_.file, ignored);
  }

  FakeMysqlState& heir() { return mysql_.server("db2:3306"); }
  [[nodiscard]] std::string progress() const { return events_.file + ".db2_3306.progress"; }
  static std::string name_of(const FakeTransaction& transaction) {
    if (GetParam() == "mysql") return mysql_gtids({transaction});
    if (GetParam() == "mariadb") return mariadb_gtids({transaction});
    return "bin.000001:" + std::to_string(100 * transaction.number);
  }
  Status apply(LogBin log_bin = LogBin::kOn) {
    MysqlTarget target;
    target.host = "db2";
    const auto session = mysql_.connect(target, soon());
    return apply_saved_events(*session.value(), events_, log_bin, soon());
  }
  void expect_applied(const Status& status) {
    EXPECT_TRUE(status.ok()) << status.error().message;
    EXPECT_THAT(heir().replication.executed,
                ElementsAre(FakeTransaction{9, 1}, FakeTransaction{9, 2}, FakeTransaction{9, 3},
                            FakeTransaction{9, 4}));
  }
  [[nodiscard]] Deadline soon() const { return clock_.deadline_after(Milliseconds{60000}); }

  RealClock clock_;
  FaultPlan faults_;
  FakeMysqlConnector mysql_{faults_};
  SavedEvents events_;
};

TEST_P(ApplyTest, TwiceIsOnce) {
  expect_applied(apply());
  EXPECT_EQ(heir().replication.binlog.size(), 4U);
  expect_applied(apply());
}

TEST_P(ApplyTest, EachCallThatFailsIsMadeGoodByASecondRun) {
  for (const FaultTime when : {FaultTime::kBefore, FaultTime::kAfter}) {
    for (std::size_t k = 1;; ++k) {
      heir().replication.executed.clear();
      heir().replication.binlog.clear();
      fs::remove(progress());
      const std::size_t calls = faults_.count();
      faults_.fail_call(calls + k, when, Error{Code::kUnreachable, "lost"});
      const Status first = [&]() -> Status {
        MysqlTarget target;
        target.host = "db2";
        const auto session = mysql_.connect(target, soon());
        if (!session.ok()) return session.error();
        return apply_saved_events(*session.value(), events_, LogBin::kOn, soon());
      }();
      const bool all_fine = faults_.count() < calls + k;
      faults_.clear_faults();
      expect_applied(apply());
      if (all_fine) break;
      EXPECT_FALSE(first.ok()) << k;
    }
  }
}

// On MariaDB they have the higher numbers.
TEST_P(ApplyTest, WhatItHasOfItsOwnHidesNothing) {
  heir().write_as_super(6);
  const FakeHistory own = heir().replication.executed;
  for (int time = 0; time < 2; ++time) {
    const Status applied = apply();
    EXPECT_TRUE(applied.ok()) << applied.error().message;
    FakeHistory all = own;
    for (std::uint64_t number = 1; number <= 4; ++number) all.push_back({9, number});
    EXPECT_EQ(heir().replication.executed, all);
  }
}

TEST_P(ApplyTest, ReplicatingServerIsRefused) {
  heir().replica = ReplicaThreads{false, true};
  const Status refused = apply();
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("replicates"));
  EXPECT_THAT(heir().replication.executed, IsEmpty());
}

TEST_P(ApplyTest, SuperReadOnlyIsSaid) {
  heir().read_only = {ReadOnly::kOn, true};
  const Status refused = apply();
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("super_read_only is on"));
  heir().read_only = {ReadOnly::kOn, false};
  expect_applied(apply());
}

TEST_P(ApplyTest, OutOfTheBinaryLogOnceThatIsClear) {
  if (GetParam() == "mysql") {
    expect_applied(apply(LogBin::kOff));
    EXPECT_THAT(heir().replication.binlog, IsEmpty());
    return;
  }
  expect_applied(apply(LogBin::kOff));
  expect_applied(apply(LogBin::kOff));
  EXPECT_THAT(heir().replication.binlog, IsEmpty());
  // Half way, nobody can tell.
  const std::string about =
      "4\n" + events_.transactions.front() + "\n" + events_.transactions.back() + "\n";
  std::ofstream{progress(), std::ios::trunc} << "2\n-\n" << about;
  const Status refused = apply(LogBin::kOff);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message,
              AllOf(HasSubstr("transaction 3 of 4"), HasSubstr(progress()), HasSubstr("undone")));
  heir().replication.executed.pop_back();
  std::ofstream{progress(), std::ios::trunc} << "2\ndone\n" << about;
  expect_applied(apply(LogBin::kOff));
}

TEST_P(ApplyTest, ChangedFileIsSaid) {
  std::ofstream{events_.file, std::ios::trunc} << fake_binlog_script({{9, 1}});
  const Status refused = apply();
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("changed since"));
}

INSTANTIATE_TEST_SUITE_P(, ApplyTest, testing::Values("mysql", "mariadb", "position"),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace mha
