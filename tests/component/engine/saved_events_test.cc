// Transactions of a dead server, brought to one that lacks them: over real servers and their logs.
#include "engine/saved_events.h"

#include <fmt/core.h>

#include <functional>

#include "salvage_host.h"
#include "server_test.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// How the servers of a test are: "mysql-9.7", "mysql-9.7 position".
class SavedEventsTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    kind_ = GetParam().substr(0, GetParam().find(' '));
    const bool there = kind_ == kInstalled ? missing_tools().empty() : can_fetch(kind_);
    const bool translator = kind_ != "mysql-5.6" || can_fetch("mysql-9.7");
    if (!there || !translator) {
      skip_or_fail_without(kind_ + " of tests/servers/fetch");
      return;
    }
    gtids_ = !GetParam().ends_with("position");
    std::vector<std::string> options{"--binlog-checksum=CRC32", "--binlog-format=ROW"};
    if (!gtids_ && !kind_.starts_with("mariadb")) {
      options.insert(options.end(), {"--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"});
    }
    dead_ = std::make_unique<SalvageServer>(kind_, 1, options);
    heir_ = std::make_unique<SalvageServer>(kind_, 2, options);
    // What both have; from here on the heir receives nothing.
    for (SalvageServer* each : {dead_.get(), heir_.get()}) {
      each->execute("SET SESSION binlog_format='ROW'");
      each->client.execute("RESET MASTER");
      each->client.execute("RESET BINARY LOGS AND GTIDS");
    }
    write_common(*dead_);
    write_common(*heir_);
    wanted_.family = dead_->is_mariadb() ? ServerFamily::kMariadb : ServerFamily::kMysql;
    wanted_.keep_as = folder_.path() + "/saved.sql";
    wanted_.client_bindir = dead_->bindir();
    wanted_.remote_workdir = folder_.path();
    data_ = dead_->data();
    wanted_.after = place(*dead_);
    place_before_ = wanted_.after;
    session_ = open(*heir_);
  }

  // The same on both, as replication would have brought it: the same GTIDs.
  void write_common(SalvageServer& server) {
    if (server.is_mariadb()) server.execute("SET SESSION server_id=1, gtid_seq_no=1");
    if (!server.is_mariadb() && gtids_) {
      server.execute("SET gtid_next='11111111-1111-1111-1111-111111111111:1'");
    }
    server.execute(
        "CREATE TABLE shop.notes (id INT PRIMARY KEY AUTO_INCREMENT, note LONGBLOB, "
        "words VARCHAR(200) CHARACTER SET utf8mb4) ENGINE=InnoDB");
    if (!server.is_mariadb() && gtids_) server.execute("SET gtid_next='AUTOMATIC'");
    if (server.is_mariadb()) server.execute("SET SESSION server_id=DEFAULT, gtid_seq_no=0");
  }
  std::unique_ptr<MysqlServer> open(const SalvageServer& server) {
    auto session = connector_.connect(local_target(server.port()), soon());
    EXPECT_TRUE(session.ok()) << session.error().message;
    return session.ok() ? std::move(session).value() : nullptr;
  }
  BinlogCoordinates place(const SalvageServer& server) {
    const auto session = open(server);
    const auto position = session->replication().own_position(soon());
    EXPECT_TRUE(position.ok());
    return position.ok() ? position.value().binlog : BinlogCoordinates{};
  }
  std::string gtids_of(const SalvageServer& server) {
    const auto session = open(server);
    const auto position = session->replication().own_position(soon());
    return position.ok() ? position.value().gtids : position.error().message;
  }
  std::string executed_gtids(const SalvageServer& server) {
    const auto state = open(server)->replication().state(soon());
    return state.ok() ? state.value().executed_gtids : state.error().message;
  }
  Result<SavedEvents> fetch() {
    if (gtids_ && dead_->is_mariadb()) wanted_.current_pos = executed_gtids(*heir_);
    if (gtids_ && !dead_->is_mariadb()) wanted_.executed_gtids = executed_gtids(*heir_);
    return fetch_binlog(shell_, {"/nonexistent/folder", data_}, wanted_, nullptr, soon());
  }
  SavedEvents fetched() {
    Result<SavedEvents> events = fetch();
    EXPECT_TRUE(events.ok()) << events.error().message;
    return events.ok() ? events.value() : SavedEvents{};
  }
  void apply(const SavedEvents& events) {
    const Status done = apply_saved_events(*session_, events, LogBin::kOn, soon());
    EXPECT_TRUE(done.ok()) << done.error().message;
  }
  static std::string digest(SalvageServer& server) {
    return server.ask(
               "SELECT CONCAT(COUNT(*), ' ', COALESCE(SUM(CRC32(CONCAT_WS('|', id, HEX(note), "
               "HEX(words)))), 0)) FROM shop.notes") +
           " " +
           server.ask("SELECT CONCAT(COUNT(*), ' ', COALESCE(SUM(amount), 0)) FROM shop.orders");
  }
  void write_row(int id) {
    dead_->execute(fmt::format("INSERT INTO shop.orders VALUES ({0}, {0})", id));
  }
  [[nodiscard]] Deadline soon() const { return clock_.deadline_after(Milliseconds{60000}); }

  std::string kind_;
  bool gtids_ = true;
  RealClock clock_;
  LibmysqlConnector connector_{clock_};
  TemporaryFolder folder_;
  LocalShell shell_{"db1", clock_};
  std::unique_ptr<SalvageServer> dead_;
  std::unique_ptr<SalvageServer> heir_;
  std::unique_ptr<MysqlServer> session_;  // of the heir
  std::string data_;                      // the dead one's
  EventsWanted wanted_;
  BinlogCoordinates place_before_;  // of the dead one's log: what all had at first
};

TEST_P(SavedEventsTest, AllThatTheDeadOneHadArrives) {
  write_row(10);
  // Quotes, backslashes, NUL, utf8mb4, and what looks like mysqlbinlog's own delimiter.
  dead_->execute(
      "INSERT INTO shop.notes (note, words) VALUES (x'00ff27225c0a00', "
      "'it''s; a \\\"note\\\" \\\\ /*!*/;\\n\xF0\x9F\x98\x80')");
  dead_->execute("SET SESSION binlog_format='STATEMENT'");
  dead_->execute(
      "INSERT INTO shop.notes (note, words) VALUES ('a\\0b\\'c', "
      "'\xE2\x82\xAC; \\n/*!*/;\\nDELIMITER ;\\n')");
  dead_->execute("SET SESSION binlog_format='ROW'");
  dead_->execute("FLUSH BINARY LOGS");
  dead_->execute("CREATE TABLE shop.later (id INT PRIMARY KEY) ENGINE=InnoDB");
  dead_->execute("BEGIN");
  dead_->execute("INSERT INTO shop.later VALUES (1)");
  dead_->execute("UPDATE shop.orders SET amount=amount+1");
  dead_->execute("COMMIT");
  dead_->execute("FLUSH BINARY LOGS");
  write_row(11);
  const std::string digest_of_dead = digest(*dead_);
  const std::string gtids_of_dead = gtids_of(*dead_);
  const BinlogCoordinates end = place(*dead_);
  dead_->crash();

  const SavedEvents events = fetched();
  EXPECT_THAT(events.transactions, SizeIs(6));
  EXPECT_FALSE(events.torn);
  EXPECT_EQ(events.left_out, 0U);
  // MariaDB may have noted a checkpoint since.
  EXPECT_EQ(events.end.file, end.file);
  EXPECT_GE(events.end.position, end.position);
  EXPECT_EQ(std::filesystem::status(events.file).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(std::filesystem::file_size(events.file), events.bytes);
  EXPECT_FALSE(std::filesystem::exists(events.file + ".raw"));
  apply(events);
  EXPECT_EQ(digest(*heir_), digest_of_dead);
  EXPECT_EQ(heir_->ask("SELECT COUNT(*) FROM shop.later"), "1");
  if (gtids_) {
    EXPECT_EQ(gtids_of(*heir_), gtids_of_dead);
  }
  // Once more: nothing twice.
  apply(events);
  EXPECT_EQ(digest(*heir_), digest_of_dead);
}

TEST_P(SavedEventsTest, NothingToSaveIsNothing) {
  dead_->crash();
  const SavedEvents events = fetched();
  EXPECT_EQ(events.file, "");
  EXPECT_THAT(events.transactions, IsEmpty());
  EXPECT_EQ(events.end, wanted_.after);
  EXPECT_FALSE(std::filesystem::exists(wanted_.keep_as));
  EXPECT_FALSE(std::filesystem::exists(wanted_.keep_as + ".raw"));
  apply(events);
}

TEST_P(SavedEventsTest, TornEndIsLeftOut) {
  write_row(10);
  const BinlogCoordinates whole = place(*dead_);
  dead_->execute("BEGIN");
  write_row(11);
  write_row(12);
  dead_->execute("COMMIT");
  const BinlogCoordinates end = place(*dead_);
  dead_->crash();
  const std::string log = data_ + "/" + end.file;
  // At every place where an event can be cut, and in the middle of one.
  for (const std::uint64_t cut : {end.position - 1, end.position - 31, end.position - 60,
                                  whole.position + 1, whole.position + 25}) {
    std::filesystem::resize_file(log, cut);
    const SavedEvents events = fetched();
    EXPECT_THAT(events.transactions, SizeIs(1)) << cut;
    EXPECT_TRUE(events.torn);
    EXPECT_EQ(events.end, whole);
    EXPECT_EQ(events.left_out, cut - whole.position);
  }
  apply(fetched());
  EXPECT_EQ(heir_->ask("SELECT COUNT(*) FROM shop.orders WHERE id >= 10"), "1");
}

// What could not be executed is found again, and nothing is there twice.
TEST_P(SavedEventsTest, SecondAttemptGoesOnWhereTheFirstEnded) {
  write_row(10);
  dead_->execute("UPDATE shop.orders SET amount=amount+1");
  write_row(11);
  dead_->execute("UPDATE shop.orders SET amount=amount+1");
  const std::string digest_of_dead = digest(*dead_);
  dead_->crash();
  const SavedEvents events = fetched();
  EXPECT_THAT(events.transactions, SizeIs(4));
  heir_->execute("SET sql_log_bin=0");
  heir_->execute("INSERT INTO shop.orders VALUES (11, 0)");
  const Status broken = apply_saved_events(*session_, events, LogBin::kOn, soon());
  ASSERT_FALSE(broken.ok());
  EXPECT_EQ(broken.error().code, Code::kRefused);
  heir_->execute("DELETE FROM shop.orders WHERE id=11");
  session_ = open(*heir_);
  apply(events);
  EXPECT_EQ(digest(*heir_), digest_of_dead);
}

std::size_t resident_peak() {
  std::ifstream status{"/proc/self/status"};
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6)) * 1024;
  }
  return 0;
}

// A sanitizer has memory of its own, and keeps what was freed.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMeasuresMemory = false;
#else
constexpr bool kMeasuresMemory = true;
#endif

// One statement of 40 MB: what mysqlbinlog prints of it is more than MariaDB takes at once. (10 MB
// under a sanitizer, which takes minutes over 40.)
TEST_P(SavedEventsTest, LargeTransactionNeedsLittleMemory) {
  constexpr unsigned kSide = kMeasuresMemory ? 200 : 100;
  std::string rows = "INSERT INTO shop.orders VALUES (1000, 1)";
  for (unsigned id = 1001; id < 1000 + kSide; ++id) rows += fmt::format(", ({}, 1)", id);
  dead_->execute(rows);
  dead_->execute(
      "INSERT INTO shop.notes (note) SELECT REPEAT(CHAR(a.id % 250), 1000) "
      "FROM shop.orders a JOIN shop.orders b WHERE a.id >= 1000 AND b.id >= 1000");
  write_row(10);
  const std::string digest_of_dead = digest(*dead_);
  dead_->crash();
  heir_->execute("SET GLOBAL max_allowed_packet=4194304");
  session_ = open(*heir_);
  std::ofstream{"/proc/self/clear_refs"} << 5;
  const std::size_t before = resident_peak();
  const SavedEvents events = fetched();
  EXPECT_THAT(events.transactions, SizeIs(3));
  EXPECT_GT(events.bytes, kSide * kSide * 1000);
  apply(events);
  if (kMeasuresMemory) {
    EXPECT_LT(resident_peak(), before + (std::size_t{16} << 20U));
  }
  EXPECT_EQ(digest(*heir_), digest_of_dead);
}

// Two replicas, one of which has received less: the difference comes from the other's relay log.
TEST_P(SavedEventsTest, DifferenceComesFromARelayLog) {
  SalvageServer ahead{
      kind_, 3,
      gtids_ || dead_->is_mariadb()
          ? std::vector<std::string>{"--relay-log-purge=0", "--binlog-format=ROW"}
          : std::vector<std::string>{"--relay-log-purge=0", "--binlog-format=ROW",
                                     "--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"}};
  ahead.client.execute("RESET MASTER");
  ahead.client.execute("RESET BINARY LOGS AND GTIDS");
  write_common(ahead);
  dead_->execute("SET sql_log_bin=0");
  dead_->execute("CREATE USER repl@'%' IDENTIFIED BY 'r'");
  dead_->execute("GRANT REPLICATION SLAVE ON *.* TO repl@'%'");
  dead_->execute("SET sql_log_bin=1");
  write_row(10);
  heir_->execute("INSERT INTO shop.orders VALUES (10, 10)");
  wanted_.after = place(*dead_);
  const auto session = open(ahead);
  NewSource source;
  source.host = "127.0.0.1";
  source.port = dead_->port();
  source.user = "repl";
  source.password = Secret{"r"};
  source.start = place_before_;
  source.security.get_public_key = true;
  Status done = session->replication().replicate_from(source, soon());
  ASSERT_TRUE(done.ok()) << done.error().message;
  done = session->replication().start_replica(soon());
  ASSERT_TRUE(done.ok()) << done.error().message;
  write_row(11);
  dead_->execute("FLUSH BINARY LOGS");
  dead_->execute("UPDATE shop.orders SET amount=amount+1");
  // A transaction that goes from one file to the next is not taken from a relay log.
  done = session->replication().wait_until_applied({place(*dead_), ""}, GtidUse::kNone, soon());
  ASSERT_TRUE(done.ok()) << done.error().message;
  ahead.execute("FLUSH LOGS");
  write_row(12);
  const BinlogCoordinates end = place(*dead_);
  done = session->replication().wait_until_applied({end, ""}, GtidUse::kNone, soon());
  ASSERT_TRUE(done.ok()) << done.error().message;
  const std::string digest_of_dead = digest(*dead_);
  dead_->crash();

  const Result<SavedEvents> events =
      fetch_relay_log(shell_, session->replication(), wanted_, nullptr, soon());
  ASSERT_TRUE(events.ok()) << events.error().message;
  EXPECT_THAT(events.value().transactions, SizeIs(3));
  EXPECT_EQ(events.value().end.file, end.file);
  EXPECT_LE(events.value().end.position, end.position);
  apply(events.value());
  EXPECT_EQ(digest(*heir_), digest_of_dead);
}

std::vector<std::string> kinds() {
  std::vector<std::string> all{kInstalled,           "mariadb-11.8", "mysql-9.7",
                               "mysql-9.7 position", "mysql-5.6",    "mysql-5.6 position"};
  return all;
}

std::string kind_name(const testing::TestParamInfo<std::string>& info) {
  std::string word = info.param;
  for (char& c : word) c = c == '-' || c == '.' || c == ' ' ? '_' : c;
  return word;
}

INSTANTIATE_TEST_SUITE_P(, SavedEventsTest, testing::ValuesIn(kinds()), kind_name);

}  // namespace
}  // namespace mha
