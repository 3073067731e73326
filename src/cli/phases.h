// Draws the phases of an operation on a terminal: one line each, the running one with its time.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/status.h"

namespace mha {

// Only the line of the running phase is ever drawn again. Control characters in what servers say do
// not reach the terminal. Not thread-safe.
class Phases {
 public:
  // `write` takes bytes for the terminal; a line that is drawn again is cut to `columns`.
  Phases(std::function<void(std::string_view)> write, std::size_t columns);

  void begin(std::string what, TimePoint at);
  // Of the running one; without one nothing is drawn.
  void end(const Status& how, TimePoint at);
  // The running one's time.
  void tick(TimePoint now);
  [[nodiscard]] bool running() const { return began_.has_value(); }
  // A line above the running one.
  void line(std::string_view text);

 private:
  void draw_running(TimePoint now);

  std::function<void(std::string_view)> write_;
  std::size_t columns_;
  std::string what_;
  std::optional<TimePoint> began_;  // nullopt: none runs
  TimePoint drawn_at_{};
};

// `text` without control characters, as a terminal may be given it.
std::string for_terminal(std::string_view text);

// "0.012 s", "12.3 s", "3 min 20 s": three digits count, and no more.
std::string elapsed_text(TimePoint::duration elapsed);

}  // namespace mha
