// One thread writes; the others only tell it what.
#include "cli/run_console.h"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

namespace mha {
namespace {

constexpr Milliseconds kTick{100};
constexpr unsigned kOwnMode = 0600;
// As MHA would create it; it has no secrets.
constexpr unsigned kManagerLogMode = 0644;
constexpr std::string_view kJournalSuffix = ".journal";

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return;  // nobody reads it any more; there is nowhere to say so
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

bool can_go_back_in_a_line() {
  const char* term = std::getenv("TERM");
  return term != nullptr && *term != '\0' && std::string_view{term} != "dumb";
}

}  // namespace

std::string log_path_of(const std::string& journal_path) {
  std::string_view stem = journal_path;
  if (stem.ends_with(kJournalSuffix)) stem.remove_suffix(kJournalSuffix.size());
  return fmt::format("{}.log", stem);
}

ConsoleMode console_mode(OutputFormat format) {
  if (format == OutputFormat::kJson) return ConsoleMode::kLinesOnError;
  return isatty(STDERR_FILENO) != 0 && can_go_back_in_a_line() ? ConsoleMode::kPhases
                                                               : ConsoleMode::kLines;
}

ConsoleStreams standard_streams() {
  ConsoleStreams streams;
  streams.out = [](std::string_view bytes) { write_all(STDOUT_FILENO, bytes); };
  streams.err = [](std::string_view bytes) { write_all(STDERR_FILENO, bytes); };
  streams.out_is_terminal = isatty(STDOUT_FILENO) != 0;
  struct winsize size {};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    streams.columns = size.ws_col;
  }
  return streams;
}

RunConsole::RunConsole(ConsoleMode mode, LogLevel least, ConsoleStreams streams, const Clock& clock)
    : mode_(mode),
      least_(least),
      streams_(std::move(streams)),
      clock_(clock),
      queue_(kTick, [this] {
        if (phases_.has_value()) phases_->tick(clock_.now());
      }) {
  if (mode_ == ConsoleMode::kPhases) {
    queue_.post([this] { phases_.emplace(streams_.err, streams_.columns); });
  }
}

void RunConsole::append_to_manager_log(const std::string& path) {
  queue_.post([this, path] { open_file(path, kManagerLogMode, LineStamp::kMha); });
}

void RunConsole::operation_began(const std::string& journal_path) {
  undo_step_began_ = clock_.now();  // where it is what another process has left
  if (journal_path.empty()) return;
  queue_.post(
      [this, path = log_path_of(journal_path)] { open_file(path, kOwnMode, LineStamp::kOurs); });
}

void RunConsole::write(LogLevel level, std::string_view line) {
  post_line(level, std::string{line}, OnTerminal::kByLevel);
}

void RunConsole::put_lines(LogLevel level, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) post_line(level, line, OnTerminal::kAlways);
  drain();
}

void RunConsole::drain() { queue_.drain(); }

void RunConsole::phase_began(const std::vector<std::string>& what) {
  phase_ = fmt::format("{}", fmt::join(what, "; at the same time: "));
  phase_began_ = clock_.now();
  if (mode_ != ConsoleMode::kPhases) return;
  queue_.post([this, text = phase_, at = phase_began_] { phases_->begin(text, at); });
}

void RunConsole::phase_ended(const Status& how) {
  const TimePoint now = clock_.now();
  if (mode_ == ConsoleMode::kPhases) {
    queue_.post([this, how, now] { phases_->end(how, now); });
  }
  // What went wrong is said by who runs the operation.
  post_line(LogLevel::kInfo,
            fmt::format("{}: {} {}", phase_, how.ok() ? "done in" : "failed after",
                        elapsed_text(now - phase_began_)),
            OnTerminal::kNever);
}

void RunConsole::clients_wait() { mark("-- from here clients wait --"); }
void RunConsole::clients_served() { mark("-- clients can write again --"); }
void RunConsole::point_of_no_return_passed() { mark("-- point of no return --"); }

void RunConsole::undo_began(const Error& /*why*/, std::size_t steps) {
  undo_step_began_ = clock_.now();
  mark(fmt::format("-- putting {} steps back --", steps));
}

void RunConsole::step_undone(const std::string& step, const Status& how) {
  phase_began({fmt::format("put back: {}", step)});
  phase_began_ = undo_step_began_;
  phase_ended(how);
  undo_step_began_ = clock_.now();
}

void RunConsole::mark(std::string text) {
  post_line(LogLevel::kInfo, std::move(text), OnTerminal::kAlways);
}

void RunConsole::post_line(LogLevel level, std::string text, OnTerminal on_terminal) {
  if (level < least_) return;
  queue_.post([this, line = Line{clock_.wall_now(), level, std::move(text)}, on_terminal] {
    keep(line, on_terminal);
  });
}

void RunConsole::keep(Line line, OnTerminal on_terminal) {
  show(line, on_terminal);
  to_files(line);
  so_far_.push_back(std::move(line));
}

void RunConsole::show(const Line& line, OnTerminal on_terminal) {
  const bool is_bad = line.level >= LogLevel::kWarning;
  const std::string plain = stamped(LineStamp::kOurs, line.at, line.level, line.text) + "\n";
  if (mode_ != ConsoleMode::kPhases) {
    (is_bad || mode_ == ConsoleMode::kLinesOnError ? streams_.err : streams_.out)(plain);
    return;
  }
  const bool says_more = least_ < LogLevel::kInfo || !phases_->running();
  if (on_terminal == OnTerminal::kAlways ||
      (on_terminal == OnTerminal::kByLevel && (is_bad || says_more))) {
    phases_->line(
        is_bad
            ? fmt::format("{}: {}", line.level == LogLevel::kError ? "error" : "warning", line.text)
            : line.text);
  }
  // Who sends standard output to a file wants the lines there.
  if (!is_bad && !streams_.out_is_terminal) streams_.out(plain);
}

void RunConsole::to_files(const Line& line) {
  for (auto file = files_.begin(); file != files_.end();) {
    const Status written = file->write(line.at, line.level, line.text);
    if (written.ok()) {
      ++file;
      continue;
    }
    file = files_.erase(file);
    show({line.at, LogLevel::kWarning, written.error().message}, OnTerminal::kByLevel);
  }
}

void RunConsole::open_file(const std::string& path, unsigned mode, LineStamp form) {
  Result<LineFile> file = LineFile::open(path, mode, form);
  Status written = file.status();
  for (const Line& line : so_far_) {
    if (written.ok()) written = file.value().write(line.at, line.level, line.text);
  }
  if (written.ok()) {
    files_.push_back(std::move(file).value());
  } else {
    keep({clock_.wall_now(), LogLevel::kWarning, written.error().message}, OnTerminal::kByLevel);
  }
}

}  // namespace mha
