// Journals as files of JSON lines.
#include "core/journal.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "base/private_folder.h"
#include "core/journal_check.h"

namespace mha {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

Error system_error(const std::string& doing, const std::string& path) {
  return Error{Code::kInternal, fmt::format("{} {}: {}", doing, path, std::strerror(errno))};
}

std::string utc_text(WallTime time, const char* format) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format(fmt::runtime(format),
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)));
}

// A text that stands in a file name: what is not plain becomes %XX.
std::string file_name_part(const std::string& text) {
  std::string part;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '_';
    if (plain) {
      part += c;
    } else {
      part += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return part;
}

class NullJournal : public Journal {
 public:
  Status append(json /*record*/) override { return {}; }
  Status sync() override { return {}; }
};

class FileJournal : public Journal {
 public:
  FileJournal(int fd, std::string path, const Clock& clock)
      : fd_(fd), path_(std::move(path)), clock_(clock) {}
  FileJournal(const FileJournal&) = delete;
  FileJournal& operator=(const FileJournal&) = delete;
  ~FileJournal() override {
    static_cast<void>(flush());  // best effort: whoever needed it on disk has called sync()
    give_room_back();
    close(fd_);
  }

  Status append(json record) override {
    record["time"] = utc_stamp(clock_.wall_now());
    pending_ += record.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
    return {};
  }

  std::string path() const override { return path_; }

  void begin_line() { pending_ += '\n'; }

  Status sync() override {
    if (Status flushed = flush(); !flushed.ok()) return flushed;
    if (fdatasync(fd_) != 0) return system_error("cannot sync the journal", path_);
    return {};
  }

 private:
  // What was reserved and is not needed: cutting a file at its end frees what lies behind it.
  void give_room_back() const {
    struct stat now {};
    if (fstat(fd_, &now) == 0) static_cast<void>(ftruncate(fd_, now.st_size));
  }

  Status flush() {
    while (!pending_.empty()) {
      const ssize_t written = write(fd_, pending_.data(), pending_.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return system_error("cannot write the journal", path_);
      pending_.erase(0, static_cast<std::size_t>(written));
    }
    return {};
  }

  int fd_;
  std::string path_;
  const Clock& clock_;
  std::string pending_;
};

// Room for all that is noted until the end, the undo's steps too: on a disk that fills up meanwhile
// a journal without its end would call unfinished what was put back. Not every file system can.
Status reserve_room(int fd, const std::string& path) {
  constexpr off_t kRoom = 256 * 1024;
  if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, kRoom) == 0) return {};
  if (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINTR) return {};
  return system_error("cannot reserve room for the journal", path);
}

// A new file's name is on disk only after its folder is.
void sync_folder(const std::string& folder) {
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  static_cast<void>(fsync(fd));
  close(fd);
}

}  // namespace

std::string utc_stamp(WallTime time) {
  const auto since = time.time_since_epoch();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since).count() % 1000;
  return fmt::format("{}.{:03}Z", utc_text(time, "{:%Y-%m-%dT%H:%M:%S}"), ms);
}

std::unique_ptr<Journal> make_null_journal() { return std::make_unique<NullJournal>(); }

std::string journal_subject(const std::string& host, std::uint16_t port) {
  return file_name_part(fmt::format("{}_{}", host, port));
}

Result<std::unique_ptr<Journal>> create_file_journal(const std::string& folder,
                                                     const std::string& operation,
                                                     const std::string& subject, json header,
                                                     const Clock& clock) {
  if (Status made = ensure_private_folder(folder); !made.ok()) {
    return made.error().with_context("the state folder");
  }
  const WallTime now = clock.wall_now();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
  const std::string path =
      fmt::format("{}/{}-{}-{}{:03}-{}.journal", folder, operation, subject,
                  utc_text(now, "{:%Y%m%dT%H%M%S}"), ms.count() % 1000, getpid());
  const int fd =
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return system_error("cannot create the journal", path);
  auto journal = std::make_unique<FileJournal>(fd, path, clock);
  // Held until the descriptor goes, at our end at the latest: see wait_for_journal().
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) return system_error("cannot lock the journal", path);
  if (Status reserved = reserve_room(fd, path); !reserved.ok()) return reserved.error();
  header["event"] = "operation";
  header["operation"] = operation;
  header["path"] = path;
  Status noted = journal->append(std::move(header));
  if (noted.ok()) noted = journal->sync();
  if (!noted.ok()) return noted.error();
  sync_folder(folder);
  return std::unique_ptr<Journal>{std::move(journal)};
}

Result<JournalFile> read_journal(const std::string& path) {
  std::ifstream file(path);
  if (!file) return system_error("cannot read the journal", path);
  JournalFile journal{path, {}};
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    json record = json::parse(line, nullptr, false);
    if (!record.is_object() || !record.contains("event")) continue;
    if (const Status checked = check_journal_record(record); !checked.ok()) {
      return Error{Code::kInternal,
                   fmt::format("{}:{}: {}: this journal is damaged, and what it began is to be "
                               "looked for by hand",
                               path, number, checked.error().message)};
    }
    journal.records.push_back(std::move(record));
  }
  if (journal.records.empty()) {
    return Error{Code::kRefused, fmt::format("nothing was begun in the journal {}", path)};
  }
  if (journal.records.front().value("event", "") != "operation") {
    return Error{Code::kInternal, fmt::format("{} is not a journal", path)};
  }
  return journal;
}

Result<std::optional<JournalFile>> read_newest_journal(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    Result<JournalFile> journal = read_journal(path);
    if (journal.ok()) return std::optional<JournalFile>{std::move(journal).value()};
    if (journal.error().code != Code::kRefused) return journal.error();
  }
  return std::optional<JournalFile>{};
}

Status append_to_journal(const std::string& path, json record, const Clock& clock) {
  const int fd = open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return system_error("cannot write the journal", path);
  FileJournal journal(fd, path, clock);
  // The last line may be torn: this record must not become a part of it. Empty lines are passed
  // over.
  journal.begin_line();
  if (Status noted = journal.append(std::move(record)); !noted.ok()) return noted;
  return journal.sync();
}

Status wait_for_journal(const std::string& path, Clock& clock, Deadline deadline) {
  constexpr Milliseconds kPoll{20};
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return system_error("cannot read the journal", path);
  bool is_free = flock(fd, LOCK_SH | LOCK_NB) == 0;
  while (!is_free && !clock.passed(deadline)) {
    clock.sleep_until(std::min(clock.now() + kPoll, deadline.at()));
    is_free = flock(fd, LOCK_SH | LOCK_NB) == 0;
  }
  close(fd);
  if (is_free) return {};
  return Error{Code::kTimeout, fmt::format("the process that writes {} is still at work", path)};
}

std::vector<std::string> find_journals(const std::string& folder, const std::string& operation,
                                       const std::string& subject) {
  const std::string prefix = fmt::format("{}-{}-", operation, subject);
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(prefix) && name.ends_with(".journal")) paths.push_back(entry.path());
  }
  // The time in the name sorts as text.
  std::sort(paths.rbegin(), paths.rend());
  return paths;
}

}  // namespace mha
