// Journals on disk: who may read them, what comes back, which is the newest.
#include "core/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "fakes/fake_clock.h"
#include "unit/core/state_folder.h"

namespace mha {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

mode_t permissions(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

class JournalTest : public testing::Test {
 protected:
  // The path of the new journal comes back; the journal itself is closed.
  std::string write_one(const std::string& operation, const std::string& host) {
    clock_.advance(Milliseconds{1});
    Result<std::unique_ptr<Journal>> journal = create_file_journal(
        state_dir_, operation, journal_subject(host, 3306), json{{"who", host}}, clock_);
    if (!journal.ok()) {
      ADD_FAILURE() << journal.error().message;
      return "";
    }
    EXPECT_TRUE(journal.value()->append({{"event", "one"}, {"n", 1}}).ok());
    EXPECT_TRUE(journal.value()->sync().ok());
    return find_journals(state_dir_, operation, journal_subject(host, 3306)).at(0);
  }

  FakeClock clock_;
  StateFolder folder_;
  std::string state_dir_ = folder_.path("state");
};

TEST_F(JournalTest, NobodyElseMayReadIt) {
  const mode_t old_mask = umask(0);
  const std::string path = write_one("online_stop", "db1");
  umask(old_mask);
  EXPECT_EQ(permissions(path), 0600U);
  EXPECT_EQ(permissions(state_dir_), 0700U);
}

TEST_F(JournalTest, FoldersAboveTheStateFolderAreMadeToo) {
  state_dir_ = folder_.path("a/b/state");
  EXPECT_THAT(write_one("online_stop", "db1"), HasSubstr("a/b/state/online_stop-"));
}

TEST_F(JournalTest, WhatIsWrittenComesBack) {
  const std::string path = write_one("online_stop", "db1");
  const Result<JournalFile> read = read_journal(path);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read.value().path, path);
  ASSERT_THAT(read.value().records, SizeIs(2));
  const json& header = read.value().records[0];
  EXPECT_EQ(header["event"], "operation");
  EXPECT_EQ(header["operation"], "online_stop");
  EXPECT_EQ(header["path"], path);
  EXPECT_EQ(header["who"], "db1");
  EXPECT_EQ(header["time"], "2024-01-01T00:00:00.001Z");
  EXPECT_EQ(read.value().records[1]["n"], 1);
}

TEST_F(JournalTest, TheNameSaysWhatWhenAndWho) {
  clock_.advance(std::chrono::hours{13} + Milliseconds{41});
  const std::string path = write_one("hard_stop", "db1");
  EXPECT_EQ(std::filesystem::path(path).filename().string(),
            "hard_stop-db1_3306-20240101T130000042-" + std::to_string(getpid()) + ".journal");
}

// What sync() has not seen may be lost; what it has seen may not.
TEST_F(JournalTest, SyncWritesAtOnce) {
  Result<std::unique_ptr<Journal>> journal =
      create_file_journal(state_dir_, "op", "subject", json::object(), clock_);
  ASSERT_TRUE(journal.ok());
  ASSERT_TRUE(journal.value()->append({{"event", "here"}}).ok());
  ASSERT_TRUE(journal.value()->sync().ok());
  EXPECT_THAT(read_whole(folder_.path("state/") +
                         std::filesystem::path(find_journals(state_dir_, "op", "subject").at(0))
                             .filename()
                             .string()),
              HasSubstr("\"here\""));
}

TEST_F(JournalTest, BytesThatAreNoUtf8DoNotBreakIt) {
  Result<std::unique_ptr<Journal>> journal =
      create_file_journal(state_dir_, "op", "subject", json::object(), clock_);
  ASSERT_TRUE(journal.ok());
  ASSERT_TRUE(
      journal.value()->append({{"event", "e"}, {"error", "bad \xff bytes\nand a line"}}).ok());
  ASSERT_TRUE(journal.value()->sync().ok());
  const Result<JournalFile> read = read_journal(find_journals(state_dir_, "op", "subject").at(0));
  ASSERT_TRUE(read.ok());
  EXPECT_THAT(read.value().records.at(1).value("error", ""), EndsWith("bytes\nand a line"));
}

TEST_F(JournalTest, ATornLastLineIsLeftOut) {
  const std::string path = write_one("online_stop", "db1");
  const std::string whole = read_whole(path);
  const std::size_t header_end = whole.find('\n') + 1;
  for (std::size_t size = header_end; size + 1 < whole.size(); ++size) {
    write_whole(path, whole.substr(0, size));
    const Result<JournalFile> read = read_journal(path);
    ASSERT_TRUE(read.ok()) << size;
    ASSERT_THAT(read.value().records, SizeIs(1)) << size;
  }
}

TEST_F(JournalTest, ARecordAfterATornLineIsNotLost) {
  const std::string path = write_one("online_stop", "db1");
  const std::string whole = read_whole(path);
  write_whole(path, whole.substr(0, whole.size() - 5));
  ASSERT_TRUE(append_to_journal(path, {{"event", "closed"}}, clock_).ok());
  const Result<JournalFile> read = read_journal(path);
  ASSERT_TRUE(read.ok());
  ASSERT_THAT(read.value().records, SizeIs(2));
  EXPECT_EQ(read.value().records[1]["event"], "closed");
}

TEST_F(JournalTest, AnotherProcessCanAdd) {
  const std::string path = write_one("online_stop", "db1");
  ASSERT_TRUE(append_to_journal(path, {{"event", "closed"}}, clock_).ok());
  const Result<JournalFile> read = read_journal(path);
  ASSERT_TRUE(read.ok());
  ASSERT_THAT(read.value().records, SizeIs(3));
  EXPECT_EQ(read.value().records[2]["event"], "closed");
  EXPECT_TRUE(read.value().records[2].contains("time"));
}

TEST_F(JournalTest, AddingDoesNotMakeAFile) {
  const std::string path = folder_.path("none.journal");
  const Status added = append_to_journal(path, {{"event", "closed"}}, clock_);
  ASSERT_FALSE(added.ok());
  EXPECT_THAT(added.error().message, HasSubstr(path));
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(JournalTest, WhatIsNoJournalIsRefused) {
  const std::string path = folder_.path("x.journal");
  for (const char* text : {"", "\n", "hello\n", "[1,2]\n", "{\"event\":\"step_begin\"}\n",
                           "{\"event\":7}\n", "\xff\n", "{\"event\":\"operation\"", "null\n"}) {
    write_whole(path, text);
    const Result<JournalFile> read = read_journal(path);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_THAT(read.error().message, HasSubstr(path)) << text;
  }
  const Result<JournalFile> missing = read_journal(folder_.path("missing.journal"));
  ASSERT_FALSE(missing.ok());
  EXPECT_THAT(missing.error().message, HasSubstr("No such file"));
  EXPECT_FALSE(read_journal(folder_.path()).ok()) << "a folder";
}

// A reader that guessed would put back something else than what was found.
TEST_F(JournalTest, DamagedRecordsAreRefusedByName) {
  const std::string path = write_one("online_stop", "db1");
  const std::string whole = read_whole(path);
  const std::vector<std::pair<std::string, std::string>> damages{
      {R"({"event":7})", "'event' is not a text"},
      {R"({"event":"e","found":[]})", "'found' is not an object"},
      {R"({"event":"e","parameters":{"host":"db1","port":65536}})", "'port' is not a port"},
      {R"({"event":"e","parameters":{"host":"db1","port":-1}})", "'port' is not a port"},
      {R"({"event":"e","found":{"receiver":"yes"}})", "'receiver' is not true or false"},
      {R"({"event":"e","facts":{"salvage":{"transactions":["a",1]}}})", "'transactions' is not"},
      {R"({"event":"e","facts":{"orig_end":{"position":1.5}}})", "'position' is not a number"},
      {R"({"event":"end","ending":4294967296})", "'ending' is not a number"},
      {R"({"event":"e","x":)" + std::string(100, '[') + std::string(100, ']') + "}", "levels"}};
  for (const auto& [line, what] : damages) {
    write_whole(path, whole + line + "\n");
    const Result<JournalFile> read = read_journal(path);
    ASSERT_FALSE(read.ok()) << line;
    EXPECT_THAT(read.error().message, AllOf(HasSubstr(path + ":3: "), HasSubstr(what))) << line;
  }
}

TEST_F(JournalTest, MembersThatNobodyKnowsMayBeAnything) {
  const std::string path = write_one("online_stop", "db1");
  write_whole(path, read_whole(path) + R"({"event":"e","new":{"thing":[1,null,{"host":"db1"}]}})");
  EXPECT_TRUE(read_journal(path).ok());
}

TEST_F(JournalTest, TheNewestIsFirst) {
  const std::string first = write_one("online_stop", "db1");
  clock_.advance(Milliseconds{999});  // over the second
  const std::string second = write_one("online_stop", "db1");
  clock_.advance(std::chrono::hours{24 * 40});
  const std::string third = write_one("online_stop", "db1");
  EXPECT_THAT(find_journals(state_dir_, "online_stop", journal_subject("db1", 3306)),
              ElementsAre(third, second, first));
}

TEST_F(JournalTest, OnlyTheSubjectsOwnAreFound) {
  const std::string mine = write_one("online_stop", "db1");
  write_one("online_start", "db1");
  write_one("online_stop", "db1-a");
  write_one("online_stop", "db11");
  write_whole(folder_.path("state/online_stop-db1_3306-notes.txt"), "x");
  EXPECT_THAT(find_journals(state_dir_, "online_stop", journal_subject("db1", 3306)),
              ElementsAre(mine));
  EXPECT_THAT(find_journals(state_dir_, "online_stop", journal_subject("db1", 33061)), IsEmpty());
  EXPECT_THAT(find_journals(folder_.path("none"), "online_stop", "db1_3306"), IsEmpty());
}

TEST_F(JournalTest, ASubjectIsAlwaysOnePlainWord) {
  EXPECT_EQ(journal_subject("db1.example.com", 3306), "db1.example.com_3306");
  EXPECT_EQ(journal_subject("db-1", 3306), "db%2D1_3306");
  EXPECT_EQ(journal_subject("fd00::1", 3306), "fd00%3A%3A1_3306");
  EXPECT_EQ(journal_subject("../../etc/x", 1), "..%2F..%2Fetc%2Fx_1");
  EXPECT_EQ(journal_subject("a%2Db", 1), "a%252Db_1");
  EXPECT_EQ(journal_subject("b\xc3\xbc", 1), "b%C3%BC_1");
  const std::string path = write_one("online_stop", "../../x");
  EXPECT_EQ(std::filesystem::path(path).parent_path(), state_dir_);
}

TEST_F(JournalTest, AFolderThatCannotBeMadeIsAnErrorThatNamesIt) {
  write_whole(folder_.path("file"), "x");
  const Result<std::unique_ptr<Journal>> journal =
      create_file_journal(folder_.path("file/state"), "op", "subject", json::object(), clock_);
  ASSERT_FALSE(journal.ok());
  EXPECT_EQ(journal.error().code, Code::kDenied);
  EXPECT_THAT(journal.error().message, HasSubstr(folder_.path("file") + ": Not a directory"));
}

TEST_F(JournalTest, AFolderThatOthersCanLookIntoIsRefused) {
  for (const unsigned mode : {0755U, 0750U, 0701U}) {
    std::filesystem::create_directory(state_dir_);
    std::filesystem::permissions(state_dir_, std::filesystem::perms{mode});
    const Result<std::unique_ptr<Journal>> journal =
        create_file_journal(state_dir_, "op", "subject", json::object(), clock_);
    ASSERT_FALSE(journal.ok());
    EXPECT_EQ(journal.error().code, Code::kDenied);
    EXPECT_THAT(journal.error().message, HasSubstr("chmod 700 " + state_dir_));
    EXPECT_THAT(find_journals(state_dir_, "op", "subject"), IsEmpty());
  }
}

// On a disk that fills up meanwhile the undo still has room to note that it has ended.
TEST_F(JournalTest, RoomIsReservedForAllOfItUntilItIsClosed) {
  Result<std::unique_ptr<Journal>> journal =
      create_file_journal(state_dir_, "op", "subject", json::object(), clock_);
  ASSERT_TRUE(journal.ok()) << journal.error().message;
  ASSERT_TRUE(journal.value()->sync().ok());
  const std::string path = journal.value()->path();
  const auto on_disk = [&path] {
    struct stat status {};
    EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
    return status.st_blocks * 512;
  };
  EXPECT_GE(on_disk(), 256 * 1024);
  EXPECT_LT(std::filesystem::file_size(path), 4096U);
  std::move(journal).value().reset();
  EXPECT_LE(on_disk(), 8192);
}

// Whatever the umask says.
TEST_F(JournalTest, NobodyElseGetsAnythingByAnOpenUmask) {
  const mode_t before = umask(0);
  state_dir_ = folder_.path("a/b/state");
  const std::string path = write_one("online_stop", "db1_3306");
  umask(before);
  EXPECT_EQ(permissions(path), 0600U);
  EXPECT_EQ(permissions(state_dir_), 0700U);
  EXPECT_EQ(permissions(folder_.path("a/b")) & 022U, 0U);
  EXPECT_EQ(permissions(folder_.path("a")) & 022U, 0U);
}

// A journal of this very name is another operation's: never written over.
TEST_F(JournalTest, AnExistingFileIsNotWrittenOver) {
  const auto create = [this] {
    return create_file_journal(state_dir_, "op", "subject", json::object(), clock_);
  };
  ASSERT_TRUE(create().ok());
  const Result<std::unique_ptr<Journal>> again = create();
  ASSERT_FALSE(again.ok());
  EXPECT_THAT(again.error().message, HasSubstr("File exists"));
}

TEST_F(JournalTest, StampsSortAsText) {
  const WallTime base{std::chrono::seconds{1704067199}};
  EXPECT_EQ(utc_stamp(base + Milliseconds{7}), "2023-12-31T23:59:59.007Z");
  EXPECT_LT(utc_stamp(base + Milliseconds{999}), utc_stamp(base + Milliseconds{1000}));
}

// Whoever cleans up behind a program must know that it is over.
TEST_F(JournalTest, ItsWriterIsWaitedForAndNotLongerThanTheDeadline) {
  Result<std::unique_ptr<Journal>> writer =
      create_file_journal(state_dir_, "op", "subject", json::object(), clock_);
  ASSERT_TRUE(writer.ok());
  const std::string path = find_journals(state_dir_, "op", "subject").at(0);
  const Milliseconds begin = clock_.elapsed();
  const Status waited = wait_for_journal(path, clock_, clock_.deadline_after(Milliseconds{1010}));
  ASSERT_FALSE(waited.ok());
  EXPECT_EQ(waited.error().code, Code::kTimeout);
  EXPECT_THAT(waited.error().message, HasSubstr(path));
  EXPECT_EQ(clock_.elapsed() - begin, Milliseconds{1010});

  writer = Error{Code::kInternal, "gone"};
  EXPECT_TRUE(wait_for_journal(path, clock_, clock_.deadline_after(Milliseconds{1000})).ok());
  EXPECT_EQ(clock_.elapsed() - begin, Milliseconds{1010});
  const Status missing =
      wait_for_journal(path + ".no", clock_, clock_.deadline_after(Milliseconds{1000}));
  ASSERT_FALSE(missing.ok());
  EXPECT_THAT(missing.error().message, HasSubstr("No such file"));
}

TEST_F(JournalTest, TheNullJournalTakesEverything) {
  const std::unique_ptr<Journal> journal = make_null_journal();
  EXPECT_TRUE(journal->append({{"event", "x"}}).ok());
  EXPECT_TRUE(journal->sync().ok());
}

}  // namespace
}  // namespace mha
