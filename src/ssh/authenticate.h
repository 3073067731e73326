// Logging in by key: key files, certificates beside them, and the agent; never by password.
#pragma once

#include "base/deadline.h"
#include "base/status.h"
#include "ssh/libssh_session.h"
#include "ssh/ssh_config.h"

namespace mha {

// After a good handshake and host key check. Key files come first, since they are answered in one
// round trip (the signature is sent with the key) and an agent may be slow; then the agent's keys,
// unless IdentitiesOnly is set and all key files could be read. A key that needs a passphrase is
// left to the agent: nobody is asked. Errors: kDenied, naming every key and what became of it;
// kTimeout; kUnreachable.
Status authenticate(LibsshSession& session, const SshSettings& settings, Deadline deadline);

}  // namespace mha
