// A part of a test as a process of its own that is killed at a request of its.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "component/fault_proxy.h"
#include "component/real_clock.h"

namespace mha {

// `program` runs in a forked process until the proxy has its request number `done` + 1, which it
// never passes on, and is killed then; or ends by itself before. To be called while no other thread
// runs.
inline void run_until_killed_at(FaultProxy& proxy, int done, const std::function<void()>& program) {
  RealClock clock;
  const Deadline deadline = clock.deadline_after(Milliseconds{20000});
  proxy.clear();
  proxy.take_count();
  proxy.add_fault({CloudFault::kHang, 0, done});
  const pid_t child = fork();
  if (child == 0) {
    program();
    _exit(0);
  }
  bool ended = false;
  while (!ended && proxy.count() <= done && !clock.passed(deadline)) {
    ended = waitpid(child, nullptr, WNOHANG) == child;
    clock.sleep_for(Milliseconds{2});
  }
  EXPECT_TRUE(ended || proxy.count() > done) << "neither ended nor asked";
  if (!ended) {
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  proxy.clear();
  proxy.take_count();
}

}  // namespace mha
