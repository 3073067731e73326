// What the component tests of SSH have in common.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "component/real_clock.h"
#include "component/ssh/test_sshd.h"
#include "fakes/fake_log.h"
#include "ssh/libssh_shell.h"

namespace mha {

class SshTestBase : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!sshd_is_installed()) cannot_run("sshd is not installed: tests/install-packages test");
  }

  // A loud skip on a laptop, a failure in CI. The test is to return then.
  static void cannot_run(const char* why) {
    const char* ci = std::getenv("CI");
    if (ci != nullptr && std::string_view{ci} == "true") FAIL() << why;
    GTEST_SKIP() << why;
  }

  Deadline in(int ms) const { return clock_.deadline_after(Milliseconds{ms}); }

  Result<std::unique_ptr<RemoteShell>> connect(const SshTarget& target, const SshClientFiles& files,
                                               int ms = 10000) {
    LibsshConnector connector{clock_, log_, files};
    return connector.connect(target, in(ms));
  }

  // Of what `call` does.
  template <typename Call>
  Milliseconds time_of(Call call) const {
    const TimePoint start = clock_.now();
    call();
    return std::chrono::duration_cast<Milliseconds>(clock_.now() - start);
  }

  RealClock clock_;
  FakeLog log_;
};

// Tests that share one sshd.
class SharedSshdTest : public SshTestBase {
 protected:
  static void SetUpTestSuite() {
    if (sshd_is_installed()) sshd_ = std::make_unique<TestSshd>();
  }
  static void TearDownTestSuite() { sshd_.reset(); }

  // What a command prints on a new session; the error's text where there is none.
  std::string output_of(const std::string& command, const SshTarget& target,
                        const SshClientFiles& files) {
    Result<std::unique_ptr<RemoteShell>> shell = connect(target, files);
    if (!shell.ok()) return shell.error().message;
    const Result<CommandOutput> output = shell.value()->run(command, in(5000));
    return output.ok() ? output.value().out : output.error().message;
  }
  std::string hello(const SshTarget& target, const SshClientFiles& files) {
    return output_of("echo hello", target, files);
  }

  static inline std::unique_ptr<TestSshd> sshd_;
};

// The error of a result that must be one.
template <typename T>
Error error_of(const Result<T>& result) {
  if (!result.ok()) return result.error();
  ADD_FAILURE() << "no error";
  return Error{Code::kInternal, "no error"};
}

// At the deadline and not much after it; the sanitizers take their time.
inline void expect_at_deadline(Milliseconds taken, int deadline_ms) {
  EXPECT_GE(taken.count(), deadline_ms - 1);
  EXPECT_LE(taken.count(), deadline_ms + 300);
}

}  // namespace mha
