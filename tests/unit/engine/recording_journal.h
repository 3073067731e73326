// A journal that a test can read.
#pragma once

#include <utility>
#include <vector>

#include "core/journal.h"

namespace mha {

class RecordingJournal : public Journal {
 public:
  Status append(nlohmann::json record) override {
    records.push_back(std::move(record));
    return {};
  }
  Status sync() override { return {}; }

  std::vector<nlohmann::json> records;
};

}  // namespace mha
