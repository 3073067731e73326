// Lines, and going back to the beginning of one.
#include "cli/phases.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace mha {
namespace {

// To the first column, and everything behind it away (ECMA-48, EL).
constexpr std::string_view kWipe = "\r\033[K";

// The first `columns` bytes at most, and no broken UTF-8 at the end.
std::string cut(std::string text, std::size_t columns) {
  if (text.size() <= columns) return text;
  std::size_t end = columns;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  text.resize(end);
  return text;
}

std::string phase_line(std::string_view mark, TimePoint::duration elapsed, std::string_view what) {
  return fmt::format("{:<6} {:>9}  {}", mark, elapsed_text(elapsed), what);
}

}  // namespace

std::string for_terminal(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    safe += byte < 0x20U || byte == 0x7FU ? '?' : c;
  }
  return safe;
}

std::string elapsed_text(TimePoint::duration elapsed) {
  const double seconds = std::chrono::duration<double>(elapsed).count();
  if (seconds < 1) return fmt::format("{:.3f} s", seconds);
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(seconds);
  return fmt::format("{} min {} s", whole / 60, whole % 60);
}

Phases::Phases(std::function<void(std::string_view)> write, std::size_t columns)
    : write_(std::move(write)), columns_(std::max<std::size_t>(columns, 20)) {}

void Phases::begin(std::string what, TimePoint at) {
  what_ = for_terminal(what);
  began_ = at;
  draw_running(at);
}

void Phases::end(const Status& how, TimePoint at) {
  if (!began_.has_value()) return;
  std::string line = phase_line(how.ok() ? "ok" : "FAILED", at - *began_, what_);
  began_.reset();
  write_(fmt::format("{}{}\n", kWipe, line));
}

void Phases::tick(TimePoint now) {
  if (began_.has_value()) draw_running(now);
}

void Phases::line(std::string_view text) {
  write_(fmt::format("{}{}\n", kWipe, for_terminal(text)));
  if (began_.has_value()) draw_running(drawn_at_);
}

void Phases::draw_running(TimePoint now) {
  drawn_at_ = std::max(now, *began_);
  write_(
      fmt::format("{}{}", kWipe, cut(phase_line("...", drawn_at_ - *began_, what_), columns_ - 1)));
}

}  // namespace mha
