// Steps and journals that do as a test says and note what was asked of them.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/journal.h"
#include "core/step.h"

namespace mha {

// In the order in which they happen: "observe a", "apply a", "undo a", "journal step_begin a",
// "sync".
using Events = std::vector<std::string>;

// What each call answers, and what happens meanwhile.
struct StepScript {
  Status observe;
  Status apply;
  Status undo;
  std::function<void()> during_apply;
  std::function<void(Deadline)> during_undo;
  std::function<void(Deadline)> with_deadline = nullptr;  // of apply
  Pace pace = Pace::kPrompt;
};

class ScriptedStep : public Step {
 public:
  using Script = StepScript;

  ScriptedStep(std::string name, Events& events, Script script = {})
      : name_(std::move(name)), events_(events), script_(std::move(script)) {}

  [[nodiscard]] std::string kind() const override { return "kind_of_" + name_; }
  [[nodiscard]] nlohmann::json parameters() const override { return {{"host", name_}}; }
  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] std::string description() const override { return "do " + name_; }

  Result<nlohmann::json> observe(Deadline /*deadline*/) override {
    events_.push_back("observe " + name_);
    if (!script_.observe.ok()) return script_.observe.error();
    return nlohmann::json{{"was", "found by " + name_}};
  }
  Status apply(const nlohmann::json& found, Deadline deadline) override {
    events_.push_back("apply " + name_);
    if (found.value("was", "") != "found by " + name_) return Error{Code::kInternal, "wrong found"};
    if (script_.during_apply) script_.during_apply();
    if (script_.with_deadline) script_.with_deadline(deadline);
    return script_.apply;
  }
  Status undo(const nlohmann::json& found, Deadline deadline) override {
    events_.push_back("undo " + name_);
    if (found.value("was", "") != "found by " + name_) return Error{Code::kInternal, "wrong found"};
    if (script_.during_undo) script_.during_undo(deadline);
    return script_.undo;
  }
  [[nodiscard]] Pace pace() const override { return script_.pace; }
  [[nodiscard]] std::string undo_by_hand(const nlohmann::json& /*found*/) const override {
    return "mend-" + name_;
  }

 private:
  std::string name_;
  Events& events_;
  Script script_;
};

// Appends "journal EVENT STEP" and "sync"; fails as told.
class ScriptedJournal : public Journal {
 public:
  explicit ScriptedJournal(Events& events) : events_(events) {}

  Status append(nlohmann::json record) override {
    std::string text = "journal " + record.value("event", "");
    if (record.contains("step")) text += " " + record.value("step", "");
    if (!fail_on_.empty() && text.find(fail_on_) != std::string::npos) {
      return Error{Code::kInternal, "cannot write the journal"};
    }
    events_.push_back(text);
    records_.push_back(std::move(record));
    return {};
  }
  Status sync() override {
    if (fail_sync_) return Error{Code::kInternal, "cannot sync the journal"};
    events_.push_back("sync");
    return {};
  }

  // Records whose text contains `part` cannot be written.
  void fail_on(const std::string& part) { fail_on_ = part; }
  void fail_syncs() { fail_sync_ = true; }
  [[nodiscard]] const std::vector<nlohmann::json>& records() const { return records_; }

 private:
  Events& events_;
  std::string fail_on_;
  bool fail_sync_ = false;
  std::vector<nlohmann::json> records_;
};

}  // namespace mha
