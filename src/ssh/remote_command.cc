// Opening, asking, feeding and collecting.
#include "ssh/remote_command.h"

#include <fmt/core.h>

#include <utility>

namespace mha {
namespace {

constexpr Milliseconds kGiveWay{1000};
constexpr Milliseconds kRetry{5};

std::string shortened(const std::string& command) {
  constexpr std::size_t kLongest = 120;
  return command.size() <= kLongest ? command : command.substr(0, kLongest) + "...";
}

std::string_view unknown_outcome(Code code) {
  return code == Code::kTimeout ? "may still be running there" : "may or may not have been run";
}

}  // namespace

CommandRunner::CommandRunner(LibsshSession& session) : session_(session) { open_next(); }

CommandRunner::~CommandRunner() = default;

bool CommandRunner::connected() {
  return session_.fd() >= 0 && ssh_is_connected(session_.get()) != 0;
}

Error CommandRunner::failed(const Error& error, std::string_view outcome,
                            const std::string& command) {
  usable_ = false;
  return Error{error.code, fmt::format("{}; {}: {}", error.message, outcome, shortened(command))};
}

void CommandRunner::open_next() {
  ssh_channel channel = ssh_channel_new(session_.get());
  if (channel == nullptr) return;
  next_ = std::make_unique<RemoteChannel>(channel);
  // The first call only sends the request; whatever comes of it is seen by try_channel().
  ssh_channel_open_session(next_->get());
}

Result<CommandRunner::Channel> CommandRunner::try_channel(Deadline deadline) {
  if (next_ == nullptr) open_next();
  if (next_ == nullptr) return Error{Code::kInternal, "libssh cannot make a channel"};
  Channel channel = std::move(next_);
  const Result<int> opened =
      session_.drive([&] { return ssh_channel_open_session(channel->get()); }, deadline);
  if (!opened.ok()) return opened.error();
  if (opened.value() == SSH_OK && !channel->closed()) return channel;
  if (!connected()) {
    return Error{Code::kUnreachable, "the connection broke: " + session_.error_text()};
  }
  return Channel{};
}

Result<CommandRunner::Channel> CommandRunner::opened_channel(Deadline deadline) {
  // A channel opened ahead may have been refused for being one too many (MaxSessions 1, with the
  // one before it not yet taken down there) or closed for being idle; a new one is then opened.
  for (int attempt = 0; attempt < 2; ++attempt) {
    Result<Channel> channel = try_channel(deadline);
    if (!channel.ok() || channel.value() != nullptr) return channel;
  }
  if (!prepared_.empty()) {
    for (const auto& [name, waiting] : prepared_) give_up(*waiting);
    prepared_.clear();
    // Their places are free when the server has seen their processes end.
    const Clock& clock = session_.clock();
    const Deadline patience = deadline.capped(clock.deadline_after(kGiveWay));
    while (!clock.passed(patience)) {
      Result<Channel> channel = try_channel(deadline);
      if (!channel.ok() || channel.value() != nullptr) return channel;
      const Status seen = session_.pump(patience.capped(clock.deadline_after(kRetry)));
      if (!seen.ok() && seen.error().code != Code::kTimeout) return seen.error();
    }
  }
  return Error{Code::kRefused, "the server opens no session: " + session_.error_text()};
}

void CommandRunner::give_up(RemoteChannel& channel) {
  ssh_channel_send_eof(channel.get());
  ssh_channel_close(channel.get());
}

Result<CommandRunner::Channel> CommandRunner::start(const std::string& command, Input input,
                                                    Deadline deadline) {
  if (command.find('\0') != std::string::npos) {
    return Error{Code::kInternal, "a command cannot have a NUL in it"};
  }
  Result<Channel> channel = opened_channel(deadline);
  if (!channel.ok()) return failed(channel.error(), "not run", command);
  ssh_channel raw = channel.value()->get();
  channel.value()->set_command(command);

  bool end_of_input = input == Input::kEmpty;
  const Result<int> requested = session_.drive(
      [&] {
        const int answer = ssh_channel_request_exec(raw, command.c_str());
        // In the same flight as the command.
        if (end_of_input && answer != SSH_ERROR) ssh_channel_send_eof(raw);
        end_of_input = false;
        return answer;
      },
      deadline);
  if (!requested.ok()) {
    return failed(requested.error(), unknown_outcome(requested.error().code), command);
  }
  if (requested.value() != SSH_OK) {
    const Error error{connected() ? Code::kRefused : Code::kUnreachable, session_.error_text()};
    return failed(error, connected() ? "the server refused" : unknown_outcome(error.code), command);
  }
  return channel;
}

Result<CommandOutput> CommandRunner::collect(Channel channel, Deadline deadline) {
  while (!channel->ended() && !channel->too_long()) {
    const Status pumped = session_.pump(deadline);
    if (pumped.ok() || channel->ended()) continue;
    if (pumped.error().code == Code::kTimeout && channel->exit_status()) {
      return failed(pumped.error(),
                    fmt::format("ended with status {}, but something that it started keeps its "
                                "output open",
                                *channel->exit_status()),
                    channel->command());
    }
    return failed(pumped.error(), unknown_outcome(pumped.error().code), channel->command());
  }
  if (channel->too_long()) {
    return failed(Error{Code::kRefused, "the output is longer than 16 MiB"}, "was run",
                  channel->command());
  }
  if (!channel->exit_status()) {
    return failed(Error{Code::kUnreachable, "the server does not tell how the command ended"},
                  unknown_outcome(Code::kUnreachable), channel->command());
  }
  CommandOutput output = channel->take_output();
  ssh_channel_close(channel->get());
  channel.reset();
  if (next_ == nullptr) open_next();
  return output;
}

Result<CommandOutput> CommandRunner::run(const std::string& command, Deadline deadline) {
  Result<Channel> channel = start(command, Input::kEmpty, deadline);
  if (!channel.ok()) return channel.error();
  return collect(std::move(channel).value(), deadline);
}

Status CommandRunner::prepare(const std::string& name, const std::string& command,
                              Deadline deadline) {
  if (const auto old = prepared_.find(name); old != prepared_.end()) {
    give_up(*old->second);
    prepared_.erase(old);
  }
  Result<Channel> channel = start(command, Input::kOpen, deadline);
  if (!channel.ok()) return channel.error();
  prepared_[name] = std::move(channel).value();
  open_next();
  return {};
}

Status CommandRunner::send_input(RemoteChannel& channel, std::string_view input,
                                 Deadline deadline) {
  while (!input.empty() && !channel.ended()) {
    const int sent =
        ssh_channel_write(channel.get(), input.data(), static_cast<std::uint32_t>(input.size()));
    if (sent > 0) {
      input.remove_prefix(static_cast<std::size_t>(sent));
    } else if (!connected()) {
      return Error{Code::kUnreachable, "the connection broke: " + session_.error_text()};
    } else if (sent < 0) {
      break;  // it has ended meanwhile, as collect() sees
    } else if (const Status pumped = session_.pump(deadline); !pumped.ok()) {
      return pumped;
    }
  }
  ssh_channel_send_eof(channel.get());
  return {};
}

Result<CommandOutput> CommandRunner::finish_prepared(const std::string& name,
                                                     const std::string& input, Deadline deadline) {
  const auto found = prepared_.find(name);
  if (found == prepared_.end()) {
    return Error{Code::kRefused, fmt::format("nothing is prepared as {}", name)};
  }
  Channel channel = std::move(found->second);
  prepared_.erase(found);
  // Takes in what has arrived since: that it has ended already, perhaps.
  const Status seen = session_.pump(Deadline{session_.clock().now()});
  if (!seen.ok() && seen.error().code != Code::kTimeout) {
    return failed(seen.error(), "not run", channel->command());
  }
  if (channel->ended()) {
    give_up(*channel);
    return Error{Code::kRefused,
                 fmt::format("what was prepared as {} has ended without its input: {}", name,
                             shortened(channel->command()))};
  }
  if (const Status sent = send_input(*channel, input, deadline); !sent.ok()) {
    return failed(sent.error(), unknown_outcome(sent.error().code), channel->command());
  }
  return collect(std::move(channel), deadline);
}

}  // namespace mha
