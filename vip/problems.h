// What a check has found wrong, all of it in one error.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"

namespace mha {

// What is wrong before the night it is needed. The code is the gravest one's.
class Problems {
 public:
  void add(Code code, std::string message);
  void add(const Error& error) { add(error.code, error.message); }
  // Nothing where it is ok.
  void add(const Status& status);
  [[nodiscard]] bool empty() const { return messages_.empty(); }
  // Ok, or one error with all of them.
  [[nodiscard]] Status status() const;

 private:
  Code code_ = Code::kRefused;
  std::vector<std::string> messages_;
};

}  // namespace mha
