// BINLOG statements in parts: the same events, each part a statement of its own.
#include "base/row_statement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "base/binlog_script.h"
#include "fakes/binlog_bytes.h"

namespace mha {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

constexpr std::string_view kLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string encoded(const std::string& bytes) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    unsigned bits = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      bits = bits << 8 | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    }
    const std::size_t there = bytes.size() - at;
    for (std::size_t i = 0; i < 4; ++i) {
      text += i <= there ? kLetters[bits >> (18 - 6 * i) & 63] : '=';
    }
  }
  std::string lines;
  for (std::size_t at = 0; at < text.size(); at += 76) lines += text.substr(at, 76) + "\n";
  return lines;
}

std::string decoded(const std::string& text) {
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::size_t value = kLetters.find(c);
    if (value == std::string_view::npos) {
      if (c == '=') count = 0;
      continue;
    }
    bits = bits << 6 | static_cast<unsigned>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xFF);
  }
  return bytes;
}

// One event's bytes, as a log has it.
std::string event(int type, const std::string& body, BinlogBytes::Checksum checksum) {
  BinlogBytes log{checksum};
  const std::uint64_t begin = log.size();
  log.event(type, body);
  return log.bytes.substr(begin);
}
std::string table_map(const std::string& name, BinlogBytes::Checksum checksum) {
  return event(19, BinlogBytes::number(7, 6) + BinlogBytes::number(1, 2) + name, checksum);
}
std::string rows(int flags, char fill, BinlogBytes::Checksum checksum) {
  return event(30,
               BinlogBytes::number(7, 6) + BinlogBytes::number(static_cast<unsigned>(flags), 2) +
                   std::string(1000, fill),
               checksum);
}
std::string description(BinlogBytes::Checksum checksum) {
  return BinlogBytes{checksum}.bytes.substr(4);
}

// Of a BINLOG statement, its events.
std::vector<std::string> events_of(const std::string& statement) {
  EXPECT_TRUE(statement.starts_with("BINLOG '\n"));
  EXPECT_TRUE(statement.ends_with("\n'"));
  std::vector<std::string> events;
  std::istringstream lines{statement.substr(9, statement.size() - 10)};
  std::string bytes;
  for (std::string line; std::getline(lines, line);) {
    bytes += decoded(line);
    if (bytes.size() < 19) continue;
    const auto size =
        static_cast<unsigned char>(bytes[9]) + 256U * static_cast<unsigned char>(bytes[10]);
    if (bytes.size() < size) continue;
    events.push_back(bytes);
    bytes.clear();
  }
  EXPECT_EQ(bytes, "");
  return events;
}

class RowStatementTest : public testing::TestWithParam<BinlogBytes::Checksum> {
 protected:
  std::vector<std::string> parts(const std::vector<std::string>& events) {
    std::vector<std::string> all;
    for (const std::string& each : events) {
      std::istringstream lines{encoded(each)};
      for (std::string line; std::getline(lines, line);) {
        if (auto part = statement_.add_line(line)) all.push_back(*part);
      }
    }
    if (auto part = statement_.finish()) all.push_back(*part);
    return all;
  }

  RowStatement statement_{4000};
};

TEST_P(RowStatementTest, SmallOnesStayAsTheyAre) {
  EXPECT_THAT(parts({description(GetParam())}), SizeIs(1));
  const std::string map = table_map("t", GetParam());
  const std::string row = rows(0, 'a', GetParam());
  EXPECT_THAT(parts({map, row}), ElementsAre("BINLOG '\n" + encoded(map) + encoded(row) + "'"));
}

TEST_P(RowStatementTest, LargeOnesAreCutBetweenEvents) {
  parts({description(GetParam())});
  const std::string map_a = table_map("a", GetParam());
  const std::string map_b = table_map("b", GetParam());
  std::vector<std::string> events{map_a, map_b};
  for (char fill = 'a'; fill < 'k'; ++fill) {
    events.push_back(rows(fill == 'j' ? 1 : 0, fill, GetParam()));
  }
  const std::vector<std::string> all = parts(events);
  ASSERT_GT(all.size(), 2U);
  std::string fills;
  for (const std::string& part : all) {
    const std::vector<std::string> inside = events_of(part);
    ASSERT_GE(inside.size(), 3U);
    EXPECT_EQ(inside[0], map_a);
    EXPECT_EQ(inside[1], map_b);
    for (std::size_t i = 2; i < inside.size(); ++i) {
      fills += inside[i][19 + 8];
      const bool last = i + 1 == inside.size();
      EXPECT_EQ(inside[i], rows(last ? 1 : 0, fills.back(), GetParam()));
    }
    EXPECT_LT(part.size(), 6500U);
  }
  EXPECT_EQ(fills, "abcdefghij");
  // The next one is by itself.
  EXPECT_THAT(events_of(parts({rows(1, 'x', GetParam())}).at(0)),
              ElementsAre(rows(1, 'x', GetParam())));
}

TEST_P(RowStatementTest, OneLargeEventIsNotCut) {
  parts({description(GetParam())});
  const std::string large =
      event(30, BinlogBytes::number(7, 6) + BinlogBytes::number(1, 2) + std::string(30000, 'l'),
            GetParam());
  const std::vector<std::string> all = parts({table_map("a", GetParam()), large});
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_THAT(events_of(all[0]), ElementsAre(table_map("a", GetParam()), large));
}

INSTANTIATE_TEST_SUITE_P(, RowStatementTest,
                         testing::Values(BinlogBytes::Checksum::kNone,
                                         BinlogBytes::Checksum::kCrc32),
                         [](const auto& each) {
                           return each.param == BinlogBytes::Checksum::kNone ? "plain" : "crc32";
                         });

TEST(RowStatementInAScript, PartsComeAsStatements) {
  std::string script = "DELIMITER /*!*/;\nSTART TRANSACTION\n/*!*/;\nBINLOG '\n";
  script += encoded(table_map("a", BinlogBytes::Checksum::kNone));
  constexpr int kRows = 2000;
  for (int i = 1; i <= kRows; ++i) {
    script += encoded(rows(i == kRows ? 1 : 0, 'r', BinlogBytes::Checksum::kNone));
  }
  script += "'/*!*/;\n# at 7\nCOMMIT/*!*/;\nDELIMITER ;\n";
  BinlogScript statements{whole_text(script)};
  ScriptTransactions transactions;
  int found = 0;
  int parts = 0;
  while (true) {
    const Result<std::optional<std::string_view>> statement = statements.next();
    ASSERT_TRUE(statement.ok());
    if (!statement.value().has_value()) break;
    EXPECT_LT(statement.value()->size(), 700000U);
    if (transactions.take(*statement.value()) != ScriptPart::kInside) continue;
    ++parts;
    found += static_cast<int>(events_of(std::string{*statement.value()}).size()) - 1;
  }
  EXPECT_EQ(found, kRows);
  EXPECT_GT(parts, 4);
  EXPECT_EQ(transactions.count(), 1U);
}

}  // namespace
}  // namespace mha
