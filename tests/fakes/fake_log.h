// A log that keeps its lines.
#pragma once

#include <algorithm>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"

namespace mha {

// Thread-safe.
class FakeLog : public Log {
 public:
  struct Line {
    LogLevel level;
    std::string text;
  };

  void write(LogLevel level, std::string_view line) override {
    const std::lock_guard lock{mutex_};
    lines_.push_back({level, std::string{line}});
  }

  [[nodiscard]] std::vector<Line> lines() const {
    const std::lock_guard lock{mutex_};
    return lines_;
  }
  // Whether a line of that level has `part` in it.
  [[nodiscard]] bool has(LogLevel level, std::string_view part) const {
    const std::lock_guard lock{mutex_};
    return std::any_of(lines_.begin(), lines_.end(), [&](const Line& line) {
      return line.level == level && line.text.find(part) != std::string::npos;
    });
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Line> lines_;
};

}  // namespace mha
