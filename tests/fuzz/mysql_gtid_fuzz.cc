// MySQL's GTID sets: two of them, and the laws of sets.
#include "engine/mysql_gtid_set.h"
#include "fuzz/fuzz.h"

namespace mha::fuzz {
namespace {

void check_round_trip(const MysqlGtidSet& set) {
  for (const std::string& text : {set.text(), set.one_line()}) {
    const Result<MysqlGtidSet> again = MysqlGtidSet::parse(text);
    must(again.ok() && again.value() == set, "a set's text is that set");
  }
  must_be_one_line(set.one_line());
  must(set.empty() == (set.count() == 0U), "an empty set has no transactions");
  must(set.contains(set), "a set contains itself");
}

void check_algebra(const MysqlGtidSet& a, const MysqlGtidSet& b) {
  const MysqlGtidSet both = union_of(a, b);
  const MysqlGtidSet common = intersection_of(a, b);
  const MysqlGtidSet only_a = difference_of(a, b);
  for (const MysqlGtidSet& set : {both, common, only_a}) check_round_trip(set);
  must(both == union_of(b, a), "a union has no order");
  must(common == intersection_of(b, a), "an intersection has no order");
  must(both.contains(a) && both.contains(b), "a union has both");
  must(a.contains(common) && b.contains(common), "both have what is common");
  must(intersection_of(only_a, b).empty(), "a difference has nothing of what was taken");
  must(union_of(only_a, common) == a, "a difference and what is common are the whole");
  must(union_of(only_a, b) == both, "a difference and what was taken are the union");
  must(a.contains(b) == difference_of(b, a).empty(), "who has all lacks nothing");
  if (both.count().has_value() && a.count().has_value() && b.count().has_value()) {
    must(*both.count() - *b.count() == *only_a.count(), "counts add up");
    must(*a.count() - *only_a.count() == *common.count(), "counts add up");
  }
}

}  // namespace

void try_input(std::string_view input) {
  const std::vector<std::string> parts = parts_of(input, 2);
  const Result<MysqlGtidSet> a = MysqlGtidSet::parse(parts[0]);
  const Result<MysqlGtidSet> b = MysqlGtidSet::parse(parts[1]);
  if (!a.ok()) must_be_one_line(a.error().message);
  if (a.ok()) check_round_trip(a.value());
  if (a.ok() && b.ok()) check_algebra(a.value(), b.value());
}

}  // namespace mha::fuzz
