// What a check has found wrong, all of it in one error.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/status.h"

namespace mha {

class Problems {
 public:
  // The first one's code is the whole's.
  void add(Error error) {
    if (!all_.has_value()) {
      all_ = std::move(error);
    } else {
      all_->message += "; " + error.message;
    }
  }
  void add(const Status& status) {
    if (!status.ok()) add(status.error());
  }

  [[nodiscard]] bool empty() const { return !all_.has_value(); }
  [[nodiscard]] Status status() const { return empty() ? Status{} : Status{*all_}; }

 private:
  std::optional<Error> all_;
};

}  // namespace mha
