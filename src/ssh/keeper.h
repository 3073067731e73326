// The loop of the process that holds a session and serves it on a Unix socket.
#pragma once

#include <list>
#include <optional>
#include <string>

#include "base/deadline.h"
#include "ports/clock.h"
#include "ports/remote_shell.h"
#include "ssh/file_descriptor.h"
#include "ssh/keeper_protocol.h"
#include "ssh/libssh_shell.h"

namespace mha {

struct KeeperLimits {
  Milliseconds keep_time;  // without a client
  Milliseconds lifetime;   // in any case
};

// Serves any number of clients of its own user, one command at a time; what a client does not read
// or does not finish saying holds up no other. Ends at a close request, after `keep_time` without
// a client, after `lifetime`, when the session ends or gives an error (kRefused of a prepared
// command aside), and at a signal.
class Keeper {
 public:
  // `listener`: a non-blocking listening Unix socket. `signals`: a signalfd that ends it, or
  // invalid. `shell` outlives the keeper; where it is a SessionWatch as well, its end is seen at
  // once, otherwise at the next command.
  Keeper(RemoteShell& shell, FileDescriptor listener, FileDescriptor signals, KeeperLimits limits,
         const Clock& clock);

  void serve();

 private:
  struct Client {
    FileDescriptor socket;
    KeeperFrameReader in;
    std::string out;
  };

  void wait();
  void accept_one();
  // These give false where the client is to be dropped.
  bool read_from(Client& client);
  bool write_to(Client& client);
  bool answer_requests(Client& client);
  void answer(Client& client, const KeeperRequest& request);
  bool ends_session(const Status& status);
  // Bounded: the last answer before the end.
  void flush(Client& client);

  RemoteShell& shell_;
  SessionWatch* watch_;
  FileDescriptor listener_;
  FileDescriptor signals_;
  const KeeperLimits limits_;
  const Clock& clock_;
  const Deadline end_of_life_;
  Deadline end_of_idleness_;
  std::list<Client> clients_;
  bool ending_ = false;
};

}  // namespace mha
