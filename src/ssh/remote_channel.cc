// libssh's callbacks for a channel.
#include "ssh/remote_channel.h"

#include <map>
#include <new>
#include <string_view>
#include <utility>

namespace mha {
namespace {

constexpr std::size_t kMaxOutput = std::size_t{16} << 20;  // of either stream
// A shell's own status for what cannot be told: RFC 4254 lets a server name signals of its own.
constexpr int kUnknownSignal = 255;

// RFC 4254, 6.10, with Linux's numbers.
int exit_status_of_signal(std::string_view name) {
  static const std::map<std::string_view, int> kNumbers{
      {"ABRT", 6},  {"ALRM", 14}, {"FPE", 8},   {"HUP", 1},  {"ILL", 4},
      {"INT", 2},   {"KILL", 9},  {"PIPE", 13}, {"QUIT", 3}, {"SEGV", 11},
      {"TERM", 15}, {"USR1", 10}, {"USR2", 12}};
  const auto found = kNumbers.find(name);
  return found == kNumbers.end() ? kUnknownSignal : 128 + found->second;
}

RemoteChannel& self(void* userdata) { return *static_cast<RemoteChannel*>(userdata); }

}  // namespace

RemoteChannel::RemoteChannel(ssh_channel channel) : channel_(channel) {
  ssh_callbacks_init(&callbacks_);
  callbacks_.userdata = this;
  callbacks_.channel_data_function = &RemoteChannel::on_data;
  callbacks_.channel_eof_function = &RemoteChannel::on_eof;
  callbacks_.channel_close_function = &RemoteChannel::on_close;
  callbacks_.channel_exit_status_function = &RemoteChannel::on_exit_status;
  callbacks_.channel_exit_signal_function = &RemoteChannel::on_exit_signal;
  ssh_set_channel_callbacks(channel_, &callbacks_);
}

RemoteChannel::~RemoteChannel() {
  // libssh keeps a channel until the peer has closed it too; it must not call us then.
  ssh_remove_channel_callbacks(channel_, &callbacks_);
  ssh_channel_free(channel_);
}

CommandOutput RemoteChannel::take_output() {
  output_.exit_status = exit_status_.value_or(kUnknownSignal);
  return std::move(output_);
}

// Takes all, so that libssh buffers nothing and keeps the window open. No exception may go through
// libssh.
int RemoteChannel::on_data(ssh_session, ssh_channel, void* data, std::uint32_t size, int is_stderr,
                           void* userdata) noexcept {
  RemoteChannel& channel = self(userdata);
  std::string& stream = is_stderr != 0 ? channel.output_.err : channel.output_.out;
  if (stream.size() + size > kMaxOutput) {
    channel.too_long_ = true;
  } else {
    try {
      stream.append(static_cast<const char*>(data), size);
    } catch (const std::bad_alloc&) {
      channel.too_long_ = true;
    }
  }
  return static_cast<int>(size);
}

void RemoteChannel::on_eof(ssh_session, ssh_channel, void* userdata) noexcept {
  self(userdata).eof_ = true;
}

void RemoteChannel::on_close(ssh_session, ssh_channel, void* userdata) noexcept {
  self(userdata).closed_ = true;
}

void RemoteChannel::on_exit_status(ssh_session, ssh_channel, int status, void* userdata) noexcept {
  self(userdata).exit_status_ = status;
}

void RemoteChannel::on_exit_signal(ssh_session, ssh_channel, const char* name, int, const char*,
                                   const char*, void* userdata) noexcept {
  self(userdata).exit_status_ = exit_status_of_signal(name == nullptr ? "" : name);
}

}  // namespace mha
