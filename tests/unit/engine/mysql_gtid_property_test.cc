// MySQL's GTID sets against a model that keeps every single transaction, on random sets of a fixed
// seed.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <random>
#include <set>
#include <string>
#include <tuple>

#include "engine/mysql_gtid_set.h"

namespace mha {
namespace {

constexpr std::array<const char*, 3> kUuids{"00000000-0000-0000-0000-000000000001",
                                            "00000000-0000-0000-0000-00000000000a",
                                            "f0000000-0000-0000-0000-000000000000"};
constexpr std::array<const char*, 3> kTags{"", "a_tag", "tag"};
constexpr int kMaxNumber = 24;  // small: intervals shall meet, touch and overlap

// (UUID, tag, number); as the indexes above are in the server's order, so is this.
using Model = std::set<std::tuple<std::size_t, std::size_t, int>>;

struct Sample {
  std::string text;
  Model model;
};

class Samples {
 public:
  Sample next() {
    Sample sample;
    for (int part = number_up_to(5); part > 0; --part) add_part(sample);
    return sample;
  }

 private:
  int number_up_to(int most) { return std::uniform_int_distribution<int>{0, most}(random_); }
  std::string space() {
    static constexpr std::array<const char*, 6> kSpaces{"", "", "", " ", "\n", "\t "};
    return kSpaces.at(static_cast<std::size_t>(number_up_to(5)));
  }

  // One UUID with some tags and intervals, in any order and form.
  void add_part(Sample& sample) {
    const auto uuid = static_cast<std::size_t>(number_up_to(2));
    std::size_t tag = 0;
    sample.text += space() + (sample.text.empty() ? "" : ",") + space() + kUuids.at(uuid) + space();
    for (int piece = number_up_to(5); piece > 0; --piece) {
      if (number_up_to(3) == 0) {
        tag = static_cast<std::size_t>(1 + number_up_to(1));
        sample.text += ":" + space() + kTags.at(tag) + space();
      }
      const int first = 1 + number_up_to(kMaxNumber - 1);
      // One less than `first` at the least: an interval without transactions.
      const int last = std::min(first - 1 + number_up_to(6), kMaxNumber);
      sample.text += ":" + space() + std::to_string(first) + space();
      if (last != first) sample.text += "-" + space() + std::to_string(last) + space();
      for (int number = first; number <= last; ++number) sample.model.insert({uuid, tag, number});
    }
  }

  std::mt19937 random_{20240229};  // NOLINT: the same sets in every run
};

// The normal form, built one transaction after the other.
std::string text_of(const Model& model) {
  std::string text;
  std::tuple<std::size_t, std::size_t, int> before{kUuids.size(), 0, 0};
  for (auto entry = model.begin(); entry != model.end();) {
    const auto [uuid, tag, first] = *entry;
    if (std::get<0>(before) != uuid) {
      text += (text.empty() ? "" : ",\n") + std::string{kUuids.at(uuid)};
      before = {uuid, 0, 0};
    }
    if (std::get<1>(before) != tag) text += std::string{":"} + kTags.at(tag);
    int last = first;
    for (++entry; entry != model.end() && *entry == std::tuple{uuid, tag, last + 1}; ++entry)
      ++last;
    text += ":" + std::to_string(first) + (last == first ? "" : "-" + std::to_string(last));
    before = {uuid, tag, last};
  }
  return text;
}

MysqlGtidSet parsed(const std::string& text) {
  const Result<MysqlGtidSet> set = MysqlGtidSet::parse(text);
  EXPECT_TRUE(set.ok()) << text << ": " << set.error().message;
  return set.ok() ? set.value() : MysqlGtidSet{};
}

TEST(MysqlGtidProperties, AsTheModelOfSingleTransactions) {
  Samples samples;
  int contained = 0;
  int apart = 0;
  for (int round = 0; round < 5000; ++round) {
    const Sample left = samples.next();
    const Sample right = samples.next();
    SCOPED_TRACE("'" + left.text + "' and '" + right.text + "'");
    const MysqlGtidSet one = parsed(left.text);
    const MysqlGtidSet two = parsed(right.text);
    Model both;
    Model either;
    Model rest;
    std::ranges::set_intersection(left.model, right.model, std::inserter(both, both.end()));
    std::ranges::set_union(left.model, right.model, std::inserter(either, either.end()));
    std::ranges::set_difference(left.model, right.model, std::inserter(rest, rest.end()));

    ASSERT_EQ(one.text(), text_of(left.model));
    ASSERT_EQ(parsed(one.text()), one);
    ASSERT_EQ(parsed(one.one_line()), one);
    ASSERT_EQ(one.count(), left.model.size());
    ASSERT_EQ(one.empty(), left.model.empty());
    ASSERT_EQ(union_of(one, two).text(), text_of(either));
    ASSERT_EQ(intersection_of(one, two).text(), text_of(both));
    ASSERT_EQ(difference_of(one, two).text(), text_of(rest));
    ASSERT_EQ(one.contains(two), std::ranges::includes(left.model, right.model));
    ASSERT_EQ(one == two, left.model == right.model);
    ASSERT_TRUE(union_of(one, two).contains(two));
    ASSERT_TRUE(one.contains(difference_of(one, two)));
    ASSERT_EQ(union_of(difference_of(one, two), intersection_of(one, two)), one);
    (one.contains(two) ? contained : apart) += 1;
  }
  // The samples must show both.
  EXPECT_GT(contained, 500);
  EXPECT_GT(apart, 500);
}

// A set is taken whole or not at all, whatever was broken in it; what is taken has a normal form.
TEST(MysqlGtidProperties, BrokenTextNeverBreaksUs) {
  Samples samples;
  std::mt19937 random{7};  // NOLINT: the same in every run
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = samples.next().text;
    for (int change = 0; change < 2 && !text.empty(); ++change) {
      const std::size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text.erase(at, 1);
          break;
        default:
          text.insert(at, 1, ":-,{}9 \n"[random() % 8]);
      }
    }
    const Result<MysqlGtidSet> set = MysqlGtidSet::parse(text);
    if (set.ok()) {
      ASSERT_EQ(parsed(set.value().text()), set.value()) << text;
    } else {
      ++refused;
      ASSERT_LT(set.error().message.size(), 200U);
      ASSERT_EQ(set.error().message.find('\n'), std::string::npos);
    }
  }
  EXPECT_GT(refused, 5000);
  EXPECT_LT(refused, 20000);
}

}  // namespace
}  // namespace mha
