// The spool folder: one JSON file a mail, named by time, so that names sort by age.
#include "mail/spool.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>
#include <utility>

#include "base/private_folder.h"

namespace mha {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view kSuffix = ".mail.json";

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool open() const { return fd_ >= 0; }

 private:
  int fd_;
};

Error system_error(std::string_view doing, const std::string& path) {
  return Error{Code::kInternal,
               fmt::format("spooling a mail: cannot {} '{}': {}", doing, path, strerror(errno))};
}

// The folder is the spool's own, and a report that nobody gets is worse than one that some could
// read: where it stands open to others it is closed.
Status make_folder(const std::string& folder) {
  Status made = ensure_private_folder(folder);
  if (made.ok() || chmod(folder.c_str(), 0700) != 0) return made;
  return check_private_folder(folder);
}

Status write_all(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error("write", path);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (fsync(fd) != 0) return system_error("write", path);
  return {};
}

Status write_file(const std::string& path, std::string_view text) {
  const FileDescriptor file{open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (!file.open()) return system_error("make", path);
  return write_all(file.get(), text, path);
}

// File names of mails, oldest first.
Result<std::vector<std::string>> spooled_names(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it{folder, error}, end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.ends_with(kSuffix) && !name.starts_with('.')) names.push_back(name);
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return Error{Code::kInternal, fmt::format("reading the mail spool: cannot read '{}': {}",
                                              folder, error.message())};
  }
  std::sort(names.begin(), names.end());
  return names;
}

void drop_oldest(const std::string& folder) {
  const auto names = spooled_names(folder);
  if (!names.ok()) return;  // the next mail tries again
  for (std::size_t i = 0; i + kSpoolLimit < names.value().size(); ++i) {
    unlink((folder + '/' + names.value()[i]).c_str());
  }
}

Result<SpooledMail> read_spooled(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  try {
    const json entry = json::parse(text);
    return SpooledMail{
        path, entry.at("spooled_at").get<std::string>(),
        Mail{entry.at("from").get<std::string>(), entry.at("to").get<std::vector<std::string>>(),
             entry.at("subject").get<std::string>(), entry.at("body").get<std::string>()}};
  } catch (const json::exception&) {
    return Error{Code::kInternal, fmt::format("'{}' is not a spooled mail", path)};
  }
}

bool is_this_mails_fault(Code code) { return code == Code::kRefused || code == Code::kConfig; }

}  // namespace

Result<std::string> spool_mail(const std::string& folder, const Mail& mail, const Clock& clock) {
  if (Status status = make_folder(folder); !status.ok()) {
    return status.error().with_context("spooling a mail");
  }

  const auto now = std::chrono::floor<std::chrono::microseconds>(clock.wall_now());
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto micros = now.time_since_epoch().count() % 1'000'000;
  const json entry{{"spooled_at", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(seconds))},
                   {"from", mail.from},
                   {"to", mail.to},
                   {"subject", mail.subject},
                   {"body", mail.body}};
  const std::string text = entry.dump(2, ' ', false, json::error_handler_t::replace) + '\n';

  const std::string name = fmt::format("{:%Y%m%dT%H%M%S}.{:06}Z-{:08x}", fmt::gmtime(seconds),
                                       micros, std::random_device{}());
  const std::string temporary = fmt::format("{}/.{}.tmp", folder, name);
  const std::string path = fmt::format("{}/{}{}", folder, name, kSuffix);
  Status status = write_file(temporary, text);
  if (status.ok() && rename(temporary.c_str(), path.c_str()) != 0) {
    status = system_error("make", path);
  }
  if (!status.ok()) {
    unlink(temporary.c_str());
    return status.error();
  }
  const FileDescriptor directory{open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!directory.open() || fsync(directory.get()) != 0) return system_error("write", folder);
  drop_oldest(folder);
  return path;
}

Result<Spool> list_spool(const std::string& folder) {
  const auto names = spooled_names(folder);
  if (!names.ok()) return names.error();
  Spool spool;
  for (const std::string& name : names.value()) {
    auto mail = read_spooled(folder + '/' + name);
    if (mail.ok()) {
      spool.mails.push_back(std::move(mail).value());
    } else {
      spool.unreadable.push_back(mail.error().message);
    }
  }
  return spool;
}

Result<FlushOutcome> flush_spool(const std::string& folder, const SmtpServer& server,
                                 Mailer& mailer, Deadline deadline) {
  const FileDescriptor directory{open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!directory.open() && errno == ENOENT) return FlushOutcome{};
  if (!directory.open()) return system_error("read", folder);
  if (flock(directory.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error{Code::kRefused,
                 fmt::format("another process is sending the mails of '{}' now", folder)};
  }

  auto spool = list_spool(folder);
  if (!spool.ok()) return spool.error();
  FlushOutcome outcome;
  outcome.kept = spool.value().unreadable.size();
  outcome.problems = std::move(spool.value().unreadable);
  bool server_answers = true;
  for (SpooledMail& spooled : spool.value().mails) {
    if (!server_answers) {
      ++outcome.kept;
      continue;
    }
    spooled.mail.body =
        fmt::format("[This mail could not be sent at {} and was kept until now.]\n\n{}",
                    spooled.spooled_at, spooled.mail.body);
    const Status status = mailer.send(server, spooled.mail, deadline);
    if (status.ok() && unlink(spooled.path.c_str()) == 0) {
      ++outcome.sent;
      continue;
    }
    ++outcome.kept;
    outcome.problems.push_back(
        status.ok()
            ? fmt::format("'{}' was sent but cannot be removed: {}", spooled.path, strerror(errno))
            : fmt::format("'{}' is kept: {}", spooled.path, status.error().message));
    server_answers = status.ok() || is_this_mails_fault(status.error().code);
  }
  return outcome;
}

}  // namespace mha
