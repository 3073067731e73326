// Wiping and moving of secrets.
#include "base/secret.h"

#include <cstring>
#include <utility>

namespace mha {

void wipe(char* data, std::size_t size) { explicit_bzero(data, size); }

Secret::Secret(std::string value) : value_(value) {
  // The caller's copy was moved or copied into `value`; this one ends here.
  wipe(value.data(), value.size());
}

Secret::Secret(const Secret& other) = default;

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    clear();
    value_ = other.value_;
  }
  return *this;
}

// A moved short string leaves its characters in the old object, so: copy, then wipe the source.
Secret::Secret(Secret&& other) noexcept : value_(other.value_) { other.clear(); }

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    clear();
    value_ = other.value_;
    other.clear();
  }
  return *this;
}

Secret::~Secret() { clear(); }

void Secret::clear() {
  wipe(value_.data(), value_.size());
  value_.clear();
}

}  // namespace mha
