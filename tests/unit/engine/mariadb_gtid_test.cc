// MariaDB's positions and binary log states: by example, and against a log of single transactions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "engine/mariadb_binlog_state.h"
#include "engine/mariadb_gtid_set.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::HasSubstr;

MariadbGtidPosition position(const std::string& text) {
  const Result<MariadbGtidPosition> parsed = MariadbGtidPosition::parse(text);
  EXPECT_TRUE(parsed.ok()) << text << ": " << parsed.error().message;
  return parsed.ok() ? parsed.value() : MariadbGtidPosition{};
}

MariadbBinlogState state(const std::string& text) {
  const Result<MariadbBinlogState> parsed = MariadbBinlogState::parse(text);
  EXPECT_TRUE(parsed.ok()) << text << ": " << parsed.error().message;
  return parsed.ok() ? parsed.value() : MariadbBinlogState{};
}

// What MariaDB 11.8.6 took for gtid_slave_pos, and how it printed it.
TEST(MariadbGtidPosition, TextAsTheServers) {
  EXPECT_EQ(position("").text(), "");
  EXPECT_TRUE(position("").empty());
  EXPECT_EQ(position("0-1-5").text(), "0-1-5");
  EXPECT_EQ(position("1-1-5,0-2-3").text(), "0-2-3,1-1-5");
  EXPECT_EQ(position("300-1-1,10-1-1,3-1-1,256-1-1,0-1-9").text(),
            "0-1-9,3-1-1,10-1-1,256-1-1,300-1-1");
  EXPECT_EQ(position("\t0- 1-\n 5, 1-1-1").text(), "0-1-5,1-1-1");
  EXPECT_EQ(position("00-01-05").text(), "0-1-5");
  EXPECT_EQ(position("0-1-0").text(), "0-1-0");
  const std::string highest = "4294967295-4294967295-18446744073709551615";
  EXPECT_EQ(position(highest).text(), highest);
  EXPECT_EQ(position("0-1-5,7-2-9").at(7), (MariadbGtid{7, 2, 9}));
  EXPECT_EQ(position("0-1-5,7-2-9").at(1), std::nullopt);
}

// What it refused, with error 1941 or 1943.
TEST(MariadbGtidPosition, Refused) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {" ", "at character 2: wanted a domain's number of 32 bits, found its end"},
      {",", "wanted a domain's number"},
      {"0-1-5,", "wanted a domain's number of 32 bits, found its end"},
      {"0-1-5,,1-1-1", "at character 7: wanted a domain's number"},
      {"a-1-1", "found 'a-1-1'"},
      {"-1-1-1", "wanted a domain's number"},
      {"4294967296-1-1", "wanted a domain's number of 32 bits"},
      {"0", "wanted '-', found its end"},
      {"0 -1-5", "wanted '-'"},
      {"0-4294967296-1", "wanted a server's number of 32 bits"},
      {"0-1", "wanted '-', found its end"},
      {"0-1-", "wanted a transaction's number of 64 bits"},
      {"0-1--5", "wanted a transaction's number of 64 bits"},
      {"0-1-18446744073709551616", "wanted a transaction's number of 64 bits"},
      {"0-1-5 ", "wanted ',', found ' '"},
      {"0-1-5;", "wanted ',', found ';'"},
      {"0-1-5\n,1-1-1", "wanted ',', found '?,1-1-1'"},
      {"0-1-5,0-2-6", "names domain 0 twice, 0-1-5 and 0-2-6"},
      {"0-1-5,0-1-5", "names domain 0 twice"},
  };
  for (const auto& [text, why] : cases) {
    const Result<MariadbGtidPosition> parsed = MariadbGtidPosition::parse(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code, Code::kInternal);
    EXPECT_THAT(parsed.error().message, AllOf(HasSubstr("MariaDB GTID position"), HasSubstr(why)));
  }
  EXPECT_FALSE(MariadbGtidPosition::parse(std::string(17U * 1024 * 1024, ' ')).ok());
}

TEST(MariadbGtidPosition, Standing) {
  const auto standing = [](const std::string& one, const std::string& two) {
    return position(one).standing_beside(position(two));
  };
  EXPECT_EQ(standing("", ""), GtidStanding::kEqual);
  EXPECT_EQ(standing("0-1-5", "0-1-5"), GtidStanding::kEqual);
  EXPECT_EQ(standing("0-1-6", "0-1-5"), GtidStanding::kAhead);
  EXPECT_EQ(standing("0-2-6", "0-1-5"), GtidStanding::kAhead);
  EXPECT_EQ(standing("0-1-5", "0-1-6"), GtidStanding::kBehind);
  EXPECT_EQ(standing("0-1-5", ""), GtidStanding::kAhead);
  EXPECT_EQ(standing("", "0-1-5"), GtidStanding::kBehind);
  EXPECT_EQ(standing("0-1-5", "0-2-5"), GtidStanding::kDiverged);
  EXPECT_EQ(standing("0-1-5,1-1-2", "0-1-5,1-1-1"), GtidStanding::kAhead);
  EXPECT_EQ(standing("0-1-5,1-1-2", "0-1-6,1-1-1"), GtidStanding::kDiverged);
  EXPECT_EQ(standing("0-1-5,1-1-2", "0-1-6"), GtidStanding::kDiverged);
  EXPECT_EQ(standing("0-1-5,1-1-2", "0-1-5"), GtidStanding::kAhead);
  EXPECT_FALSE(position("0-1-5").has_everything_up_to(position("0-2-5")));
  EXPECT_TRUE(position("0-1-5,1-1-1").has_everything_up_to(position("0-2-4")));
}

TEST(MariadbBinlogState, Text) {
  EXPECT_EQ(state("").text(), "");
  EXPECT_TRUE(state("").empty());
  EXPECT_EQ(state("0-1-5,0-2-3").text(), "0-2-3,0-1-5");
  EXPECT_EQ(state("0-1-5,0-2-3"), state("0-2-3,0-1-5"));
  EXPECT_NE(state("0-1-5,0-2-3"), state("0-2-3,0-1-6"));
  EXPECT_EQ(state("1-1-1,0-2-9,5-3-3,0-1-15,1-2-7").text(), "0-2-9,0-1-15,1-1-1,1-2-7,5-3-3");
  const Result<MariadbBinlogState> twice = MariadbBinlogState::parse("0-1-5,1-1-5,0-1-7");
  ASSERT_FALSE(twice.ok());
  EXPECT_THAT(twice.error().message,
              HasSubstr("binary log state names server 1 twice in domain 0"));
}

TEST(MariadbBinlogState, KnowsWhoWroteWhat) {
  const MariadbBinlogState log = state("0-1-100,0-2-105");
  EXPECT_TRUE(log.has({0, 1, 100}));
  EXPECT_TRUE(log.has({0, 1, 7}));
  EXPECT_FALSE(log.has({0, 1, 101}));
  EXPECT_FALSE(log.has({0, 3, 1}));
  EXPECT_FALSE(log.has({1, 1, 1}));
  // 0-1-103 is lower than 0-2-105, but was never here: somebody wrote on the former master.
  EXPECT_TRUE(position("0-2-105").has_everything_up_to(position("0-1-103")));
  EXPECT_FALSE(log.has_everything_up_to(position("0-1-103")));
  EXPECT_TRUE(log.has_everything_up_to(position("0-2-105")));
  EXPECT_EQ(log.standing_beside(state("0-1-103")), GtidStanding::kDiverged);
  EXPECT_EQ(log.standing_beside(state("0-1-100")), GtidStanding::kAhead);
  EXPECT_EQ(state("0-1-100").standing_beside(log), GtidStanding::kBehind);
  EXPECT_EQ(log.standing_beside(log), GtidStanding::kEqual);
}

// A log that keeps every transaction; numbers ascend over the domain, as servers give them.
struct ModelLog {
  std::vector<MariadbGtid> written;

  void write(std::uint32_t domain, std::uint32_t server) {
    std::uint64_t seqno = 1;
    for (const MariadbGtid& gtid : written) {
      if (gtid.domain == domain) seqno = gtid.seqno + 1;
    }
    written.push_back({domain, server, seqno});
  }
  [[nodiscard]] bool has_all_of(const ModelLog& other) const {
    return std::ranges::all_of(other.written, [this](const MariadbGtid& gtid) {
      return std::ranges::find(written, gtid) != written.end();
    });
  }
  // gtid_binlog_pos: the last of each domain.
  [[nodiscard]] std::string position() const {
    std::map<std::uint32_t, std::string> last;
    for (const MariadbGtid& gtid : written) last[gtid.domain] = gtid.text();
    std::string text;
    for (const auto& [domain, gtid] : last) text += (text.empty() ? "" : ",") + gtid;
    return text;
  }
  // gtid_binlog_state: the last of each server in a domain.
  [[nodiscard]] std::string state() const {
    std::string text;
    for (std::size_t at = 0; at < written.size(); ++at) {
      const bool is_last = std::none_of(written.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                                        written.end(), [&](const MariadbGtid& later) {
                                          return later.domain == written[at].domain &&
                                                 later.server == written[at].server;
                                        });
      if (is_last) text += (text.empty() ? "" : ",") + written[at].text();
    }
    return text;
  }
};

TEST(MariadbGtidProperties, AsTheModelOfSingleTransactions) {
  std::mt19937 random{20240301};  // NOLINT: the same logs in every run
  std::map<GtidStanding, int> seen;
  for (int round = 0; round < 5000; ++round) {
    // A common history; then each goes on by itself, with servers of its own: no number is given
    // twice for one server of a domain.
    ModelLog one;
    for (std::size_t count = random() % 6; count > 0; --count) {
      one.write(random() % 2, 1 + random() % 2);
    }
    ModelLog two = one;
    for (std::size_t count = random() % 3; count > 0; --count) one.write(random() % 2, 3);
    for (std::size_t count = random() % 3; count > 0; --count) two.write(random() % 2, 4);

    const MariadbBinlogState left = state(one.state());
    const MariadbBinlogState right = state(two.state());
    SCOPED_TRACE(one.state() + " and " + two.state());
    GtidStanding expected = GtidStanding::kDiverged;
    if (one.has_all_of(two)) expected = GtidStanding::kAhead;
    if (two.has_all_of(one)) expected = GtidStanding::kBehind;
    if (one.has_all_of(two) && two.has_all_of(one)) expected = GtidStanding::kEqual;
    ASSERT_EQ(left.standing_beside(right), expected);
    const MariadbGtidPosition end_of_two = position(two.position());
    ASSERT_EQ(left.has_everything_up_to(end_of_two), one.has_all_of(two));
    ASSERT_EQ(state(left.text()), left);
    ASSERT_EQ(end_of_two.text(), two.position());
    for (const MariadbGtid& gtid : one.written) ASSERT_TRUE(left.has(gtid));
    // Positions alone find every order that the logs have; what they cannot know is divergence.
    if (expected != GtidStanding::kDiverged) {
      ASSERT_EQ(position(one.position()).standing_beside(end_of_two), expected);
    }
    ++seen[expected];
  }
  for (const auto& [standing, count] : seen) EXPECT_GT(count, 200) << to_string(standing);
  EXPECT_EQ(seen.size(), 4U);
}

}  // namespace
}  // namespace mha
