// Opening and dropping a host's sessions.
#include "core/node.h"

#include <fmt/core.h>

#include <utility>
#include <vector>

namespace mha {

NodeSpec paired(NodeSpec spec, const NodeSpec& other) {
  spec.counterpart = other.site();
  return spec;
}

Node::Node(NodeSpec spec, NodePorts ports) : spec_(std::move(spec)), ports_(ports) {}

void Node::pair_with(const NodeSpec& other) {
  spec_.counterpart = other.site();
  vip_.reset();  // made without knowing it
}

std::string Node::title() const { return fmt::format("the {} '{}'", spec_.role, spec_.host); }

Result<MysqlServer*> Node::mysql(Deadline deadline) {
  if (mysql_ == nullptr) {
    Result<std::unique_ptr<MysqlServer>> opened = ports_.mysql.connect(spec_.mysql, deadline);
    if (!opened.ok()) return opened.error().with_context(title());
    mysql_ = std::move(opened).value();
  }
  return mysql_.get();
}

Result<RemoteShell*> Node::shell(Deadline deadline) {
  if (shell_ == nullptr) {
    Result<std::unique_ptr<RemoteShell>> opened = ports_.shell.connect(spec_.ssh, deadline);
    if (!opened.ok()) return opened.error().with_context(title());
    shell_ = std::move(opened).value();
  }
  return shell_.get();
}

void Node::adopt_shell(std::unique_ptr<RemoteShell> opened) {
  forget_shell();
  shell_ = std::move(opened);
}

Result<VipDriver*> Node::vip(Deadline deadline) {
  if (vip_ == nullptr) {
    std::unique_ptr<VipDriver> driver = make_driver(nullptr);
    if (driver->shell_use() != ShellUse::kNone) {
      Result<RemoteShell*> opened = shell(deadline);
      if (!opened.ok()) return opened.error();
      driver = make_driver(opened.value());
    }
    vip_ = std::move(driver);
  }
  return vip_.get();
}

std::unique_ptr<VipDriver> Node::vip_without_shell() const { return make_driver(nullptr); }

std::unique_ptr<VipDriver> Node::make_driver(RemoteShell* open_shell) const {
  const VipSite* counterpart = spec_.counterpart.has_value() ? &*spec_.counterpart : nullptr;
  return ports_.vip(spec_.site(), counterpart, open_shell);
}

void Node::forget_shell() {
  vip_.reset();
  shell_.reset();
}

void Node::forget_sessions() {
  forget_shell();
  mysql_.reset();
}

Status Node::reserve_mysql(Deadline deadline) {
  if (reserve_ != nullptr) return {};
  Result<std::unique_ptr<MysqlServer>> opened = ports_.mysql.connect(spec_.mysql, deadline);
  if (!opened.ok()) return opened.error().with_context(title());
  reserve_ = std::move(opened).value();
  return {};
}

std::optional<std::uint64_t> Node::reserved_thread() const {
  if (reserve_ == nullptr) return std::nullopt;
  return reserve_->identity().connection_id;
}

void Node::fall_back(Deadline deadline) {
  std::vector<std::uint64_t> dropped;
  if (mysql_ != nullptr) dropped.push_back(mysql_->identity().connection_id);
  forget_sessions();
  std::unique_ptr<MysqlServer> reserve = std::move(reserve_);
  if (reserve == nullptr) return;
  const Status answers = dropped.empty() ? reserve->read_only_state(deadline).status()
                                         : reserve->kill(dropped, deadline).status();
  if (answers.ok()) mysql_ = std::move(reserve);
}

}  // namespace mha
