// What a call that can fail gives back: Status, or Result<T> with a value.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace mha {

// Few codes, chosen by what the caller would do about them.
enum class Code {
  kUsage,        // the command line is wrong
  kConfig,       // a configuration file is wrong
  kUnreachable,  // the peer could not be reached, or the connection broke
  kDenied,       // authentication or permission
  kTimeout,      // the deadline passed; what was asked may or may not have happened
  kRefused,      // the peer answered, and the answer is no (or the state forbids it)
  kInternal,     // a bug, or the local machine failed us
};

std::string_view to_string(Code code);

// An error for people: `message` is one line without a final full stop or newline.
struct Error {
  Code code;
  std::string message;

  // "<context>: <message>", same code.
  [[nodiscard]] Error with_context(std::string_view context) const;
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}  // NOLINT: implicit, so that errors return

  [[nodiscard]] bool ok() const { return !error_.has_value(); }
  // Only where !ok().
  [[nodiscard]] const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  // Only where ok().
  [[nodiscard]] T& value() & { return std::get<0>(state_); }
  [[nodiscard]] const T& value() const& { return std::get<0>(state_); }
  [[nodiscard]] T&& value() && { return std::get<0>(std::move(state_)); }
  // Only where !ok().
  [[nodiscard]] const Error& error() const { return std::get<1>(state_); }
  [[nodiscard]] Status status() const { return ok() ? Status{} : Status{error()}; }

 private:
  std::variant<T, Error> state_;
};

}  // namespace mha
