// A channel of libssh, what arrives on it, and how a command ended.
#include "ssh/remote_command.h"

#include <fmt/core.h>
#include <libssh/callbacks.h>

#include <map>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

namespace mha {

namespace {

constexpr std::size_t kMaxOutput = std::size_t{16} << 20;
// A shell's own status for what cannot be told: RFC 4254 lets a server name signals of its own.
constexpr int kUnknownSignal = 255;

// RFC 4254, 6.10, with Linux's numbers.
int exit_status_of_signal(std::string_view name) {
  static const std::map<std::string_view, int> kNumbers{
      {"ABRT", 6}, {"ALRM", 14}, {"FPE", 8},   {"HUP", 1},   {"ILL", 4},   {"INT", 2}, {"KILL", 9},
      {"PIPE", 13}, {"QUIT", 3},  {"SEGV", 11}, {"TERM", 15}, {"USR1", 10}, {"USR2", 12}};
  const auto found = kNumbers.find(name);
  return found == kNumbers.end() ? kUnknownSignal : 128 + found->second;
}

std::string shortened(const std::string& command) {
  constexpr std::size_t kLongest = 120;
  return command.size() <= kLongest ? command : command.substr(0, kLongest) + "...";
}

}  // namespace

class RemoteChannel {
 public:
  explicit RemoteChannel(ssh_channel channel) : channel_(channel) {
    ssh_callbacks_init(&callbacks_);
    callbacks_.userdata = this;
    callbacks_.channel_data_function = &RemoteChannel::on_data;
    callbacks_.channel_eof_function = &RemoteChannel::on_eof;
    callbacks_.channel_close_function = &RemoteChannel::on_close;
    callbacks_.channel_exit_status_function = &RemoteChannel::on_exit_status;
    callbacks_.channel_exit_signal_function = &RemoteChannel::on_exit_signal;
    ssh_set_channel_callbacks(channel_, &callbacks_);
  }
  ~RemoteChannel() {
    // libssh keeps a channel until the peer has closed it too; it must not call us then.
    ssh_remove_channel_callbacks(channel_, &callbacks_);
    ssh_channel_free(channel_);
  }
  RemoteChannel(const RemoteChannel&) = delete;
  RemoteChannel& operator=(const RemoteChannel&) = delete;

  [[nodiscard]] ssh_channel get() { return channel_; }
  // The peer has closed the channel, or it has told all that it will.
  [[nodiscard]] bool ended() const { return closed_ || (eof_ && exit_status_.has_value()); }
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] const std::optional<int>& exit_status() const { return exit_status_; }
  [[nodiscard]] bool too_long() const { return too_long_; }
  [[nodiscard]] CommandOutput take_output() {
    output_.exit_status = exit_status_.value_or(kUnknownSignal);
    return std::move(output_);
  }

 private:
  static RemoteChannel& self(void* userdata) { return *static_cast<RemoteChannel*>(userdata); }

  // Takes all, so that libssh buffers nothing and keeps the window open. No exception may go
  // through libssh.
  static int on_data(ssh_session, ssh_channel, void* data, std::uint32_t size, int is_stderr,
                     void* userdata) noexcept {
    RemoteChannel& channel = self(userdata);
    CommandOutput& output = channel.output_;
    if (output.out.size() + output.err.size() + size > kMaxOutput) {
      channel.too_long_ = true;
    } else {
      try {
        (is_stderr != 0 ? output.err : output.out).append(static_cast<const char*>(data), size);
      } catch (const std::bad_alloc&) {
        channel.too_long_ = true;
      }
    }
    return static_cast<int>(size);
  }
  static void on_eof(ssh_session, ssh_channel, void* userdata) noexcept {
    self(userdata).eof_ = true;
  }
  static void on_close(ssh_session, ssh_channel, void* userdata) noexcept {
    self(userdata).closed_ = true;
  }
  static void on_exit_status(ssh_session, ssh_channel, int status, void* userdata) noexcept {
    self(userdata).exit_status_ = status;
  }
  static void on_exit_signal(ssh_session, ssh_channel, const char* name, int, const char*,
                             const char*, void* userdata) noexcept {
    self(userdata).exit_status_ = exit_status_of_signal(name == nullptr ? "" : name);
  }

  ssh_channel channel_;
  ssh_channel_callbacks_struct callbacks_{};
  CommandOutput output_;
  std::optional<int> exit_status_;
  bool eof_ = false;
  bool closed_ = false;
  bool too_long_ = false;
};

CommandRunner::CommandRunner(LibsshSession& session) : session_(session) { open_next(); }

CommandRunner::~CommandRunner() = default;

void CommandRunner::open_next() {
  ssh_channel channel = ssh_channel_new(session_.get());
  if (channel == nullptr) return;
  next_ = std::make_unique<RemoteChannel>(channel);
  // The first call only sends the request; whatever comes of it is seen by opened_channel().
  ssh_channel_open_session(next_->get());
}

Result<std::unique_ptr<RemoteChannel>> CommandRunner::opened_channel(Deadline deadline) {
  std::string why = "libssh cannot make a channel";
  // A channel opened ahead may have been refused for being one too many (MaxSessions 1, with the
  // one before it not yet taken down there) or closed for being idle; a new one is then opened.
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (next_ == nullptr) open_next();
    if (next_ == nullptr) break;
    std::unique_ptr<RemoteChannel> channel = std::move(next_);
    const Result<int> opened =
        session_.drive([&] { return ssh_channel_open_session(channel->get()); }, deadline);
    if (!opened.ok()) return opened.error();
    if (opened.value() == SSH_OK && !channel->closed()) return channel;
    why = session_.error_text();
    if (session_.fd() < 0 || ssh_is_connected(session_.get()) == 0) {
      return Error{Code::kUnreachable, "the connection broke: " + why};
    }
  }
  return Error{Code::kRefused, "the server opens no session: " + why};
}

Result<CommandOutput> CommandRunner::run(const std::string& command, Deadline deadline) {
  if (command.find('\0') != std::string::npos) {
    return Error{Code::kInternal, "a command cannot have a NUL in it"};
  }
  const auto failed = [&](const Error& error, std::string_view what) {
    return Error{error.code, fmt::format("{}; {}: {}", error.message, what, shortened(command))};
  };
  Result<std::unique_ptr<RemoteChannel>> opened = opened_channel(deadline);
  if (!opened.ok()) return failed(opened.error(), "not run");
  RemoteChannel& channel = *opened.value();

  bool input_ended = false;
  const Result<int> requested = session_.drive(
      [&] {
        const int answer = ssh_channel_request_exec(channel.get(), command.c_str());
        // In the same flight as the command: its standard input is empty.
        if (!input_ended && answer != SSH_ERROR) ssh_channel_send_eof(channel.get());
        input_ended = true;
        return answer;
      },
      deadline);
  if (!requested.ok()) return failed(requested.error(), "may still be running there");
  if (requested.value() != SSH_OK) {
    const bool alive = session_.fd() >= 0 && ssh_is_connected(session_.get()) != 0;
    return failed(Error{alive ? Code::kRefused : Code::kUnreachable, session_.error_text()},
                  alive ? "the server refused" : "may or may not have been run");
  }
  while (!channel.ended() && !channel.too_long()) {
    if (const Status pumped = session_.pump(deadline); !pumped.ok()) {
      if (channel.ended()) break;
      if (pumped.error().code == Code::kTimeout && channel.exit_status()) {
        return failed(pumped.error(),
                      fmt::format("ended with status {}, but something that it started keeps its "
                                  "output open",
                                  *channel.exit_status()));
      }
      return failed(pumped.error(), pumped.error().code == Code::kTimeout
                                        ? "may still be running there"
                                        : "may or may not have been run");
    }
  }
  if (channel.too_long()) {
    return Error{Code::kRefused, fmt::format("the output is longer than 16 MiB; was run: {}",
                                             shortened(command))};
  }
  if (!channel.exit_status()) {
    return Error{Code::kUnreachable, fmt::format("the server does not tell how it ended: {}",
                                                 shortened(command))};
  }
  CommandOutput output = channel.take_output();
  ssh_channel_close(channel.get());
  opened.value().reset();
  open_next();
  return output;
}

}  // namespace mha
