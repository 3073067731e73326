// A TCP connection by name or address, name look-up included, under one deadline.
#pragma once

#include <cstdint>
#include <string>

#include "base/deadline.h"
#include "base/status.h"
#include "ports/clock.h"
#include "ssh/file_descriptor.h"

namespace mha {

struct TcpPlace {
  std::string host;  // name or address
  std::uint16_t port = 0;
  std::string address;  // where a name is known to lead; empty: nothing is known
};

// The socket is non-blocking and has TCP_NODELAY. Where a name has several addresses, each gets a
// head start of 250 ms before the next is tried beside it (RFC 8305), so that a dead one costs no
// more than that. Looking up a name is done by a thread, which is left behind where the name server
// outlasts the deadline: getaddrinfo(3) cannot be stopped. Where the name servers do not know the
// name, or take more than a second (or half of what is left until the deadline), what they said to
// an earlier call of this process counts, else `place.address`. Errors: kUnreachable, kTimeout,
// both saying to which address; kInternal.
Result<FileDescriptor> connect_tcp(const TcpPlace& place, const Clock& clock, Deadline deadline);

}  // namespace mha
