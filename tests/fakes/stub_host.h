// A host whose ip, arping and sudo are stubs, for the metal driver's real scripts without root.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "component/real_clock.h"
#include "fakes/local_shell.h"

namespace mha {

// A folder that plays the host, gone with this object. Files of it:
//   addresses   what the stub of ip shows and changes: lines "INTERFACE ADDRESS/PREFIX"
//   asked       what the stubs were called with
//   neighbours  folders of the hosts that arping -D reaches, a line each
//   link        the address that arping -D of a neighbour shows
//   unplugged   where it exists, the host does not answer its neighbours
//   holder      where it exists, what arping -D prints
class StubHost {
 public:
  StubHost() {
    std::string pattern = (std::filesystem::temp_directory_path() / "mha-stub-XXXXXX").string();
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    std::filesystem::create_directories(folder_ / "bin");
    std::filesystem::create_directories(folder_ / "tmp");
    for (const char* tool : {"cat", "cmp", "dirname", "grep", "head", "mkfifo", "mktemp", "mv",
                             "rm", "sed", "sh", "sleep", "sort", "tr"}) {
      for (const char* dir : {"/usr/bin", "/bin"}) {
        std::error_code taken;
        if (std::filesystem::exists(std::filesystem::path(dir) / tool)) {
          std::filesystem::create_symlink(std::filesystem::path(dir) / tool, folder_ / "bin" / tool,
                                          taken);
        }
      }
    }
    stub("ip", kIp);
    stub("arping", kArping);
    stub("sudo", kSudo);
    write("addresses", "lo 127.0.0.1/8\n");
    write("link", "02:00:00:00:00:11\n");
  }
  // Announcements may still run; under another name they find nothing to write to.
  ~StubHost() {
    std::error_code error;
    const std::filesystem::path gone = folder_.string() + ".gone";
    std::filesystem::rename(folder_, gone, error);
    std::filesystem::remove_all(error ? folder_ : gone, error);
    std::filesystem::remove_all(gone, error);  // what had it open when it was renamed
  }
  StubHost(const StubHost&) = delete;
  StubHost& operator=(const StubHost&) = delete;

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }
  void stub(const std::string& name, const char* text) const {
    write("bin/" + name, text);
    chmod((folder_ / "bin" / name).c_str(), 0755);
  }
  // The scripts look in the sbin folders as well: here they get a sh that keeps them from it.
  void without(const std::string& name) const {
    std::filesystem::remove(folder_ / "bin" / name);
    std::filesystem::remove(folder_ / "bin" / "sh");
    stub("sh", R"(#!/bin/sh
test "$1" = -c || exit 99
script=$(printf '%s' "$2" | sed 's#:/usr/local/sbin:/usr/sbin:/sbin"#"#')
test "$script" != "$2" || exit 98
exec /bin/sh -c "$script"
)");
  }
  [[nodiscard]] std::string text_of(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(folder_ / name).rdbuf();
    return text.str();
  }
  [[nodiscard]] bool has_address(const std::string& address) const {
    return text_of("addresses").find(" " + address + "/") != std::string::npos;
  }

  [[nodiscard]] std::unique_ptr<LocalShell> shell(const std::string& name, Clock& clock) const {
    return std::make_unique<LocalShell>(
        name, clock, std::vector<std::string>{},
        std::map<std::string, std::string>{{"PATH", (folder_ / "bin").string()},
                                           {"TMPDIR", (folder_ / "tmp").string()}});
  }

 private:
  static constexpr const char* kIp = R"(#!/bin/sh
here=$(dirname "$0")/..
echo "ip $*" >>"$here/asked"
case "$*" in
"-o addr show") n=1; while read -r dev cidr; do
  echo "$n: $dev    inet $cidr scope global $dev\\       valid_lft forever"; n=$((n+1))
  done <"$here/addresses" ;;
"-o link show dev "*) echo "1: lo: <LOOPBACK,UP>" ;;
"addr add "*) if grep -qxF "$5 $3" "$here/addresses"; then
    echo "RTNETLINK answers: File exists" >&2; exit 2; fi
  echo "$5 $3" >>"$here/addresses" ;;
"addr del "*) grep -vxF "$5 $3" "$here/addresses" >"$here/new" || true
  if cmp -s "$here/new" "$here/addresses"; then
    echo "RTNETLINK answers: Cannot assign requested address" >&2; exit 2; fi
  mv "$here/new" "$here/addresses" ;;
"-batch -") while read -r line; do "$0" $line || exit 1; done ;;
"-o -batch -") while read -r line; do case "$line" in
  "addr show") "$0" -o addr show ;;
  *) "$0" $line || exit 1 ;;
  esac; done ;;
*) echo "unexpected: ip $*" >&2; exit 255 ;;
esac
)";
  static constexpr const char* kArping = R"(#!/bin/sh
here=$(dirname "$0")/..
echo "arping $*" >>"$here/asked"
case "$*" in
*-D*) cat "$here/holder" 2>/dev/null
  for address; do :; done
  test -e "$here/unplugged" || test ! -e "$here/neighbours" ||
  while read -r there; do
    if test ! -e "$there/unplugged" && grep -qF " $address/" "$there/addresses"; then
      echo "Unicast reply from $address [$(cat "$there/link")]  0.6ms"
    fi
  done <"$here/neighbours" ;;
esac
)";
  static constexpr const char* kSudo = R"(#!/bin/sh
test "$1" = -n || exit 99
shift
exec "$@"
)";

  std::filesystem::path folder_;
};

// The shell of a StubHost for code under test whose clock is a fake one: deadlines are those of
// `clock`, and what has time left there has real time enough.
class StubShell : public RemoteShell {
 public:
  StubShell(const StubHost& host, const std::string& name, const Clock& clock)
      : clock_(clock), shell_(host.shell(name, real_)) {}

  [[nodiscard]] const std::string& host() const override { return shell_->host(); }
  Result<CommandOutput> run(const std::string& command, Deadline deadline) override {
    if (clock_.passed(deadline)) return late();
    return shell_->run(command, enough());
  }
  Status prepare(const std::string& name, const std::string& command, Deadline deadline) override {
    if (clock_.passed(deadline)) return late();
    return shell_->prepare(name, command, enough());
  }
  Result<CommandOutput> finish_prepared(const std::string& name, const std::string& input,
                                        Deadline deadline) override {
    if (clock_.passed(deadline)) return late();
    return shell_->finish_prepared(name, input, enough());
  }

 private:
  static Error late() { return {Code::kTimeout, "no time is left for a command"}; }
  [[nodiscard]] Deadline enough() const { return real_.deadline_after(Milliseconds{20000}); }

  const Clock& clock_;
  RealClock real_;
  std::unique_ptr<LocalShell> shell_;
};

}  // namespace mha
