// The metal driver's real scripts on a host whose ip, arping and sudo are stubs: what it says where
// something is missing or forbidden.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "component/real_clock.h"
#include "fakes/fake_log.h"
#include "fakes/local_shell.h"
#include "vip/metal.h"

namespace mha {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// The stubs' addresses are lines "INTERFACE ADDRESS/PREFIX" of a file; what they are asked goes to
// another.
constexpr const char* kIp = R"(#!/bin/sh
here=$(dirname "$0")/..
echo "ip $*" >>"$here/asked"
case "$*" in
"-o addr show") n=1; while read -r dev cidr; do
  echo "$n: $dev    inet $cidr scope global $dev\\       valid_lft forever"; n=$((n+1))
  done <"$here/addresses" ;;
"-o link show dev "*) echo "1: lo: <LOOPBACK,UP>" ;;
"addr add "*) echo "$5 $3" >>"$here/addresses" ;;
"addr del "*) grep -vxF "$5 $3" "$here/addresses" >"$here/new" || true
  if cmp -s "$here/new" "$here/addresses"; then
    echo "RTNETLINK answers: Cannot assign requested address" >&2; exit 2; fi
  mv "$here/new" "$here/addresses" ;;
"-batch -") while read -r line; do "$0" $line || exit 1; done ;;
*) echo "unexpected: ip $*" >&2; exit 255 ;;
esac
)";
constexpr const char* kArping = R"(#!/bin/sh
here=$(dirname "$0")/..
echo "arping $*" >>"$here/asked"
case "$*" in
*-D*) cat "$here/holder" 2>/dev/null ;;
esac
)";
constexpr const char* kSudo = R"(#!/bin/sh
test "$1" = -n || exit 99
shift
exec "$@"
)";
constexpr const char* kSudoDenied = R"(#!/bin/sh
echo 'sudo: a password is required' >&2
exit 1
)";

class MetalHostTest : public testing::Test {
 protected:
  MetalHostTest() {
    std::string pattern = (fs::temp_directory_path() / "mha-metal-XXXXXX").string();
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    fs::create_directories(folder_ / "bin");
    fs::create_directories(folder_ / "tmp");
    for (const char* tool : {"cat", "cmp", "dirname", "grep", "head", "mkfifo", "mktemp", "mv",
                             "rm", "sed", "sh", "sleep", "sort", "tr"}) {
      for (const char* dir : {"/usr/bin", "/bin"}) {
        std::error_code taken;
        if (fs::exists(fs::path(dir) / tool)) {
          fs::create_symlink(fs::path(dir) / tool, folder_ / "bin" / tool, taken);
        }
      }
    }
    stub("ip", kIp);
    stub("arping", kArping);
    stub("sudo", kSudo);
    write("addresses", "lo 127.0.0.1/8\n");
  }
  ~MetalHostTest() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
  }
  void stub(const std::string& name, const char* text) {
    write("bin/" + name, text);
    chmod((folder_ / "bin" / name).c_str(), 0755);
  }
  // The scripts look in the sbin folders as well: here they get a sh that keeps them from it.
  void without(const std::string& name) {
    fs::remove(folder_ / "bin" / name);
    fs::remove(folder_ / "bin" / "sh");
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
  std::unique_ptr<VipDriver> driver() {
    shell_ = std::make_unique<LocalShell>(
        "db1", clock_, std::vector<std::string>{},
        std::map<std::string, std::string>{{"PATH", (folder_ / "bin").string()},
                                           {"TMPDIR", (folder_ / "tmp").string()}});
    return make_metal_driver(place_, "db1", shell_.get(), clock_, log_);
  }
  Deadline soon() { return clock_.deadline_after(Milliseconds{20000}); }

  RealClock clock_;
  FakeLog log_;
  fs::path folder_;
  // An interface that every machine has.
  MetalPlace place_{{"10.0.0.100", 24, false}, "lo", true, NeighbourTalk::kProbeAndAnnounce};
  std::unique_ptr<LocalShell> shell_;
};

TEST_F(MetalHostTest, AllIsWell) {
  const Status checked = driver()->check(soon());
  EXPECT_TRUE(checked.ok()) << checked.error().message;
  EXPECT_TRUE(log_.lines().empty()) << log_.lines().front().text;
}

TEST_F(MetalHostTest, SudoThatAsksForAPasswordIsDeniedWithTheRemedy) {
  stub("sudo", kSudoDenied);
  const auto denied = driver();
  const Status checked = denied->check(soon());
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().code, Code::kDenied);
  EXPECT_THAT(checked.error().message,
              AllOf(HasSubstr("host 'db1'"), HasSubstr("sudo: a password is required"),
                    HasSubstr("sudoers")));
  EXPECT_FALSE(denied->assign(OtherHolder::kRefuse, soon()).ok());
  EXPECT_EQ(text_of("addresses"), "lo 127.0.0.1/8\n");
}

TEST_F(MetalHostTest, NoSudoAtAllIsDenied) {
  without("sudo");
  const Status checked = driver()->check(soon());
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().code, Code::kDenied);
  EXPECT_THAT(checked.error().message, HasSubstr("sudo"));
}

TEST_F(MetalHostTest, WithoutSudoWhereNoneIsRequired) {
  without("sudo");
  place_.requires_sudo = false;
  const auto root = driver();
  EXPECT_TRUE(root->check(soon()).ok());
  EXPECT_TRUE(root->assign(OtherHolder::kRefuse, soon()).ok());
  EXPECT_EQ(text_of("addresses"), "lo 127.0.0.1/8\nlo 10.0.0.100/24\n");
  EXPECT_TRUE(root->remove(soon()).ok());
  EXPECT_EQ(text_of("addresses"), "lo 127.0.0.1/8\n");
}

TEST_F(MetalHostTest, AnInterfaceThatIsNotThereIsNamed) {
  place_.interface = "eth99";
  const Status checked = driver()->check(soon());
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().code, Code::kRefused);
  EXPECT_THAT(checked.error().message, AllOf(HasSubstr("'eth99'"), HasSubstr("cluster_interface")));
}

TEST_F(MetalHostTest, WithoutArpingTheAddressWorksAndThatIsSaid) {
  without("arping");
  const auto quiet = driver();
  EXPECT_TRUE(quiet->check(soon()).ok());
  EXPECT_TRUE(log_.has(LogLevel::kWarning, "arping was not found; install iputils-arping"));
  EXPECT_TRUE(quiet->assign(OtherHolder::kRefuse, soon()).ok());
  EXPECT_THAT(text_of("addresses"), HasSubstr("lo 10.0.0.100/24"));
}

TEST_F(MetalHostTest, ArpingThatSudoForbidsIsSaid) {
  stub("sudo",
       "#!/bin/sh\nshift\ncase \"$1\" in *arping) echo 'sudo: not allowed' >&2; exit 1;; "
       "esac\nexec \"$@\"\n");
  EXPECT_TRUE(driver()->check(soon()).ok());
  EXPECT_TRUE(log_.has(LogLevel::kWarning, "sudo: not allowed"));
  EXPECT_TRUE(log_.has(LogLevel::kWarning, "sudoers"));
}

TEST_F(MetalHostTest, WhereArpingIsNotRequiredItIsNotRun) {
  place_.talk = NeighbourTalk::kNone;
  const auto quiet = driver();
  EXPECT_TRUE(quiet->check(soon()).ok());
  EXPECT_TRUE(quiet->assign(OtherHolder::kRefuse, soon()).ok());
  EXPECT_THAT(text_of("asked"), Not(HasSubstr("arping")));
  EXPECT_TRUE(log_.lines().empty() || !log_.has(LogLevel::kWarning, ""));
}

TEST_F(MetalHostTest, WithoutIpNothingIsDone) {
  without("ip");
  const Status checked = driver()->check(soon());
  ASSERT_FALSE(checked.ok());
  EXPECT_THAT(checked.error().message, HasSubstr("install iproute2"));
}

// The scripts ask the network in the background: what they use for that is gone afterwards.
TEST_F(MetalHostTest, NothingIsLeftInTheTemporaryFolder) {
  stub("arping",
       "#!/bin/sh\ncase \"$*\" in *-D*) sleep 0.3; "
       "echo ended >>\"$(dirname \"$0\")/../ended\";; esac\n");
  const auto metal = driver();
  ASSERT_TRUE(metal->assign(OtherHolder::kRefuse, soon()).ok());
  ASSERT_TRUE(metal->other_holders(soon()).ok());
  ASSERT_TRUE(metal->remove(soon()).ok());
  metal->prepare_assign(soon());
  ASSERT_TRUE(metal->assign(OtherHolder::kRefuse, soon()).ok());
  metal->prepare_remove(soon());
  ASSERT_TRUE(metal->remove(soon()).ok());
  metal->prepare_assign(soon());
  shell_.reset();  // what was prepared is not used
  const Deadline deadline = soon();
  const auto probes_ended = [this] {
    const std::string ended = text_of("ended");
    return std::count(ended.begin(), ended.end(), '\n');
  };
  while (probes_ended() < 4 && !clock_.passed(deadline)) clock_.sleep_for(Milliseconds{20});
  ASSERT_EQ(probes_ended(), 4);
  // What the script does after its arping takes a moment; nothing may come back then.
  const Deadline settled = clock_.deadline_after(Milliseconds{200});
  while (!clock_.passed(settled)) {
    clock_.sleep_for(Milliseconds{20});
  }
  EXPECT_TRUE(fs::is_empty(folder_ / "tmp")) << fs::directory_iterator(folder_ / "tmp")->path();
}

}  // namespace
}  // namespace mha
