// The keeper always ends, and serves no one but its own user.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <filesystem>
#include <list>
#include <thread>

#include "component/ssh/kept_session_fixture.h"

namespace mha {
namespace {

using ::testing::HasSubstr;

// ---- ends

TEST_F(KeptSessionTest, EndsAtARequest) {
  const auto shell = kept(options());
  EXPECT_TRUE(shell->end_keeper(in(2000)).ok());
  EXPECT_TRUE(ends(shell->keeper_pid()));
  EXPECT_FALSE(std::filesystem::exists(socket_path()));
  EXPECT_EQ(error_of(shell->run("true", in(1000))).code, Code::kUnreachable);
}

TEST_F(KeptSessionTest, EndsWithTheLastUser) {
  const int keeper = kept(options())->keeper_pid();
  {
    const auto shell = open(KeeperAfterwards::kEnds);
    ASSERT_TRUE(shell.ok()) << shell.error().message;
    EXPECT_EQ(hello(*shell.value()), "hello\n");
    EXPECT_TRUE(alive(keeper));
  }
  EXPECT_TRUE(ends(keeper));
}

TEST_F(KeptSessionTest, EndsWhenNobodyComes) {
  int keeper = 0;
  Milliseconds taken{0};
  {
    const auto shell = kept(options(600));
    keeper = shell->keeper_pid();
    // It counts from the last client's going.
    std::this_thread::sleep_for(Milliseconds{900});
    EXPECT_TRUE(alive(keeper));
  }
  taken = time_of([&] { EXPECT_TRUE(ends(keeper)); });
  EXPECT_GE(taken.count(), 500);
  EXPECT_LE(taken.count(), 1500);
  EXPECT_FALSE(std::filesystem::exists(socket_path()));
}

TEST_F(KeptSessionTest, EndsAfterItsLifetimeWhateverClientsDo) {
  const auto shell = kept(options(20000, 700));
  const FileDescriptor silent = raw_client();
  EXPECT_TRUE(ends(shell->keeper_pid(), 2));
}

TEST_F(KeptSessionTest, EndsWithTheSession) {
  TestSshd sshd;
  Result<std::unique_ptr<KeptShell>> shell = keep(options(), sshd);
  ASSERT_TRUE(shell.ok()) << shell.error().message;
  sshd.stop();
  EXPECT_TRUE(ends(shell.value()->keeper_pid(), 2));
  EXPECT_EQ(error_of(shell.value()->run("true", in(1000))).code, Code::kUnreachable);
}

TEST_F(KeptSessionTest, EndsAtSigtermAndTakesItsSocketWithIt) {
  const auto shell = kept(options());
  ASSERT_EQ(::kill(shell->keeper_pid(), SIGTERM), 0);
  EXPECT_TRUE(ends(shell->keeper_pid()));
  EXPECT_FALSE(std::filesystem::exists(socket_path()));
}

TEST_F(KeptSessionTest, StaleSocketOfAKilledKeeper) {
  const auto shell = kept(options());
  ASSERT_EQ(::kill(shell->keeper_pid(), SIGKILL), 0);
  EXPECT_TRUE(ends(shell->keeper_pid()));
  ASSERT_TRUE(std::filesystem::exists(socket_path()));
  Error error{Code::kInternal, ""};
  const Milliseconds taken = time_of([&] { error = error_of(open()); });
  EXPECT_EQ(error.code, Code::kUnreachable);
  EXPECT_LE(taken.count(), 100);
  const auto next = kept(options());
  const auto again = open();
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again.value()->keeper_pid(), next->keeper_pid());
}

TEST_F(KeptSessionTest, ANewKeeperTakesThePlaceOfTheOld) {
  const auto first = kept(options());
  const auto second = kept(options());
  EXPECT_NE(first->keeper_pid(), second->keeper_pid());
  EXPECT_TRUE(ends(first->keeper_pid()));
  EXPECT_EQ(hello(*second), "hello\n");
  EXPECT_TRUE(open().ok());
}

// The old one does not hear, and its end must not take the new one's socket away.
TEST_F(KeptSessionTest, ANewKeeperTakesThePlaceOfOneThatHangs) {
  const auto first = kept(options());
  ASSERT_EQ(::kill(first->keeper_pid(), SIGSTOP), 0);
  const auto second = kept(options());
  ASSERT_EQ(::kill(first->keeper_pid(), SIGCONT), 0);
  ASSERT_EQ(::kill(first->keeper_pid(), SIGTERM), 0);
  EXPECT_TRUE(ends(first->keeper_pid()));
  const auto shell = open();
  ASSERT_TRUE(shell.ok()) << shell.error().message;
  EXPECT_EQ(shell.value()->keeper_pid(), second->keeper_pid());
}

// ---- clients that do not behave

TEST_F(KeptSessionTest, SilentClientsHoldUpNobody) {
  const auto shell = kept(options());
  std::list<FileDescriptor> silent;
  for (int i = 0; i < 20; ++i) silent.push_back(raw_client());
  const auto other = open();
  ASSERT_TRUE(other.ok()) << other.error().message;
  EXPECT_EQ(hello(*other.value()), "hello\n");
}

TEST_F(KeptSessionTest, HalfARequestAndGarbage) {
  const auto shell = kept(options());
  const FileDescriptor half = raw_client();
  ASSERT_EQ(::send(half.get(), "\0\0\0\x10\0", 5, MSG_NOSIGNAL), 5);
  const FileDescriptor garbage = raw_client();
  ASSERT_EQ(::send(garbage.get(), "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL), 18);
  // It is dropped for that.
  char byte = 0;
  ASSERT_EQ(wait_for(garbage.get(), POLLIN, clock_, in(2000)), WaitResult::kReady);
  EXPECT_LE(::read(garbage.get(), &byte, 1), 0);
  EXPECT_EQ(hello(*shell), "hello\n");
}

TEST_F(KeptSessionTest, ClientThatDoesNotReadItsAnswer) {
  const auto shell = kept(options());
  const FileDescriptor deaf = raw_client();
  const std::string request = to_wire(to_frame(KeeperRequest{
      KeeperRequest::Kind::kRun, "head -c 10485760 /dev/zero", Milliseconds{10000}, {}}));
  ASSERT_EQ(::send(deaf.get(), request.data(), request.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(request.size()));
  EXPECT_EQ(hello(*shell), "hello\n");
}

// ---- who may

TEST_F(KeptSessionTest, FolderIsPrivate) {
  const auto shell = kept(options());
  struct stat info {};
  ASSERT_EQ(::stat(folder_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0700U);
  ASSERT_EQ(::stat(socket_path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
}

TEST_F(KeptSessionTest, FolderThatOthersCanUseIsRefused) {
  ASSERT_EQ(::mkdir(folder_.c_str(), 0755), 0);
  ASSERT_EQ(::chmod(folder_.c_str(), 0755), 0);
  for (const Error& error : {error_of(keep(options(), *sshd_)), error_of(open())}) {
    EXPECT_EQ(error.code, Code::kDenied);
    EXPECT_THAT(error.message, HasSubstr("chmod 700 " + folder_));
  }
  EXPECT_FALSE(std::filesystem::exists(socket_path()));
}

TEST_F(KeptSessionTest, LinkOrFileInPlaceOfTheFolderIsRefused) {
  std::filesystem::create_directory(dir_.file("elsewhere"));
  ASSERT_EQ(::chmod(dir_.file("elsewhere").c_str(), 0700), 0);
  std::filesystem::create_symlink(dir_.file("elsewhere"), folder_);
  EXPECT_EQ(error_of(keep(options(), *sshd_)).code, Code::kDenied);
  EXPECT_EQ(error_of(open()).code, Code::kDenied);
  std::filesystem::remove(folder_);
  write_file(folder_, "");
  EXPECT_EQ(error_of(keep(options(), *sshd_)).code, Code::kDenied);
}

TEST_F(KeptSessionTest, AnotherUsersFolderIsRefused) {
  if (::geteuid() != 0) return cannot_run("only root can give a folder away");
  ASSERT_EQ(::mkdir(folder_.c_str(), 0700), 0);
  ASSERT_EQ(::chown(folder_.c_str(), 65534, 65534), 0);
  EXPECT_EQ(error_of(keep(options(), *sshd_)).code, Code::kDenied);
  EXPECT_EQ(error_of(open()).code, Code::kDenied);
}

// Even where the files' modes let him through.
TEST_F(KeptSessionTest, AnotherUserIsNotServed) {
  if (::geteuid() != 0) return cannot_run("only root can become another user");
  const auto shell = kept(options());
  ASSERT_EQ(::chmod(dir_.path().c_str(), 0755), 0);
  ASSERT_EQ(::chmod(folder_.c_str(), 0755), 0);
  ASSERT_EQ(::chmod(socket_path().c_str(), 0666), 0);
  const std::string path = socket_path();
  const pid_t stranger = ::fork();
  if (stranger == 0) {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(2);
    const FileDescriptor socket = raw_client(path);
    if (!socket.valid()) ::_exit(3);
    const std::string request =
        to_wire(to_frame(KeeperRequest{KeeperRequest::Kind::kHello, {}, {}, {}}));
    ::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL);
    char byte = 0;
    const bool woke = wait_for(socket.get(), POLLIN, clock_, in(3000)) == WaitResult::kReady;
    ::_exit(woke && ::read(socket.get(), &byte, 1) <= 0 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(stranger, &status, 0), stranger);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(hello(*shell), "hello\n");
}

}  // namespace
}  // namespace mha
