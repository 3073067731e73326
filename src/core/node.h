// A database host during one operation: its sessions, and how fresh ones are opened.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/deadline.h"
#include "base/status.h"
#include "config/host_settings.h"
#include "config/vip_site.h"
#include "ports/mysql_server.h"
#include "ports/remote_shell.h"
#include "ports/vip_driver.h"

namespace mha {

// Makes the driver for one host. `counterpart` is the other master of the operation, nullptr where
// none is known. `shell` is borrowed and may be nullptr where the host cannot be reached.
using VipDriverFactory = std::function<std::unique_ptr<VipDriver>(
    const VipSite& site, const VipSite* counterpart, RemoteShell* shell)>;

struct NodeSpec {
  std::string role;  // "original master", "new master"; for messages
  std::string host;  // as MHA named it
  std::string ip;    // its address as MHA named it; may be empty
  std::uint16_t port = 3306;
  MysqlTarget mysql;
  SshTarget ssh;
  HostSettings settings;
  std::optional<VipSite> counterpart;  // the other master, from or to which the address moves

  [[nodiscard]] VipSite site() const { return {settings, host, ip}; }
};

// `spec`, knowing `other` as the master from or to which its address moves.
NodeSpec paired(NodeSpec spec, const NodeSpec& other);

// What a Node opens its sessions with; all outlive it.
struct NodePorts {
  MysqlConnector& mysql;
  ShellConnector& shell;
  const VipDriverFactory& vip;
};

// Not thread-safe; two nodes may be used from two threads, and so may mysql() and vip() of one.
class Node {
 public:
  Node(NodeSpec spec, NodePorts ports);

  [[nodiscard]] const NodeSpec& spec() const { return spec_; }
  // For operations that learn only by looking which host is what.
  void set_role(std::string role) { spec_.role = std::move(role); }
  // As paired(); the open sessions stay.
  void pair_with(const NodeSpec& other);
  [[nodiscard]] const HostSettings& settings() const { return spec_.settings; }
  // "the original master 'db1'"
  [[nodiscard]] std::string title() const;
  [[nodiscard]] bool moves_a_vip() const { return spec_.settings.vip_type != VipType::kNone; }

  // The open session; opened here where there is none. Borrowed until forget_sessions().
  Result<MysqlServer*> mysql(Deadline deadline);
  // The driver, over an open shell where it uses one at all.
  Result<VipDriver*> vip(Deadline deadline);
  // The driver without a shell: for the commands by hand, and for taking the address away from a
  // host that answers nobody (ShellUse::kWanted).
  [[nodiscard]] std::unique_ptr<VipDriver> vip_without_shell() const;
  // The open shell; opened here where there is none.
  Result<RemoteShell*> shell(Deadline deadline);
  // Takes a session that was opened elsewhere for the one of shell() and vip().
  void adopt_shell(std::unique_ptr<RemoteShell> opened);

  // Drops the MySQL session.
  void forget_mysql() { mysql_.reset(); }
  // Drops the shell and the driver over it.
  void forget_shell();
  // Drops what is open, for undo: an old session may still be running an old statement.
  void forget_sessions();

  // A second MySQL session, for fall_back(). To be opened where clients do not wait yet: a server
  // on which thousands log in again lets nobody else in for longer than an undo has. Does nothing
  // where there is one. Errors: connect()'s; fall_back() is forget_sessions() then.
  Status reserve_mysql(Deadline deadline);
  // Its thread, which is no client; nullopt where there is none.
  [[nodiscard]] std::optional<std::uint64_t> reserved_thread() const;
  // forget_sessions(), and the reserved session takes the place of the dropped one, where it
  // answers in time. Its first word is a KILL of that one, lest what TCP sends again later is run;
  // the thread is still ours: the reserve lives, so the server was not started again.
  void fall_back(Deadline deadline);

 private:
  [[nodiscard]] std::unique_ptr<VipDriver> make_driver(RemoteShell* open_shell) const;

  NodeSpec spec_;
  NodePorts ports_;
  std::unique_ptr<MysqlServer> mysql_;
  std::unique_ptr<MysqlServer> reserve_;
  std::unique_ptr<RemoteShell> shell_;
  std::unique_ptr<VipDriver> vip_;  // borrows shell_
};

}  // namespace mha
