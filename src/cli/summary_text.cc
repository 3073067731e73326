// Sentences.
#include "cli/summary_text.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>

namespace mha {
namespace {

// A person reads no more than this; the journal has all.
constexpr std::size_t kMostTransactions = 20;

std::string list_of(const std::vector<std::string>& transactions) {
  const std::size_t shown = std::min(transactions.size(), kMostTransactions);
  std::string text =
      fmt::format("{}", fmt::join(transactions.begin(),
                                  transactions.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (shown < transactions.size()) {
    text += fmt::format(" and {} more, which the journal lists", transactions.size() - shown);
  }
  return text;
}

std::string count_of(std::size_t number) {
  return fmt::format("{} transaction{}", number, number == 1 ? "" : "s");
}

std::string downtime_text(OperationKind kind, TimePoint::duration downtime) {
  const double ms = std::chrono::duration<double, std::milli>(downtime).count();
  if (kind == OperationKind::kSwitch) return fmt::format("clients waited for {:.1f} ms", ms);
  return fmt::format("clients could write {:.3f} s after this began", ms / 1000);
}

std::string who_is_master(OperationKind kind, const OperationSummary& summary,
                          const Outcome& outcome) {
  const bool taken_over = outcome.ending == Ending::kDone || outcome.ending == Ending::kIncomplete;
  if (taken_over) {
    return fmt::format("{} is the master now, instead of {}", summary.new_master,
                       summary.orig_master);
  }
  if (kind == OperationKind::kFailover) {
    return fmt::format("no new master has taken over from {}", summary.orig_master);
  }
  return fmt::format("{} was to become the master instead of {}, and did not", summary.new_master,
                     summary.orig_master);
}

}  // namespace

std::vector<std::string> summary_lines(OperationKind kind, const OperationSummary& summary,
                                       const Outcome& outcome) {
  std::vector<std::string> lines;
  if (!summary.orig_master.empty() && !summary.new_master.empty()) {
    lines.push_back(who_is_master(kind, summary, outcome));
    if (summary.downtime.has_value()) {
      lines.back() += "; " + downtime_text(kind, *summary.downtime);
    }
  }
  if (!summary.fence.empty()) {
    lines.push_back(fmt::format("the old master: {}", summary.fence));
  }
  if (!summary.salvaged.empty()) {
    lines.push_back(fmt::format("salvaged from the old master: {}: {}",
                                count_of(summary.salvaged.size()), list_of(summary.salvaged)));
  }
  if (!summary.lost.empty()) {
    lines.push_back(
        fmt::format("LOST: {}: {}", count_of(summary.lost.size()), list_of(summary.lost)));
  }
  if (!summary.saved_file.empty()) {
    lines.push_back(fmt::format("what no replica had is kept in {}", summary.saved_file));
  }
  if (!summary.journal.empty()) lines.push_back(fmt::format("journal: {}", summary.journal));
  return lines;
}

std::vector<std::string> left_to_do(const OperationSummary& summary, const Outcome& outcome) {
  std::vector<std::string> all = outcome.leftovers;
  for (const std::string& one : summary.leftovers) {
    if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
  }
  return all;
}

nlohmann::json result_json(const OperationSummary& summary, const Outcome& outcome) {
  nlohmann::json document = to_json(summary);
  document["exit_code"] = static_cast<int>(outcome.ending);
  document["leftovers"] = left_to_do(summary, outcome);
  if (outcome.headline.has_value()) document["error"] = outcome.headline->message;
  return document;
}

}  // namespace mha
