// A thread that does one job after another for a caller who waits no longer than he likes.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "base/deadline.h"

namespace mha {

// Not thread-safe: one caller. Signals are blocked on the thread, so that they reach the program's
// own threads, and a write to a broken connection is an error instead of SIGPIPE.
class Worker {
 public:
  // `at_end` runs on the thread after the last job. Throws std::system_error where no thread can be
  // had.
  explicit Worker(std::function<void()> at_end);
  // stop(), without waiting.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Whether `job` has ended within `limit`. Where not, it goes on and may outlive this object, so a
  // job owns all that it touches, as does `at_end`; until idle() no other job may be given.
  [[nodiscard]] bool run(std::function<void()> job, Milliseconds limit);

  [[nodiscard]] bool idle() const;

  // The last call: the thread ends after the job that it has. Where that takes longer than `limit`,
  // it is left to itself.
  void stop(Milliseconds limit);

 private:
  struct State;
  static void serve(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace mha
