// One command's channel on a session, and what has arrived on it.
#pragma once

#include <libssh/callbacks.h>
#include <libssh/libssh.h>

#include <cstdint>
#include <optional>
#include <string>

#include "ports/remote_shell.h"

namespace mha {

class RemoteChannel {
 public:
  // Takes the channel over. Its session outlives it.
  explicit RemoteChannel(ssh_channel channel);
  ~RemoteChannel();
  RemoteChannel(const RemoteChannel&) = delete;
  RemoteChannel& operator=(const RemoteChannel&) = delete;

  [[nodiscard]] ssh_channel get() { return channel_; }
  // The command that runs on it, for messages.
  void set_command(std::string command) { command_ = std::move(command); }
  [[nodiscard]] const std::string& command() const { return command_; }

  // The peer has closed the channel, or it has told all that it will.
  [[nodiscard]] bool ended() const { return closed_ || (eof_ && exit_status_.has_value()); }
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] const std::optional<int>& exit_status() const { return exit_status_; }
  // More output than RemoteShell::run() gives out.
  [[nodiscard]] bool too_long() const { return too_long_; }
  // Once, where exit_status() is there.
  [[nodiscard]] CommandOutput take_output();

 private:
  static int on_data(ssh_session, ssh_channel, void* data, std::uint32_t size, int is_stderr,
                     void* userdata) noexcept;
  static void on_eof(ssh_session, ssh_channel, void* userdata) noexcept;
  static void on_close(ssh_session, ssh_channel, void* userdata) noexcept;
  static void on_exit_status(ssh_session, ssh_channel, int status, void* userdata) noexcept;
  static void on_exit_signal(ssh_session, ssh_channel, const char* name, int, const char*,
                             const char*, void* userdata) noexcept;

  ssh_channel channel_;
  ssh_channel_callbacks_struct callbacks_{};
  std::string command_;
  CommandOutput output_;
  std::optional<int> exit_status_;
  bool eof_ = false;
  bool closed_ = false;
  bool too_long_ = false;
};

}  // namespace mha
