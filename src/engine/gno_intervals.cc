// Two ascending lists walked side by side.
#include "engine/gno_intervals.h"

#include <algorithm>
#include <iterator>

namespace mha {
namespace {

bool begins_before(const GnoInterval& one, const GnoInterval& two) { return one.first < two.first; }

// Joins what overlaps or touches in a list that is sorted by its intervals' beginnings.
void join(std::vector<GnoInterval>& sorted) {
  if (sorted.empty()) return;
  std::size_t end = 0;
  for (std::size_t next = 1; next < sorted.size(); ++next) {
    if (sorted[next].first <= sorted[end].last + 1) {
      sorted[end].last = std::max(sorted[end].last, sorted[next].last);
    } else {
      sorted[++end] = sorted[next];
    }
  }
  sorted.resize(end + 1);
}

}  // namespace

GnoIntervals::GnoIntervals(std::vector<GnoInterval> intervals) : list_(std::move(intervals)) {
  std::ranges::sort(list_, begins_before);
  join(list_);
}

std::uint64_t GnoIntervals::count() const {
  std::uint64_t count = 0;
  for (const GnoInterval& interval : list_) count += interval.last - interval.first + 1;
  return count;
}

bool GnoIntervals::contains(const GnoIntervals& other) const {
  // Intervals of ours do not touch, so each of theirs must lie within a single one.
  auto ours = list_.begin();
  for (const GnoInterval& theirs : other.list_) {
    while (ours != list_.end() && ours->last < theirs.last) ++ours;
    if (ours == list_.end() || ours->first > theirs.first) return false;
  }
  return true;
}

GnoIntervals union_of(const GnoIntervals& one, const GnoIntervals& two) {
  GnoIntervals result;
  result.list_.reserve(one.list_.size() + two.list_.size());
  std::ranges::merge(one.list_, two.list_, std::back_inserter(result.list_), begins_before);
  join(result.list_);
  return result;
}

GnoIntervals difference_of(const GnoIntervals& from, const GnoIntervals& what) {
  GnoIntervals result;
  auto hole = what.list_.begin();
  for (const GnoInterval& interval : from.list_) {
    std::uint64_t first = interval.first;
    while (hole != what.list_.end() && hole->last < first) ++hole;
    // The last hole may reach into the next interval: it is looked at again there.
    for (auto cut = hole; cut != what.list_.end() && cut->first <= interval.last; ++cut) {
      if (cut->first > first) result.list_.push_back({first, cut->first - 1});
      first = cut->last + 1;
      hole = cut;
    }
    if (first <= interval.last) result.list_.push_back({first, interval.last});
  }
  return result;
}

GnoIntervals intersection_of(const GnoIntervals& one, const GnoIntervals& two) {
  GnoIntervals result;
  auto left = one.list_.begin();
  auto right = two.list_.begin();
  while (left != one.list_.end() && right != two.list_.end()) {
    const std::uint64_t first = std::max(left->first, right->first);
    const std::uint64_t last = std::min(left->last, right->last);
    if (first <= last) result.list_.push_back({first, last});
    if (left->last < right->last) {
      ++left;
    } else {
      ++right;
    }
  }
  return result;
}

}  // namespace mha
