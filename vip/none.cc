// Nothing to move, so everything is as it should be.
#include "vip/none.h"

namespace mha {
namespace {

class NoneDriver : public VipDriver {
 public:
  const std::string& provider() const override {
    static const std::string name = "none";
    return name;
  }
  bool moves_an_address() const override { return false; }
  ShellUse shell_use() const override { return ShellUse::kNone; }
  Status check(Deadline /*deadline*/) override { return {}; }
  Result<VipPresence> status(Deadline /*deadline*/) override { return VipPresence::kAbsent; }
  Result<std::vector<std::string>> other_holders(Deadline /*deadline*/) override {
    return std::vector<std::string>{};
  }
  Result<VipAssignment> assign(OtherHolder /*other_holder*/, Deadline /*deadline*/) override {
    return VipAssignment{};
  }
  Status remove(Deadline /*deadline*/) override { return {}; }
  std::string assign_by_hand() const override { return ""; }
  std::string remove_by_hand() const override { return ""; }
};

}  // namespace

std::unique_ptr<VipDriver> make_none_driver() { return std::make_unique<NoneDriver>(); }

}  // namespace mha
