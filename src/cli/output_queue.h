// A thread that writes what the program tells, so that a terminal that was stopped (Ctrl-S) or a
// disk that hangs does not hold up a switch while clients wait.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "base/deadline.h"

namespace mha {

class OutputQueue {
 public:
  // `tick` runs in the same thread, about every `pause`, while there is nothing else to do.
  OutputQueue(Milliseconds pause, std::function<void()> tick);
  // Waits until all is written.
  ~OutputQueue();
  OutputQueue(const OutputQueue&) = delete;
  OutputQueue& operator=(const OutputQueue&) = delete;

  // Runs `job` in the queue's thread, after those posted before. Never waits. Thread-safe.
  void post(std::function<void()> job);
  // Waits until all that was posted before has run.
  void drain();

 private:
  void work();

  const Milliseconds pause_;
  const std::function<void()> tick_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  bool busy_ = false;
  bool ends_ = false;
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace mha
