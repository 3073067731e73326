// Scripts of MHA's configuration that end as a test says.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "ports/clock.h"
#include "ports/script.h"

namespace mha {

// Records the commands. Thread-safe.
class FakeScripts : public ScriptRunner {
 public:
  explicit FakeScripts(Clock& clock) : clock_(clock) {}

  // What each later script ends with.
  void set_answer(Result<int> answer) {
    const std::lock_guard lock{mutex_};
    answer_ = std::move(answer);
  }
  // The same for commands with `part` in them: `does` is what they do and end with.
  void on(std::string part, std::function<Result<int>()> does) {
    const std::lock_guard lock{mutex_};
    scripts_.emplace_back(std::move(part), std::move(does));
  }
  // They do not end: each costs its deadline.
  void hang() {
    const std::lock_guard lock{mutex_};
    hangs_ = true;
  }
  [[nodiscard]] std::vector<std::string> commands() const {
    const std::lock_guard lock{mutex_};
    return commands_;
  }

  Result<int> run(const Secret& command, Deadline deadline) override {
    const std::lock_guard lock{mutex_};
    commands_.push_back(command.reveal());
    if (!hangs_ && !clock_.passed(deadline)) {
      for (const auto& [part, does] : scripts_) {
        if (command.reveal().find(part) != std::string::npos) return does();
      }
      return answer_;
    }
    clock_.sleep_until(deadline.at());
    return Error{Code::kTimeout, "the script did not end in time"};
  }

 private:
  Clock& clock_;
  mutable std::mutex mutex_;
  Result<int> answer_{0};
  std::vector<std::pair<std::string, std::function<Result<int>()>>> scripts_;
  bool hangs_ = false;
  std::vector<std::string> commands_;
};

}  // namespace mha
