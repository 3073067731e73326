// What arrives of one HTTP answer, collected under a cap, and whether it is whole.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "ports/http_client.h"

namespace mha {

inline constexpr std::size_t kLargestAnswer = std::size_t{16} * 1024 * 1024;

// Fed in the order of arrival. Interim answers (1xx) give way to the one after them.
class Answer {
 public:
  Answer() = default;
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;
  // What was not taken is wiped: answers hold tokens and keys.
  ~Answer();

  // One line, with or without its line end; the status line and the empty one at the end as well.
  // False where the answer is more than kLargestAnswer now.
  bool take_header(std::string_view line);
  bool take_body(std::string_view part);

  [[nodiscard]] bool too_large() const { return too_large_; }
  // Anything at all.
  [[nodiscard]] bool begun() const { return size_ > 0; }
  // The empty line after the headers of a final answer was there. Without it a status is not one:
  // curl itself takes a connection that ends among the headers for the end of the answer.
  [[nodiscard]] bool headers_whole() const { return headers_whole_; }
  // Neither length nor chunks: it ends where the connection ends, for whatever reason.
  [[nodiscard]] bool ends_with_connection() const;

  // Once.
  HttpResponse take();

 private:
  bool count(std::size_t size);

  HttpResponse response_;
  std::size_t size_ = 0;  // of all that has come
  bool headers_whole_ = false;
  bool too_large_ = false;
};

}  // namespace mha
