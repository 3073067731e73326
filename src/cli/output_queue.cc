// One thread, and what waits for it.
#include "cli/output_queue.h"

#include <utility>

namespace mha {

OutputQueue::OutputQueue(Milliseconds pause, std::function<void()> tick)
    : pause_(pause), tick_(std::move(tick)), thread_([this] { work(); }) {}

OutputQueue::~OutputQueue() {
  {
    const std::lock_guard lock{mutex_};
    ends_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void OutputQueue::post(std::function<void()> job) {
  {
    const std::lock_guard lock{mutex_};
    jobs_.push_back(std::move(job));
  }
  changed_.notify_all();
}

void OutputQueue::drain() {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return jobs_.empty() && !busy_; });
}

void OutputQueue::work() {
  std::unique_lock lock{mutex_};
  for (;;) {
    const auto has_work = [this] { return !jobs_.empty() || ends_; };
    std::function<void()> job = tick_;
    if (changed_.wait_for(lock, pause_, has_work)) {
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    busy_ = true;
    lock.unlock();
    if (job) job();
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace mha
