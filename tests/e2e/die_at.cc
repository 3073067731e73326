// Ends the process into which it is preloaded, as SIGKILL does, in place of one of its effects on
// the world: what it has sent and written until then is all that there is of it.
//
// An effect is a call that sends to a socket, writes to a file, or syncs one; they are looked at in
// order, over all threads. From the first that contains DIE_AT_FROM on they are counted, that one
// being number 0. The first of these that contains DIE_AT_TEXT (an empty one: the first) is the
// place; of the effects from it on, number DIE_AT_COUNT is not made (-1: all are). DIE_AT_LOG is a
// file that gets a line for each that is counted, with what can be read of it.
//
// MOMENTS_AT is a file with more such places, one a line: COUNT ACTION FILE TEXT. Each comes once
// for all processes together, and only while FILE is there, which is removed then. ACTION is the
// number of a signal that the process sends itself; 0 halts it as long as FILE.reached is there,
// which it makes; -1 puts the clock (CLOCK_REALTIME) an hour ahead, of this process and of those
// that begin while FILE.ahead is there.
//
// The program itself is as it is installed, and knows nothing of this.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

std::atomic<bool> clock_is_ahead{false};

// A place, and what happens at an effect that is so many behind it.
class Moment {
 public:
  static constexpr int kHalt = 0;
  static constexpr int kStepClock = -1;

  explicit Moment(const std::string& line) {
    std::istringstream words(line);
    words >> count_ >> action_ >> file_ >> std::ws;
    std::getline(words, text_);
    if (action_ == kStepClock && access(ahead().c_str(), F_OK) == 0) clock_is_ahead = true;
  }

  // Before each effect.
  void see(std::string_view data) {
    if (since_place_ < 0 && !text_.empty() && data.find(text_) == std::string_view::npos) return;
    // From its count on: the file may be there later, or have been taken by another process.
    if (++since_place_ >= count_ && unlink(file_.c_str()) == 0) come();
  }

 private:
  static void make(const std::string& path) {
    close(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  }
  [[nodiscard]] std::string ahead() const { return file_ + ".ahead"; }

  void come() const {
    if (action_ == kStepClock) {
      make(ahead());
      clock_is_ahead = true;
    } else if (action_ != kHalt) {
      kill(getpid(), action_);
      while (action_ == SIGKILL) pause();
    } else {
      const std::string reached = file_ + ".reached";
      make(reached);
      while (access(reached.c_str(), F_OK) == 0) usleep(1000);
    }
  }

  long count_ = 0;
  int action_ = kHalt;
  std::string file_;
  std::string text_;
  long since_place_ = -1;  // of the effect that is looked at; -1: it has not come
};

class Executioner {
 public:
  static Executioner& instance() {
    static Executioner one;
    return one;
  }

  // Before each effect.
  void see(const char* call, std::string_view data) {
    if (log_ < 0) return;
    const std::scoped_lock lock(mutex_);
    for (Moment& moment : moments_) moment.see(data);
    if (number_ < 0 && !has(data, from_)) return;
    ++number_;
    if (since_place_ >= 0 || text_.empty() || has(data, text_)) ++since_place_;
    const bool dies = since_place_ >= 0 && since_place_ == count_;
    note(call, data, dies ? "not made" : "made");
    if (dies) {
      kill(getpid(), SIGKILL);
      for (;;) pause();
    }
  }

 private:
  Executioner() {
    const char* log = std::getenv("DIE_AT_LOG");
    if (log == nullptr) return;
    from_ = text_of("DIE_AT_FROM");
    text_ = text_of("DIE_AT_TEXT");
    count_ = std::strtol(text_of("DIE_AT_COUNT").c_str(), nullptr, 10);
    log_ = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    std::ifstream more(text_of("MOMENTS_AT"));
    for (std::string line; std::getline(more, line);) moments_.emplace_back(line);
  }

  static std::string text_of(const char* variable) {
    const char* value = std::getenv(variable);
    return value == nullptr ? "" : value;
  }

  static bool has(std::string_view data, const std::string& text) {
    return data.find(text) != std::string_view::npos;
  }

  void note(const char* call, std::string_view data, const char* what) const {
    std::string line = std::to_string(number_) + " " + what + " " + call + " ";
    for (const char c : data.substr(0, kShown)) {
      line += std::isprint(static_cast<unsigned char>(c)) != 0 ? c : '.';
    }
    line += '\n';
    // Not by write(), which is ours.
    syscall(SYS_write, log_, line.data(), line.size());
  }

  static constexpr std::size_t kShown = 4000;
  std::mutex mutex_;
  std::vector<Moment> moments_;
  std::string from_;
  std::string text_;
  long count_ = -1;
  long number_ = -1;       // of the effect that is looked at, from DIE_AT_FROM on
  long since_place_ = -1;  // likewise, from the place on
  int log_ = -1;
};

void see(const char* call, std::string_view data) { Executioner::instance().see(call, data); }

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

std::string_view bytes(const void* data, std::size_t size) {
  return {static_cast<const char*>(data), size};
}

std::string_view first_of(const iovec* parts, std::size_t count) {
  return count == 0 ? std::string_view{} : bytes(parts[0].iov_base, parts[0].iov_len);
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* data, size_t size) {
  static auto* const next = real<ssize_t(int, const void*, size_t)>("write");
  see("write", bytes(data, size));
  return next(fd, data, size);
}

ssize_t writev(int fd, const iovec* parts, int count) {
  static auto* const next = real<ssize_t(int, const iovec*, int)>("writev");
  see("writev", first_of(parts, static_cast<std::size_t>(std::max(count, 0))));
  return next(fd, parts, count);
}

ssize_t send(int fd, const void* data, size_t size, int flags) {
  static auto* const next = real<ssize_t(int, const void*, size_t, int)>("send");
  see("send", bytes(data, size));
  return next(fd, data, size, flags);
}

ssize_t sendto(int fd, const void* data, size_t size, int flags, const sockaddr* to,
               socklen_t to_size) {
  static auto* const next =
      real<ssize_t(int, const void*, size_t, int, const sockaddr*, socklen_t)>("sendto");
  see("sendto", bytes(data, size));
  return next(fd, data, size, flags, to, to_size);
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  static auto* const next = real<ssize_t(int, const msghdr*, int)>("sendmsg");
  see("sendmsg", first_of(message->msg_iov, message->msg_iovlen));
  return next(fd, message, flags);
}

int fdatasync(int fd) {
  static auto* const next = real<int(int)>("fdatasync");
  see("fdatasync", {});
  return next(fd);
}

int clock_gettime(clockid_t clock, timespec* now) noexcept {
  constexpr time_t kHour = 3600;
  static auto* const next = real<int(clockid_t, timespec*)>("clock_gettime");
  const int status = next(clock, now);
  if (status == 0 && clock == CLOCK_REALTIME && clock_is_ahead) now->tv_sec += kHour;
  return status;
}

}  // extern "C"
