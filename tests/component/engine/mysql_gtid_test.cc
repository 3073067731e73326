// MySQL's GTID sets against the server's own functions, on random sets and on every odd form.
#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "engine/mysql_gtid_set.h"
#include "server_test.h"

namespace mha {
namespace {

const std::string kA = "0e11fa47-71ca-11e1-9e33-c80aa9429562";
const std::string kB = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
constexpr const char* kMalformed = "NULL or error 1772";  // ER_MALFORMED_GTID_SET_SPECIFICATION

enum class Tags { kNo, kYes };

class MysqlGtidServerTest : public ServerTest {
 protected:
  // MySQL knows tags since 8.3.
  [[nodiscard]] static Tags tags() { return GetParam() == "mysql-5.6" ? Tags::kNo : Tags::kYes; }

  // A set in any form that the server takes; up to three UUIDs whose intervals meet.
  std::string random_set() {
    static const std::array<std::string, 3> kUuids{kA, kB, "ffffffff-ffff-ffff-ffff-ffffffffffff"};
    static const std::array<std::string, 5> kSpaces{"", "", " ", "\n", "\t"};
    const auto space = [this] { return kSpaces.at(up_to(4)); };
    std::string text;
    for (std::size_t part = up_to(3); part > 0; --part) {
      std::string uuid = kUuids.at(up_to(2));
      if (up_to(3) == 0)
        std::ranges::transform(uuid, uuid.begin(), [](char c) {
          return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
        });
      text += space() + (text.empty() ? "" : ",") + space() + uuid + space();
      for (std::size_t piece = 1 + up_to(4); piece > 0; --piece) {
        if (tags() == Tags::kYes && up_to(3) == 0) {
          text += ":" + space() + (up_to(1) == 0 ? "a_Tag" : "tag2") + space();
        }
        // Now and then at the upper end.
        const std::uint64_t base = up_to(9) == 0 ? kMaxGno - 40 : 0;
        const std::uint64_t first = base + 1 + up_to(20);
        text += ":" + space() + std::to_string(first) + space();
        if (up_to(1) == 0) text += "-" + space() + std::to_string(first - 1 + up_to(15)) + space();
      }
    }
    return text;
  }
  std::size_t up_to(std::size_t most) { return random_() % (most + 1); }

  // GTID_SUBTRACT of nothing is the server's normal form.
  std::string normal(const std::string& text) {
    return ask("SELECT GTID_SUBTRACT(" + quoted(text) + ", '')");
  }

  std::mt19937 random_{20240302};  // NOLINT: the same sets in every run
};

TEST_P(MysqlGtidServerTest, ComputesAsTheServer) {
  int contained = 0;
  for (int round = 0; round < 1000; ++round) {
    const std::string left = random_set();
    const std::string right = random_set();
    SCOPED_TRACE("'" + left + "' and '" + right + "'");
    const Result<MysqlGtidSet> one = MysqlGtidSet::parse(left);
    const Result<MysqlGtidSet> two = MysqlGtidSet::parse(right);
    ASSERT_TRUE(one.ok()) << one.error().message;
    ASSERT_TRUE(two.ok()) << two.error().message;
    const std::string pair = "(" + quoted(left) + ", " + quoted(right) + ")";
    const std::string subset = ask("SELECT GTID_SUBSET" + pair);
    ASSERT_EQ(one.value().text(), normal(left));
    ASSERT_EQ(two.value().contains(one.value()) ? "1" : "0", subset);
    ASSERT_EQ(difference_of(one.value(), two.value()).text(), ask("SELECT GTID_SUBTRACT" + pair));
    // The server has no function for these two: a comma joins sets, and what is in both is what is
    // left without what is in the first alone.
    ASSERT_EQ(union_of(one.value(), two.value()).text(), normal(left + "," + right));
    ASSERT_EQ(intersection_of(one.value(), two.value()).text(),
              ask("SELECT GTID_SUBTRACT(" + quoted(left) + ", GTID_SUBTRACT" + pair + ")"));
    contained += subset == "1" ? 1 : 0;
  }
  EXPECT_GT(contained, 50);
  EXPECT_LT(contained, 950);
}

TEST_P(MysqlGtidServerTest, TakesWhatWePrint) {
  for (int round = 0; round < 200; ++round) {
    const Result<MysqlGtidSet> set = MysqlGtidSet::parse(random_set());
    ASSERT_TRUE(set.ok()) << set.error().message;
    ASSERT_EQ(normal(set.value().text()), set.value().text());
    ASSERT_EQ(normal(set.value().one_line()), set.value().text());
  }
}

// The parser is 9.7's: 5.6 reads numbers as strtoll does.
class NewestMysqlGtidServerTest : public MysqlGtidServerTest {};

// Random damage: what 9.7 takes we take, with the same meaning, and what it refuses we refuse.
TEST_P(NewestMysqlGtidServerTest, TakesAndRefusesAsTheNewestServer) {
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text = random_set();
    for (std::size_t change = 1 + up_to(1); change > 0 && !text.empty(); --change) {
      const std::size_t at = up_to(text.size() - 1);
      switch (up_to(2)) {
        case 0:
          text[at] = static_cast<char>(1 + up_to(126));
          break;
        case 1:
          text.erase(at, 1);
          break;
        default:
          text.insert(at, 1, ":-,{}90 a_\n"[up_to(10)]);
      }
    }
    const std::string server = normal(text);
    const Result<MysqlGtidSet> set = MysqlGtidSet::parse(text);
    ASSERT_EQ(set.ok() ? set.value().text() : kMalformed, server) << "'" << text << "'";
    refused += set.ok() ? 0 : 1;
  }
  EXPECT_GT(refused, 500);
  EXPECT_LT(refused, 2900);
}

TEST_P(MysqlGtidServerTest, ReadsWhatTheServerExecuted) {
  const auto executed = [this] { return ask("SELECT @@GLOBAL.gtid_executed"); };
  const Result<MysqlGtidSet> before = MysqlGtidSet::parse(executed());
  ASSERT_TRUE(before.ok()) << before.error().message;
  ASSERT_EQ(before.value().text(), executed());
  ASSERT_TRUE(client_.execute("INSERT INTO shop.orders VALUES (100, 1)"));
  ASSERT_TRUE(client_.execute("DELETE FROM shop.orders WHERE id = 100"));
  const Result<MysqlGtidSet> after = MysqlGtidSet::parse(executed());
  ASSERT_TRUE(after.ok()) << after.error().message;
  EXPECT_EQ(difference_of(after.value(), before.value()).count(), 2U);
  EXPECT_TRUE(after.value().contains(before.value()));
  EXPECT_EQ(after.value().text(), executed());
}

INSTANTIATE_TEST_SUITE_P(, MysqlGtidServerTest, testing::Values("mysql-9.7", "mysql-5.6"),
                         server_name);

INSTANTIATE_TEST_SUITE_P(, NewestMysqlGtidServerTest, testing::Values("mysql-9.7"), server_name);

}  // namespace
}  // namespace mha
