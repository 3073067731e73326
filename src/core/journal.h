// The record of an operation on disk, so that what a killed program began can be undone by another
// process.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "ports/clock.h"

namespace mha {

// Where the records of one operation go. Not thread-safe.
class Journal {
 public:
  virtual ~Journal() = default;

  // Adds a record; it reaches the disk with the next sync() at the latest.
  virtual Status append(nlohmann::json record) = 0;
  // All appended records are on disk when this returns.
  virtual Status sync() = 0;
  // Of its file; empty where it has none.
  [[nodiscard]] virtual std::string path() const { return ""; }
};

// Keeps nothing: for operations that must go on where no journal can be written (the hard hook).
std::unique_ptr<Journal> make_null_journal();

// JSON lines in `<folder>/<operation>-<subject>-<UTC time>-<pid>.journal`, mode 0600, created here
// together with the folder (0700). Each record gets "time" (UTC, ISO 8601 with ms). `header` is the
// first record's content; no secrets. Errors name the file and the errno (kInternal), or what is
// wrong with the folder and what mends it (kDenied: somebody else can look into it): without a
// journal nothing reversible may begin.
Result<std::unique_ptr<Journal>> create_file_journal(const std::string& folder,
                                                     const std::string& operation,
                                                     const std::string& subject,
                                                     nlohmann::json header, const Clock& clock);

// A journal's records as read from disk; a torn last line (a crash in mid-write) is left out.
struct JournalFile {
  std::string path;
  std::vector<nlohmann::json> records;  // the first is the header
};

// Error (kInternal): unreadable, no journal, or damaged (journal_check.h), with file and line;
// kRefused: without a header, as a crash leaves it before anything is begun.
Result<JournalFile> read_journal(const std::string& path);

// The first of these, newest first as of find_journals(), that has a header; nullopt where none
// has. The error of one that is damaged: what an older one says is not true any more.
Result<std::optional<JournalFile>> read_newest_journal(const std::vector<std::string>& paths);

// Adds a record to a journal that another process wrote, and syncs.
Status append_to_journal(const std::string& path, nlohmann::json record, const Clock& clock);

// Waits until the process that writes the journal has let go of it: it holds a lock as long as it
// lives. kTimeout where it still does at the deadline.
Status wait_for_journal(const std::string& path, Clock& clock, Deadline deadline);

// Paths of the journals of `operation` about `subject`, newest first; empty where there are none.
std::vector<std::string> find_journals(const std::string& folder, const std::string& operation,
                                       const std::string& subject);

// "2026-11-20T16:03:15.123Z": what a record's "time" looks like; sorts as text.
std::string utc_stamp(WallTime time);

// The part of a journal's file name that stands for a host and port.
std::string journal_subject(const std::string& host, std::uint16_t port);

}  // namespace mha
