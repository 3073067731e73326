// A test bed that is started once for a whole test program.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <string>

namespace mha {

// nullptr where it cannot be had: said, and a failure of each test that asks where CI is set or we
// are root.
template <typename Bed>
Bed* only_bed() {
  static const std::unique_ptr<Bed> bed = []() -> std::unique_ptr<Bed> {
    try {
      return std::make_unique<Bed>();
    } catch (const std::exception& error) {
      std::cerr << error.what() << "\n";
      return nullptr;
    }
  }();
  if (bed == nullptr) {
    const char* ci = std::getenv("CI");
    const bool in_ci = ci != nullptr && std::string(ci) == "true";
    if (in_ci || geteuid() == 0) ADD_FAILURE() << "the test bed does not start";
  }
  return bed.get();
}

}  // namespace mha
