// The worker's thread and its hand-over of jobs.
#include "mysql/worker.h"

#include <pthread.h>
#include <signal.h>

#include <condition_variable>
#include <mutex>
#include <utility>

namespace mha {

// Shared with the thread, which may outlive the worker.
struct Worker::State {
  std::mutex mutex;
  std::condition_variable changed;
  std::function<void()> job;  // empty: none waits or runs
  std::function<void()> at_end;
  bool stopping = false;
  bool ended = false;
};

Worker::Worker(std::function<void()> at_end) : state_(std::make_shared<State>()) {
  state_->at_end = std::move(at_end);
  // A thread starts with its maker's mask; set here, no signal can slip in before.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread{[state = state_] { serve(state); }};
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Worker::~Worker() { stop(Milliseconds{0}); }

bool Worker::run(std::function<void()> job, Milliseconds limit) {
  std::unique_lock lock{state_->mutex};
  state_->job = std::move(job);
  state_->changed.notify_all();
  return state_->changed.wait_for(lock, limit, [this] { return !state_->job; });
}

bool Worker::idle() const {
  const std::lock_guard lock{state_->mutex};
  return !state_->job;
}

void Worker::stop(Milliseconds limit) {
  if (!thread_.joinable()) return;
  std::unique_lock lock{state_->mutex};
  state_->stopping = true;
  state_->changed.notify_all();
  const bool ended = state_->changed.wait_for(lock, limit, [this] { return state_->ended; });
  lock.unlock();
  if (ended) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

void Worker::serve(const std::shared_ptr<State>& state) {
  std::unique_lock lock{state->mutex};
  while (true) {
    state->changed.wait(lock, [&] { return state->job || state->stopping; });
    if (!state->job) break;
    lock.unlock();
    state->job();
    lock.lock();
    state->job = nullptr;
    state->changed.notify_all();
  }
  lock.unlock();
  state->at_end();
  lock.lock();
  state->at_end = nullptr;
  state->ended = true;
  state->changed.notify_all();
}

}  // namespace mha
