// Collecting, and which code is the gravest.
#include "vip/problems.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <utility>

namespace mha {

void Problems::add(Code code, std::string message) {
  // Without an answer nothing else is sure, and permission is what takes longest to get.
  const bool graver = messages_.empty() || code == Code::kTimeout || code == Code::kUnreachable ||
                      (code == Code::kDenied && code_ == Code::kRefused);
  if (graver) code_ = code;
  messages_.push_back(std::move(message));
}

void Problems::add(const Status& status) {
  if (!status.ok()) add(status.error());
}

Status Problems::status() const {
  if (messages_.empty()) return {};
  return Error{code_, fmt::format("{}", fmt::join(messages_, "; "))};
}

}  // namespace mha
