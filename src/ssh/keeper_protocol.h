// What a kept session's keeper and its clients say to each other: a JSON header and raw bytes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/status.h"
#include "ports/remote_shell.h"

namespace mha {

// On the wire: length of the header and of the body, each four bytes, most significant first; then
// both. The header is JSON; commands and output are the body, since they may be any bytes.
struct KeeperFrame {
  std::string header;
  std::string body;
};

std::string to_wire(const KeeperFrame& frame);

// Puts frames together from what arrives.
class KeeperFrameReader {
 public:
  void add(std::string_view bytes) { bytes_ += bytes; }
  // The next whole frame. Error kInternal: what arrives is no frame, or one of more than 32 MiB.
  Result<std::optional<KeeperFrame>> next();

 private:
  std::string bytes_;
};

struct KeeperRequest {
  enum class Kind { kHello, kRun, kPrepare, kFinish, kClose };

  Kind kind = Kind::kHello;
  std::string text;         // of kRun and kPrepare the command, of kFinish the input
  Milliseconds timeout{0};  // of these three
  std::string name;         // of kPrepare and kFinish
};

KeeperFrame to_frame(const KeeperRequest& request);
Result<KeeperRequest> request_from(const KeeperFrame& frame);

struct KeeperGreeting {
  std::string host;
  int pid = 0;
};

KeeperFrame to_frame(const KeeperGreeting& greeting);
KeeperFrame to_frame(const Result<CommandOutput>& result);
KeeperFrame to_frame(const Status& status);
// These give the keeper's own error where the frame is one, and kInternal where it is none of ours.
Result<KeeperGreeting> greeting_from(const KeeperFrame& frame);
Result<CommandOutput> output_from(const KeeperFrame& frame);
Status status_from(const KeeperFrame& frame);

}  // namespace mha
