// An SSH session that outlives the program which opened it: `stop` leaves it behind for `start`.
//
// A background process, the keeper, holds the session and serves it on a Unix socket that only the
// same user can reach. It lasts for a bounded time, and no longer than it is needed; where it is
// gone, for whatever reason, opening it is kUnreachable at once and the caller connects anew.
#pragma once

#include <memory>
#include <string>

#include "base/deadline.h"
#include "base/log.h"
#include "base/status.h"
#include "ports/clock.h"
#include "ports/remote_shell.h"
#include "ssh/file_descriptor.h"
#include "ssh/keeper_protocol.h"

namespace mha {

// What becomes of the keeper when a client's shell goes.
enum class KeeperAfterwards { kStays, kEnds };

// A client of a keeper. As a LibsshShell, it is of no more use after an error. Closing never
// blocks: with kEnds the request to end is sent and its answer not waited for.
class KeptShell : public RemoteShell {
 public:
  ~KeptShell() override;

  [[nodiscard]] const std::string& host() const override { return host_; }
  // As the port says; the keeper gets what is left of the deadline for the command. What is
  // prepared waits in the keeper, for this client or another.
  Result<CommandOutput> run(const std::string& command, Deadline deadline) override;
  Status prepare(const std::string& name, const std::string& command, Deadline deadline) override;
  Result<CommandOutput> finish_prepared(const std::string& name, const std::string& input,
                                        Deadline deadline) override;

  // The keeper closes the session and ends; further calls are kUnreachable.
  Status end_keeper(Deadline deadline);
  [[nodiscard]] int keeper_pid() const { return keeper_pid_; }

 private:
  friend Result<std::unique_ptr<KeptShell>> open_kept_session(const std::string& folder,
                                                              const SshTarget& target,
                                                              KeeperAfterwards afterwards,
                                                              const Clock& clock,
                                                              Deadline deadline);

  KeptShell(FileDescriptor socket, std::string host, KeeperAfterwards afterwards,
            const Clock& clock);
  Result<KeeperFrame> ask(const KeeperRequest& request, Deadline deadline);
  Result<CommandOutput> ask_for_output(const KeeperRequest& request, Deadline deadline);
  // The error of ask(), for people.
  [[nodiscard]] Error lost(const Error& error) const;

  FileDescriptor socket_;
  const std::string host_;
  const KeeperAfterwards afterwards_;
  const Clock& clock_;
  KeeperFrameReader in_;
  int keeper_pid_ = 0;
};

struct KeepOptions {
  // Of mode 0700 and ours; made where missing, its parent must be there. Not on a network file
  // system.
  std::string folder;
  // How long the keeper waits without any client.
  Milliseconds keep_time{std::chrono::minutes{1}};
  // How long it lives in any case.
  Milliseconds lifetime{std::chrono::minutes{10}};
};

// The socket's name in the folder, from host, port and user: at most 64 characters.
std::string kept_session_name(const SshTarget& target);

// Forks the keeper, which connects by `connector` under `deadline` and then serves; gives a client
// of it (kStays). A keeper that is there for the same target already is ended. The keeper
//  - is in a session of its own: neither the terminal's Ctrl-C nor its end reaches it;
//  - has none of our descriptors: who reads our output through a pipe sees its end when we end.
//    Until it is connected it keeps standard output and error, for the connector's log;
//  - ends as Keeper says, and at SIGTERM, and takes its socket with it;
//  - cannot be read by a debugger or dump core, and what stood on our command line is wiped in it.
//
// To be called early: before any thread is started (kInternal otherwise: a lock that another thread
// holds would be held in the keeper for ever), and before passwords are decoded, since a copy of
// our memory lives on in the keeper. Errors: those of `connector`; kDenied (folder); kTimeout;
// kInternal.
Result<std::unique_ptr<KeptShell>> keep_session(const SshTarget& target, ShellConnector& connector,
                                                const KeepOptions& options, Clock& clock,
                                                Deadline deadline);

// A client of the keeper that keep_session() left for the same host, port and user. Errors:
// kUnreachable where there is none, or none that answers as it should; kDenied where folder or
// keeper are not this user's; kTimeout where it is busy or hangs.
Result<std::unique_ptr<KeptShell>> open_kept_session(const std::string& folder,
                                                     const SshTarget& target,
                                                     KeeperAfterwards afterwards,
                                                     const Clock& clock, Deadline deadline);

// Takes the kept session where there is one, for the last time (kEnds), and connects by `otherwise`
// where there is none. Thread-safe.
class KeptFirstConnector : public ShellConnector {
 public:
  // All outlive the connector and its shells.
  KeptFirstConnector(std::string folder, ShellConnector& otherwise, const Clock& clock, Log& log)
      : folder_(std::move(folder)), otherwise_(otherwise), clock_(clock), log_(log) {}

  Result<std::unique_ptr<RemoteShell>> connect(const SshTarget& target, Deadline deadline) override;

 private:
  const std::string folder_;
  ShellConnector& otherwise_;
  const Clock& clock_;
  Log& log_;
};

}  // namespace mha
