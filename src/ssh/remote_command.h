// Commands on an authenticated session, with as few round trips as SSH allows.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/status.h"
#include "ports/remote_shell.h"
#include "ssh/libssh_session.h"
#include "ssh/remote_channel.h"

namespace mha {

// Opens the channel of the next command when the previous one ends, without waiting for the answer:
// a command then costs one round trip and its own time. Not thread-safe.
class CommandRunner {
 public:
  // `session` is authenticated and outlives the runner.
  explicit CommandRunner(LibsshSession& session);
  ~CommandRunner();
  CommandRunner(const CommandRunner&) = delete;
  CommandRunner& operator=(const CommandRunner&) = delete;

  // As in RemoteShell. Where the server allows no more channels, those that are prepared give way
  // to a command that is to be run.
  Result<CommandOutput> run(const std::string& command, Deadline deadline);
  Status prepare(const std::string& name, const std::string& command, Deadline deadline);
  Result<CommandOutput> finish_prepared(const std::string& name, const std::string& input,
                                        Deadline deadline);

  // False after an error that leaves part of an answer to come: nothing can be told apart on the
  // session any more.
  [[nodiscard]] bool usable() const { return usable_; }

 private:
  enum class Input { kEmpty, kOpen };
  using Channel = std::unique_ptr<RemoteChannel>;

  Result<Channel> opened_channel(Deadline deadline);
  // One attempt; nullptr where the server refuses, and session_.error_text() is why.
  Result<Channel> try_channel(Deadline deadline);
  void open_next();
  Result<Channel> start(const std::string& command, Input input, Deadline deadline);
  Status send_input(RemoteChannel& channel, std::string_view input, Deadline deadline);
  Result<CommandOutput> collect(Channel channel, Deadline deadline);
  // Ends what runs on it as far as its end of input does.
  static void give_up(RemoteChannel& channel);
  // The error with what became of the command; the session is of no use after it.
  Error failed(const Error& error, std::string_view outcome, const std::string& command);
  [[nodiscard]] bool connected();

  LibsshSession& session_;
  Channel next_;
  std::map<std::string, Channel> prepared_;
  bool usable_ = true;
};

}  // namespace mha
