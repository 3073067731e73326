// Who watches an operation as it runs: for a terminal, a log, a test.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"

namespace mha {

// Called from the thread that runs the operation, in the order in which things happen, and never
// two at once. Clients wait meanwhile: none of these may block, and none of them can fail. What is
// not overridden is of no interest to the observer.
class PlanObserver {
 public:
  virtual ~PlanObserver() = default;

  // The journal of what begins now lies at `path`.
  virtual void operation_began(const std::string& /*journal_path*/) {}
  // What comes now, as sentences ("set read_only on the original master 'db1'"); several happen at
  // the same time. phase_ended() belongs to the last one begun.
  virtual void phase_began(const std::vector<std::string>& /*what*/) {}
  virtual void phase_ended(const Status& /*how*/) {}
  // From here clients wait; and from there they do not any more.
  virtual void clients_wait() {}
  virtual void clients_served() {}
  virtual void point_of_no_return_passed() {}
  // The operation failed: its steps are put back, the last one first.
  virtual void undo_began(const Error& /*why*/, std::size_t /*steps*/) {}
  virtual void step_undone(const std::string& /*step*/, const Status& /*how*/) {}
};

// A phase that ends with its scope: for looking, catching up, and all else that is no plan. Where
// end() was not called it ends as failed for a reason that is told elsewhere.
class Phase {
 public:
  // nullptr: nobody watches.
  Phase(PlanObserver* observer, std::string what) : observer_(observer) {
    if (observer_ != nullptr) observer_->phase_began({std::move(what)});
  }
  ~Phase() { end(Error{Code::kInternal, "not finished"}); }
  Phase(const Phase&) = delete;
  Phase& operator=(const Phase&) = delete;

  void end(const Status& how) {
    if (observer_ != nullptr) observer_->phase_ended(how);
    observer_ = nullptr;
  }

 private:
  PlanObserver* observer_;
};

}  // namespace mha
