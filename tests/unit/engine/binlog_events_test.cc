// Events and transactions in the bytes of a log, whole, torn and damaged.
#include "engine/binlog_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "engine/logged_transactions.h"
#include "fakes/binlog_bytes.h"

namespace mha {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class BinlogEventsTest : public testing::Test {
 protected:
  ~BinlogEventsTest() override { unlink(path_.c_str()); }

  struct Reading {
    std::vector<std::string> transactions;  // GTID@BEGIN-END
    LogEnd end = LogEnd::kClean;
    std::uint64_t whole = 0;  // behind the last whole transaction or event of the log
    bool open = false;
    std::string error;
  };

  Reading read(const std::string& bytes, std::uint64_t added = 0) {
    std::ofstream{path_, std::ios::trunc} << bytes;
    Reading reading;
    Result<BinlogFile> file = BinlogFile::open(path_, "bin.000001");
    if (!file.ok()) {
      reading.error = file.error().message;
      return reading;
    }
    file.value().expect_log_pos(added);
    TransactionScanner scanner;
    reading.whole = file.value().offset();
    while (true) {
      const Result<std::optional<BinlogEvent>> event = file.value().next();
      if (!event.ok()) reading.error = event.error().message;
      if (!event.ok() || !event.value().has_value()) break;
      if (const auto found = scanner.take(*event.value())) {
        reading.transactions.push_back(found->gtid + "@" + std::to_string(found->begin) + "-" +
                                       std::to_string(found->end));
      }
      if (!scanner.open()) reading.whole = event.value()->end();
    }
    reading.end = file.value().end();
    reading.open = scanner.open();
    return reading;
  }
  static std::string range(const std::string& gtid, std::uint64_t begin, std::uint64_t end) {
    return gtid + "@" + std::to_string(begin) + "-" + std::to_string(end);
  }

  const std::string path_ = testing::TempDir() + "binlog_events_" + std::to_string(getpid());
};

const std::string kUuid = "11111111-1111-1111-1111-111111111111";

TEST_F(BinlogEventsTest, TransactionsOfMysql) {
  BinlogBytes log;
  const std::uint64_t a = log.size();
  log.gtid(5);
  const std::uint64_t b = log.transaction();
  log.gtid(6);
  const std::uint64_t c = log.query("CREATE TABLE t (id INT)", std::string(300, 'v'));
  log.anonymous();
  log.query("BEGIN");
  log.query("INSERT INTO t VALUES ('COMMIT')");
  const std::uint64_t d = log.query("COMMIT");
  log.gtid(7);
  const std::uint64_t e = log.event(40, "payload");
  log.gtid(8);
  log.query("XA START X'61',X'',1");
  log.rows();
  log.query("XA END X'61',X'',1");
  const std::uint64_t f = log.event(38, "xa");
  log.gtid(9);
  const std::uint64_t g = log.query("XA COMMIT X'61',X'',1");
  const Reading reading = read(log.bytes);
  EXPECT_THAT(
      reading.transactions,
      ElementsAre(range(kUuid + ":5", a, b), range(kUuid + ":6", b, c), range("", c, d),
                  range(kUuid + ":7", d, e), range(kUuid + ":8", e, f), range(kUuid + ":9", f, g)));
  EXPECT_EQ(reading.end, LogEnd::kClean);
  EXPECT_FALSE(reading.open);
  EXPECT_EQ(reading.whole, log.size());
}

// 5.6 without GTIDs writes nothing before BEGIN, or before what a statement needs.
TEST_F(BinlogEventsTest, TransactionsOfMysqlWithoutGtidEvents) {
  BinlogBytes log{BinlogBytes::Checksum::kNone};
  const std::uint64_t a = log.size();
  const std::uint64_t b = log.transaction();
  log.event(5, BinlogBytes::number(2, 1) + BinlogBytes::number(7, 8));
  const std::uint64_t c = log.query("INSERT INTO t VALUES (NULL)");
  EXPECT_THAT(read(log.bytes).transactions, ElementsAre(range("", a, b), range("", b, c)));
}

TEST_F(BinlogEventsTest, TransactionsOfMariadb) {
  BinlogBytes log;
  log.event(163, BinlogBytes::number(0, 4));
  log.event(161, BinlogBytes::number(0, 4));
  const std::uint64_t a = log.size();
  log.mariadb_gtid(41, 1);
  const std::uint64_t b = log.query("CREATE TABLE t (id INT)");
  log.server_id = 3;
  log.mariadb_gtid(42);
  log.query("INSERT INTO t VALUES (1)");
  log.event(165, "compressed");
  const std::uint64_t c = log.xid();
  log.mariadb_gtid(43);
  log.rows();
  const std::uint64_t d = log.query("ROLLBACK");
  EXPECT_THAT(read(log.bytes).transactions,
              ElementsAre(range("0-1-41", a, b), range("0-3-42", b, c), range("0-3-43", c, d)));
}

TEST_F(BinlogEventsTest, EveryCutIsTornAndNothingMoreIsFound) {
  BinlogBytes log;
  log.gtid(1);
  const std::uint64_t whole = log.transaction();
  log.gtid(2);
  log.transaction();
  for (std::uint64_t cut = whole + 1; cut < log.size(); ++cut) {
    const Reading reading = read(log.bytes.substr(0, cut));
    EXPECT_THAT(reading.transactions, testing::SizeIs(1)) << cut;
    EXPECT_TRUE(reading.end == LogEnd::kTorn || reading.open) << cut;
    EXPECT_NE(reading.end, LogEnd::kDamaged) << cut;
    EXPECT_EQ(reading.whole, whole) << cut;
  }
}

TEST_F(BinlogEventsTest, ZerosBehindACrashAreTorn) {
  BinlogBytes log;
  const std::uint64_t whole = log.transaction();
  const Reading reading = read(log.bytes + std::string(200000, '\0'));
  EXPECT_EQ(reading.end, LogEnd::kTorn);
  EXPECT_EQ(reading.whole, whole);
}

TEST_F(BinlogEventsTest, EachFlippedBitIsSeen) {
  BinlogBytes log;
  const std::uint64_t first = log.transaction();
  log.transaction();
  const std::uint64_t last = log.transaction();
  for (std::uint64_t at = first; at < last; ++at) {
    std::string bytes = log.bytes;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    const Reading reading = read(bytes);
    EXPECT_NE(reading.end, LogEnd::kClean) << at;
    EXPECT_LT(reading.transactions.size(), 3U) << at;
  }
}

TEST_F(BinlogEventsTest, GarbageEndsTheReading) {
  std::mt19937 random{7};
  for (int round = 0; round < 300; ++round) {
    BinlogBytes log{round % 2 == 0 ? BinlogBytes::Checksum::kNone : BinlogBytes::Checksum::kCrc32};
    const std::uint64_t whole = log.transaction();
    std::string bytes = log.bytes;
    for (int i = 0; i < 400; ++i) bytes += static_cast<char>(random());
    const Reading reading = read(bytes);
    EXPECT_NE(reading.end, LogEnd::kClean);
    EXPECT_EQ(reading.whole, whole);
  }
}

TEST_F(BinlogEventsTest, PlaceOfACopyIsAdded) {
  BinlogBytes log;
  log.next_log_pos = static_cast<std::uint32_t>(log.size() + 19 + 8 + 4 + 5000);
  const std::uint64_t end = log.xid();
  EXPECT_EQ(read(log.bytes, 5000).whole, end);
  EXPECT_NE(read(log.bytes, 5001).whole, end);
}

TEST_F(BinlogEventsTest, OpenFileOfARunningServerIsRead) {
  BinlogBytes log;
  log.transaction();
  log.bytes[4 + 17] = '\x01';  // LOG_EVENT_BINLOG_IN_USE_F, set after the checksum
  EXPECT_THAT(read(log.bytes).transactions, testing::SizeIs(1));
}

TEST_F(BinlogEventsTest, RestartEndsWhatWasOpen) {
  BinlogBytes log;
  log.gtid(1);
  log.query("BEGIN");
  log.format_description(1700000001);
  log.gtid(2);
  log.transaction();
  EXPECT_THAT(read(log.bytes).transactions, testing::SizeIs(1));
}

TEST_F(BinlogEventsTest, WhatIsNoLogIsSaid) {
  EXPECT_THAT(read("").error, HasSubstr("not a binary log"));
  EXPECT_THAT(read(std::string{"\xFD"
                               "bin and more"})
                  .error,
              HasSubstr("encrypted"));
  EXPECT_THAT(read(std::string{"\xFE"
                               "bin"})
                  .error,
              HasSubstr("format 4"));
  BinlogBytes log;
  log.transaction();
  log.event(164, std::string(17, 'k'));
  const Reading reading = read(log.bytes + std::string(500, 'x'));
  EXPECT_THAT(reading.error, HasSubstr("encrypted"));
  EXPECT_THAT(reading.transactions, testing::SizeIs(1));
}

// Numbers below 64 are one byte, shifted by one. A tag that is none was found by fuzzing.
TEST_F(BinlogEventsTest, TagsAreThoseThatAServerTakes) {
  const auto tagged = [](const std::string& tag) {
    std::string body;
    const auto put = [&body](int value) { body += static_cast<char>(value << 1); };
    for (const int value : {1, 60, 5, 0, 0, 1}) put(value);
    for (int i = 0; i < 16; ++i) put(0x11);
    for (const int value : {2, 7 * 2, 3, static_cast<int>(tag.size())}) put(value);
    body += tag;
    BinlogEvent event;
    event.type = BinlogEventType::kTaggedGtid;
    event.body = body;
    return mysql_gtid_text(event);
  };
  EXPECT_EQ(tagged("a_tag9"), "11111111-1111-1111-1111-111111111111:a_tag9:7");
  EXPECT_EQ(tagged(""), "11111111-1111-1111-1111-111111111111:7");
  EXPECT_EQ(tagged(std::string(32, 'x')).size(), 36U + 1 + 32 + 2);
  for (const std::string& none :
       {std::string("a\nb"), std::string("9a"), std::string("A"), std::string("a'b"),
        std::string("a\0b", 3), std::string(33, 'x')}) {
    EXPECT_EQ(tagged(none), "") << none;
  }
}

TEST_F(BinlogEventsTest, LargeEventIsChecked) {
  BinlogBytes log;
  log.query("BEGIN");
  log.rows(std::size_t{3} << 20U);
  log.xid();
  EXPECT_THAT(read(log.bytes).transactions, testing::SizeIs(1));
  log.bytes[log.size() / 2] = 'x';
  EXPECT_THAT(read(log.bytes).transactions, IsEmpty());
}

}  // namespace
}  // namespace mha
