// mysqlbinlog's output taken apart.
#include "base/binlog_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace mha {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> statements_in_pieces(const std::string& text, std::size_t size) {
  std::size_t at = 0;
  BinlogScript script{[&]() -> Result<std::string> {
    const std::string piece = text.substr(std::min(at, text.size()), size);
    at += size;
    return piece;
  }};
  std::vector<std::string> all;
  while (true) {
    const Result<std::optional<std::string_view>> statement = script.next();
    EXPECT_TRUE(statement.ok());
    if (!statement.ok() || !statement.value().has_value()) return all;
    all.emplace_back(*statement.value());
  }
}

std::vector<std::string> statements(const std::string& text) {
  // However it is cut.
  std::vector<std::string> all;
  for (const std::size_t size : {std::size_t{1}, std::size_t{7}, text.size() + 1}) {
    const std::vector<std::string> cut = statements_in_pieces(text, size);
    if (size > 1) {
      EXPECT_EQ(cut, all) << "in pieces of " << size;
    }
    all = cut;
  }
  return all;
}

TEST(BinlogScript, DelimitersAndComments) {
  EXPECT_THAT(statements("/*!50530 SET @@SESSION.PSEUDO_SLAVE_MODE=1*/;\n"
                         "DELIMITER /*!*/;\n"
                         "# at 4\n"
                         "#700101  0:00:00 server id 1  end_log_pos 0 \tStart: it's binlog v 4\n"
                         "ROLLBACK/*!*/;\n"
                         "BINLOG '\nAAAA\nBBBB=\n'/*!*/;\n"
                         "SET TIMESTAMP=1/*!*/;\n"
                         "/*!\\C utf8mb4 *//*!*/;\n"
                         "/*M!100001 SET @@session.gtid_seq_no=2*//*!*/;\n"
                         "INSERT INTO t VALUES (1)\n/*!*/;\n"
                         "SET @@SESSION.GTID_NEXT= 'AUTOMATIC' /* added by mysqlbinlog */ /*!*/;\n"
                         "DELIMITER ;\n"
                         "# End of log file\n"
                         "ROLLBACK /* added by mysqlbinlog */;\n"),
              ElementsAre("/*!50530 SET @@SESSION.PSEUDO_SLAVE_MODE=1*/", "ROLLBACK",
                          "BINLOG '\nAAAA\nBBBB=\n'", "SET TIMESTAMP=1",
                          "/*M!100001 SET @@session.gtid_seq_no=2*/", "INSERT INTO t VALUES (1)",
                          "SET @@SESSION.GTID_NEXT= 'AUTOMATIC' /* added by mysqlbinlog */",
                          "ROLLBACK /* added by mysqlbinlog */"));
}

TEST(BinlogScript, DelimiterInAStringIsText) {
  EXPECT_THAT(statements("DELIMITER /*!*/;\n"
                         "INSERT INTO t VALUES ('a\n/*!*/;\nDELIMITER ;\n''b\\'/*!*/;')\n/*!*/;\n"
                         "INSERT INTO t VALUES (\"/*!*/;\", `/*!*/;`, `\\`)\n/*!*/;\n"),
              ElementsAre("INSERT INTO t VALUES ('a\n/*!*/;\nDELIMITER ;\n''b\\'/*!*/;')",
                          "INSERT INTO t VALUES (\"/*!*/;\", `/*!*/;`, `\\`)"));
}

TEST(BinlogScript, QuoteInACommentIsNone) {
  EXPECT_THAT(statements("DELIMITER /*!*/;\n"
                         "INSERT /* it's */ INTO t VALUES (1) -- don't\n/*!*/;\n"
                         "INSERT INTO t # can't\nVALUES (2)\n/*!*/;\n"
                         "SELECT 1--'/*!*/;'\n/*!*/;\n"),
              ElementsAre("INSERT /* it's */ INTO t VALUES (1) -- don't",
                          "INSERT INTO t # can't\nVALUES (2)", "SELECT 1--'/*!*/;'"));
}

TEST(BinlogScript, BackslashIsPlainWhereTheSqlModeSaysSo) {
  const std::string both =
      "INSERT INTO t VALUES ('\\')\n/*!*/;\nINSERT INTO t VALUES (2)\n/*!*/;\n";
  EXPECT_THAT(statements("DELIMITER /*!*/;\nSET @@session.sql_mode=1048576/*!*/;\n" + both),
              ElementsAre("SET @@session.sql_mode=1048576", "INSERT INTO t VALUES ('\\')",
                          "INSERT INTO t VALUES (2)"));
  // 1411383296 is MariaDB's default, without it: the quote is not closed.
  EXPECT_THAT(statements("DELIMITER /*!*/;\nSET @@session.sql_mode=1411383296/*!*/;\n" + both),
              testing::SizeIs(2));
}

// Found by fuzzing: such a line was cut where the pieces were, and came out as another script.
TEST(BinlogScript, LinesThatAreTooLongAreCutTheSameHoweverTheyCome) {
  const std::string line(500, 'A');
  EXPECT_EQ(statements("BINLOG '\n" + line + "\n" + line + "';\nCOMMIT;\n").size(), 1U);
  const std::string blanks(100, ' ');
  EXPECT_THAT(statements("DELIMITER" + blanks + "//\nCOMMIT;\n"), ElementsAre("COMMIT"));
}

TEST(BinlogScript, WhatIsNotEnded) {
  EXPECT_THAT(statements(""), IsEmpty());
  EXPECT_THAT(statements("\n# only a comment"), IsEmpty());
  EXPECT_THAT(statements("SELECT 1"), ElementsAre("SELECT 1"));
  EXPECT_THAT(statements("SELECT 'a"), ElementsAre("SELECT 'a"));
  EXPECT_THAT(statements("SELECT 'a\\"), ElementsAre("SELECT 'a\\"));
  EXPECT_THAT(statements("DELIMITER\nSELECT 1;;\n ;SELECT 2"),
              ElementsAre("DELIMITER\nSELECT 1", "SELECT 2"));
  EXPECT_THAT(statements("SELECT 1 /* a"), ElementsAre("SELECT 1 /* a"));
}

TEST(BinlogScript, ErrorOfThePiecesIsGiven) {
  int pieces = 0;
  BinlogScript script{[&]() -> Result<std::string> {
    if (++pieces == 1) return std::string{"SELECT 1;\nSELECT 2"};
    return Error{Code::kInternal, "the disk"};
  }};
  const Result<std::optional<std::string_view>> statement = script.next();
  ASSERT_FALSE(statement.ok());
  EXPECT_EQ(statement.error().message, "the disk");
}

TEST(ScriptTransactions, WhatBeginsAndEndsOne) {
  const std::vector<std::pair<std::string, ScriptPart>> script{
      {"/*!50530 SET @@SESSION.PSEUDO_SLAVE_MODE=1*/", ScriptPart::kSetting},
      {"ROLLBACK", ScriptPart::kSetting},
      {"BINLOG '\nAAAA\n'", ScriptPart::kSetting},
      {"/*M!100001 SET @@session.gtid_seq_no=2*/", ScriptPart::kSetting},
      {"START TRANSACTION", ScriptPart::kBegin},
      {"BINLOG '\nAAAA\n'", ScriptPart::kInside},
      {"SET INSERT_ID=4", ScriptPart::kSetting},
      {"settle", ScriptPart::kInside},
      {"ROLLBACK TO `a`", ScriptPart::kInside},
      {"COMMIT", ScriptPart::kEnd},
      {"use `shop`", ScriptPart::kSetting},
      {"CREATE TABLE t (id INT)", ScriptPart::kWhole},
      {"SET PASSWORD FOR 'app'@'%'='*AA'", ScriptPart::kWhole},
      {"/*!80013 CREATE TABLE t (id INT)*/", ScriptPart::kWhole},
      {"BEGIN", ScriptPart::kBegin},
      {"INSERT INTO t VALUES (1)", ScriptPart::kInside},
      {"ROLLBACK", ScriptPart::kEnd},
      {"XA START X'61',X'',1", ScriptPart::kBegin},
      {"XA END X'61',X'',1", ScriptPart::kInside},
      {"XA PREPARE X'61',X'',1", ScriptPart::kEnd},
      {"XA COMMIT X'61',X'',1", ScriptPart::kWhole},
      {"ROLLBACK /* added by mysqlbinlog */", ScriptPart::kSetting}};
  ScriptTransactions transactions;
  for (const auto& [statement, part] : script) {
    EXPECT_EQ(transactions.take(statement), part) << statement;
  }
  EXPECT_EQ(transactions.count(), 7U);
  EXPECT_FALSE(transactions.open());
}

}  // namespace
}  // namespace mha
