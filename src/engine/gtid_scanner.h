// Reads the text of GTID sets and positions from left to right, and says where it stopped and why.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/status.h"

namespace mha {

// More than any server says in earnest: what is longer is refused before it costs memory.
inline constexpr std::size_t kMaxGtidText = std::size_t{16} * 1024 * 1024;

// The text must outlive it.
class GtidScanner {
 public:
  explicit GtidScanner(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() const { return next_ == text_.size(); }
  // NUL at the end.
  [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[next_]; }

  // Passes all of these characters that come next.
  void skip(std::string_view characters);
  // Passes `character` where it comes next.
  bool take(char character);
  // Passes the longest run of ASCII letters, digits and underscores, and gives it.
  std::string_view take_word();
  // Passes the next character; does nothing at the end.
  void pass_one() { next_ += at_end() ? 0 : 1; }
  // Passes decimal digits. Where there are none, or they mean more than `most`, nothing is passed.
  std::optional<std::uint64_t> take_number(std::uint64_t most);

  // kInternal: nobody sends such a text in earnest. "<what> is malformed at character N: wanted
  // <wanted>, found ...". Never more than one short line, whatever the text is.
  [[nodiscard]] Error error(std::string_view what, std::string_view wanted) const;
  // Whether the text is at most kMaxGtidText long.
  [[nodiscard]] Status check_size(std::string_view what) const;

 private:
  std::string_view text_;
  std::size_t next_ = 0;
};

}  // namespace mha
