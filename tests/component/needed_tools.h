// What a test does where a tool that it needs is missing.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace mha {

// Skips the running test, or fails it on a CI machine, where `missing` names something. For
// SetUp().
inline void skip_or_fail_without(const std::string& missing) {
  if (missing.empty()) return;
  const char* ci = std::getenv("CI");
  if (ci != nullptr && std::string{ci} == "true") FAIL() << missing << " is missing";
  GTEST_SKIP() << missing << " is missing: tests/install-packages installs it";
}

}  // namespace mha
