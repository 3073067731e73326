// A password: cannot be formatted or streamed, and its memory is wiped when it goes.
#pragma once

#include <string>
#include <string_view>

namespace mha {

// Overwrites `size` bytes in a way that the compiler does not drop.
void wipe(char* data, std::size_t size);

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value);
  Secret(const Secret& other);
  Secret& operator=(const Secret& other);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  [[nodiscard]] bool empty() const { return value_.empty(); }
  // The only way to read it, and easy to find: for handing to a client library, never to a text.
  [[nodiscard]] const std::string& reveal() const { return value_; }

 private:
  void clear();

  std::string value_;
};

}  // namespace mha
