// What a run of the engine tells: to the terminal as phases or as plain lines, to its log file and
// to MHA's manager_log.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "cli/line_file.h"
#include "cli/output_queue.h"
#include "cli/phases.h"
#include "core/plan_observer.h"
#include "ports/clock.h"

namespace mha {

enum class ConsoleMode {
  kPhases,        // standard error is a terminal: phases there, with warnings and errors between
  kLines,         // info to standard output, warnings and errors to standard error, stamped
  kLinesOnError,  // all lines to standard error: standard output is for a JSON document
};

enum class OutputFormat { kText, kJson };

// What there is, by what our streams are. A terminal that cannot go back in a line (TERM=dumb, or
// none) gets lines.
ConsoleMode console_mode(OutputFormat format);

// Where bytes for the person go; a test's own.
struct ConsoleStreams {
  std::function<void(std::string_view)> out;
  std::function<void(std::string_view)> err;
  std::size_t columns = 80;
  bool out_is_terminal = false;
};
ConsoleStreams standard_streams();

// Log and observer of one run. None of its functions waits for a terminal or a disk but drain(),
// put_lines() and the destructor. Thread-safe.
class RunConsole : public Log, public PlanObserver {
 public:
  // `clock` outlives it. Lines below `least` are dropped, from the files too.
  RunConsole(ConsoleMode mode, LogLevel least, ConsoleStreams streams, const Clock& clock);

  // From now on all lines are appended to MHA's manager_log too, those from before as well.
  void append_to_manager_log(const std::string& path);

  // On a terminal the info lines that come while a phase runs are left to it, unless --verbose is
  // said.
  void write(LogLevel level, std::string_view line) override;

  // As the log's info lines (as errors where `level` says so), and on the terminal as they are.
  void put_lines(LogLevel level, const std::vector<std::string>& lines);

  // Waits until all of it is written.
  void drain();

  // The run's log file begins here, beside the journal (".log" instead of ".journal"), mode 0600.
  void operation_began(const std::string& journal_path) override;
  void phase_began(const std::vector<std::string>& what) override;
  void phase_ended(const Status& how) override;
  void clients_wait() override;
  void clients_served() override;
  void point_of_no_return_passed() override;
  void undo_began(const Error& why, std::size_t steps) override;
  void step_undone(const std::string& step, const Status& how) override;

 private:
  struct Line {
    WallTime at;
    LogLevel level;
    std::string text;
  };
  enum class OnTerminal { kByLevel, kAlways, kNever };

  // All of these run in the queue's thread.
  void keep(Line line, OnTerminal on_terminal);
  void show(const Line& line, OnTerminal on_terminal);
  void to_files(const Line& line);
  void open_file(const std::string& path, unsigned mode, LineStamp form);

  void mark(std::string text);
  void post_line(LogLevel level, std::string text, OnTerminal on_terminal);

  const ConsoleMode mode_;
  const LogLevel least_;
  const ConsoleStreams streams_;
  const Clock& clock_;
  std::optional<Phases> phases_;
  std::vector<Line> so_far_;  // for a file that is opened later
  std::list<LineFile> files_;
  // Of the operation's own thread.
  std::string phase_;
  TimePoint phase_began_{};
  TimePoint undo_step_began_{};
  OutputQueue queue_;  // the last member: its thread uses the others
};

// The path of a run's log, beside its journal.
std::string log_path_of(const std::string& journal_path);

}  // namespace mha
