// read_only on and off, each restoring what it found.
#include "core/steps_mysql.h"

#include <fmt/core.h>

#include <optional>
#include <utility>

namespace mha {
namespace {

using nlohmann::json;

json to_json(const ReadOnlyState& state) {
  json value{{"read_only", to_string(state.read_only)}};
  if (state.super_read_only.has_value()) value["super_read_only"] = *state.super_read_only;
  return value;
}

Result<ReadOnlyState> state_from_json(const json& value) {
  const auto read_only = read_only_from_string(value.value("read_only", ""));
  if (!read_only.has_value()) {
    return Error{Code::kInternal, "the journal does not say what read_only was"};
  }
  ReadOnlyState state{*read_only, std::nullopt};
  if (value.contains("super_read_only"))
    state.super_read_only = value["super_read_only"].get<bool>();
  return state;
}

// What the two steps have in common: they differ in the state that they want.
class ReadOnlyStep : public Step {
 public:
  ReadOnlyStep(Node& node, Log& log) : node_(node), log_(log) {}

  json parameters() const override {
    return json{{"host", node_.spec().host}, {"port", node_.spec().port}};
  }
  std::string name() const override {
    return fmt::format("{} {}:{}", kind(), node_.spec().host, node_.spec().port);
  }

  Result<json> observe(Deadline deadline) override {
    Result<MysqlServer*> server = node_.mysql(deadline);
    if (!server.ok()) return server.error();
    Result<ReadOnlyState> state = server.value()->read_only_state(deadline);
    if (!state.ok()) return state.error();
    return to_json(state.value());
  }

  Status undo(const json& found, Deadline deadline) override {
    Result<ReadOnlyState> state = state_from_json(found);
    if (!state.ok()) return state.error();
    return reach(state.value(), deadline);
  }

  std::string undo_by_hand(const json& found) const override {
    const Result<ReadOnlyState> state = state_from_json(found);
    if (!state.ok()) return "";
    // read_only=OFF clears super_read_only by itself, read_only=ON leaves it as it is.
    const std::optional<bool> super_read_only =
        state.value().blocks_writes() ? state.value().super_read_only : std::nullopt;
    return fmt::format("mysql -h {} -P {} -e 'SET GLOBAL read_only={}{}'", node_.spec().mysql.host,
                       node_.spec().port, to_string(state.value().read_only),
                       !super_read_only.has_value() ? ""
                       : *super_read_only           ? ", GLOBAL super_read_only=ON"
                                                    : ", GLOBAL super_read_only=OFF");
  }

 protected:
  Status reach(const ReadOnlyState& wanted, Deadline deadline) {
    Result<MysqlServer*> server = node_.mysql(deadline);
    if (!server.ok()) return server.error();
    const Status set =
        server.value()->set_read_only(wanted, node_.settings().lock_wait_timeout, deadline);
    if (set.ok() || set.error().code != Code::kRefused || !wanted.blocks_writes()) return set;
    return with_blockers(*server.value(), set.error(), deadline);
  }

  Node& node() { return node_; }
  [[nodiscard]] const Node& node() const { return node_; }
  Log& log() { return log_; }

 private:
  // A DBA can only do something about a lock whose holder is named.
  Error with_blockers(MysqlServer& server, const Error& error, Deadline deadline) {
    const Result<std::vector<WriteBlocker>> blockers = server.write_blockers(deadline);
    Error named = error;
    if (!blockers.ok() || blockers.value().empty()) return named;
    named.message += "; blocked by: ";
    for (std::size_t i = 0; i < blockers.value().size() && i < 5; ++i) {
      named.message += fmt::format("{}{}", i == 0 ? "" : "; ", blockers.value()[i].text);
    }
    if (blockers.value().size() > 5) {
      named.message += fmt::format("; and {} more", blockers.value().size() - 5);
    }
    return named;
  }

  Node& node_;
  Log& log_;
};

class EnsureReadOnly : public ReadOnlyStep {
 public:
  using ReadOnlyStep::ReadOnlyStep;

  std::string kind() const override { return "ensure_read_only"; }
  std::string description() const override {
    return fmt::format("set read_only on {}", node().title());
  }

  Status apply(const json& /*found*/, Deadline deadline) override {
    log().info("Setting read_only to '1' on {}", node().title());
    ReadOnlyState wanted{ReadOnly::kOn, std::nullopt};
    if (node().settings().super_read_only) wanted.super_read_only = true;
    const Status set = reach(wanted, deadline);
    if (set.ok()) return set;
    return set.error().with_context(fmt::format("setting read_only on {}", node().title()));
  }
};

class EnsureWritable : public ReadOnlyStep {
 public:
  using ReadOnlyStep::ReadOnlyStep;

  std::string kind() const override { return "ensure_writable"; }
  std::string description() const override {
    return fmt::format("set read_only off on {}", node().title());
  }

  Status apply(const json& /*found*/, Deadline deadline) override {
    log().info("Setting read_only to '0' on {}", node().title());
    const Status set = reach(ReadOnlyState{ReadOnly::kOff, std::nullopt}, deadline);
    if (set.ok()) return set;
    return set.error().with_context(fmt::format("setting read_only off on {}", node().title()));
  }
  // The server may take writes then, and another one must not.
  UndoFailure on_undo_failure() const override { return UndoFailure::kStop; }
};

class EnsureWritableForUs : public ReadOnlyStep {
 public:
  using ReadOnlyStep::ReadOnlyStep;

  std::string kind() const override { return "ensure_writable_for_us"; }
  std::string description() const override {
    return fmt::format("set super_read_only off on {}, and leave read_only on", node().title());
  }

  Status apply(const json& /*found*/, Deadline deadline) override {
    const Status set = reach(ReadOnlyState{ReadOnly::kOn, false}, deadline);
    if (set.ok()) return set;
    return set.error().with_context(
        fmt::format("setting super_read_only off on {}", node().title()));
  }
};

}  // namespace

std::unique_ptr<Step> ensure_read_only(Node& node, Log& log) {
  return std::make_unique<EnsureReadOnly>(node, log);
}

std::unique_ptr<Step> ensure_writable(Node& node, Log& log) {
  return std::make_unique<EnsureWritable>(node, log);
}

std::unique_ptr<Step> ensure_writable_for_us(Node& node, Log& log) {
  return std::make_unique<EnsureWritableForUs>(node, log);
}

}  // namespace mha
