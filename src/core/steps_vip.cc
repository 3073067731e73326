// Taking the address away (and back), and giving it.
#include "core/steps_vip.h"

#include <fmt/core.h>

#include <utility>

namespace mha {
namespace {

using nlohmann::json;

class VipStep : public Step {
 public:
  VipStep(Node& node, Log& log) : node_(node), log_(log) {}

  json parameters() const override {
    return json{{"host", node_.spec().host}, {"port", node_.spec().port}};
  }
  std::string name() const override { return fmt::format("{} {}", kind(), node_.spec().host); }

 protected:
  Status assign(OtherHolder other_holder, Deadline deadline) {
    Result<VipDriver*> driver = node_.vip(deadline);
    if (!driver.ok()) return driver.error();
    log_.info("Adding the vip using the '{}' provider on {}", driver.value()->provider(),
              node_.title());
    Result<VipAssignment> assigned = driver.value()->assign(other_holder, deadline);
    if (!assigned.ok()) return assigned.error();
    for (const std::string& warning : assigned.value().warnings) log_.warning("{}", warning);
    return {};
  }
  Status remove(Deadline deadline) {
    Result<VipDriver*> driver = node_.vip(deadline);
    if (!driver.ok()) return driver.error();
    log_.info("Removing the vip using the '{}' provider on {}", driver.value()->provider(),
              node_.title());
    return driver.value()->remove(deadline);
  }

  [[nodiscard]] const Node& node() const { return node_; }

 private:
  Node& node_;
  Log& log_;
};

class EnsureVipAbsent : public VipStep {
 public:
  EnsureVipAbsent(Node& node, VipPresence found, OtherHolder put_back, Log& log)
      : VipStep(node, log), found_(found), put_back_(put_back) {}

  std::string kind() const override { return "ensure_vip_absent"; }
  std::string description() const override {
    return fmt::format("remove the virtual IP from {}", node().title());
  }
  Result<json> observe(Deadline /*deadline*/) override {
    return json{{"vip", found_ == VipPresence::kPresent ? "present" : "absent"},
                {"put_back", put_back_ == OtherHolder::kTakeOver ? "take_over" : "refuse"}};
  }
  Status apply(const json& /*found*/, Deadline deadline) override {
    const Status removed = remove(deadline);
    if (removed.ok()) return removed;
    return removed.error().with_context(
        fmt::format("removing the virtual IP from {}", node().title()));
  }
  Status undo(const json& found, Deadline deadline) override {
    if (found.value("vip", "") != "present") return remove(deadline);
    const bool take_over = found.value("put_back", "") == "take_over";
    return assign(take_over ? OtherHolder::kTakeOver : OtherHolder::kRefuse, deadline);
  }
  std::string undo_by_hand(const json& found) const override {
    const auto driver = node().vip_without_shell();
    return found.value("vip", "") == "present" ? driver->assign_by_hand()
                                               : driver->remove_by_hand();
  }

 private:
  VipPresence found_;
  OtherHolder put_back_;
};

class EnsureVipPresent : public VipStep {
 public:
  EnsureVipPresent(Node& node, OtherHolder other_holder, Log& log)
      : VipStep(node, log), other_holder_(other_holder) {}

  std::string kind() const override { return "ensure_vip_present"; }
  std::string description() const override {
    return fmt::format("add the virtual IP to {} and announce it", node().title());
  }
  Result<json> observe(Deadline /*deadline*/) override { return json::object(); }
  Status apply(const json& /*found*/, Deadline deadline) override {
    const Status assigned = assign(other_holder_, deadline);
    if (assigned.ok()) return assigned;
    Error error =
        assigned.error().with_context(fmt::format("adding the virtual IP to {}", node().title()));
    error.message += fmt::format("; by hand: {}", node().vip_without_shell()->assign_by_hand());
    return error;
  }
  // The new master takes writes by now: without the address no client would find the only writer.
  Status undo(const json& /*found*/, Deadline /*deadline*/) override { return {}; }
  std::string undo_by_hand(const json& /*found*/) const override { return ""; }

 private:
  OtherHolder other_holder_;
};

}  // namespace

std::unique_ptr<Step> ensure_vip_absent(Node& node, VipPresence found, OtherHolder put_back,
                                        Log& log) {
  return std::make_unique<EnsureVipAbsent>(node, found, put_back, log);
}

std::unique_ptr<Step> ensure_vip_present(Node& node, OtherHolder other_holder, Log& log) {
  return std::make_unique<EnsureVipPresent>(node, other_holder, log);
}

}  // namespace mha
