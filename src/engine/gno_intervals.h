// A set of transaction numbers, kept as intervals: its cost is that of the gaps, not of the
// numbers.
#pragma once

#include <cstdint>
#include <vector>

namespace mha {

// The highest number of a MySQL transaction: GNO_END - 1 of MySQL's sql/rpl_gtid.h.
inline constexpr std::uint64_t kMaxGno = 9223372036854775806U;

// first to last, both included; 1 <= first <= last <= kMaxGno.
struct GnoInterval {
  std::uint64_t first;
  std::uint64_t last;
  bool operator==(const GnoInterval&) const = default;
};

class GnoIntervals {
 public:
  GnoIntervals() = default;
  // In any order; they may overlap.
  explicit GnoIntervals(std::vector<GnoInterval> intervals);

  // Ascending, with at least one number missing between two of them.
  [[nodiscard]] const std::vector<GnoInterval>& list() const { return list_; }
  [[nodiscard]] bool empty() const { return list_.empty(); }
  // How many numbers; at most kMaxGno.
  [[nodiscard]] std::uint64_t count() const;
  // Whether all numbers of `other` are here.
  [[nodiscard]] bool contains(const GnoIntervals& other) const;

  bool operator==(const GnoIntervals&) const = default;

  // All in time linear in the intervals of both.
  friend GnoIntervals union_of(const GnoIntervals& one, const GnoIntervals& two);
  // What is in `from` and not in `what`.
  friend GnoIntervals difference_of(const GnoIntervals& from, const GnoIntervals& what);
  friend GnoIntervals intersection_of(const GnoIntervals& one, const GnoIntervals& two);

 private:
  std::vector<GnoInterval> list_;
};

}  // namespace mha
