// Past runs: kept in manager_workdir, and listed from there and from the state folder.
#include "cli/run_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/rollback.h"
#include "engine/summary.h"
#include "fakes/fake_clock.h"
#include "fakes/fake_log.h"
#include "unit/core/state_folder.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class RunHistoryTest : public testing::Test {
 protected:
  RunHistoryTest() {
    folders_.application = "app1";
    folders_.hosts = {{"db1", 3306}, {"db2", 3306}};
    folders_.state_dir = folder_.path("state");
    folders_.workdir = folder_.path("masterha");
  }

  static nlohmann::json header(const std::string& orig, const std::string& next) {
    return {{"engine", "native"},
            {"application", "app1"},
            {"orig_master", {{"host", orig}, {"port", 3306}}},
            {"new_master", {{"host", next}, {"port", 3306}}}};
  }
  std::unique_ptr<Journal> begin(const std::string& orig, const std::string& next) {
    clock_.advance(Milliseconds{1000});
    auto journal = create_file_journal(folders_.state_dir, "switchover",
                                       journal_subject(orig, 3306), header(orig, next), clock_);
    EXPECT_TRUE(journal.ok());
    return std::move(journal).value();
  }
  // Its path.
  std::string run(const std::string& orig, const std::string& next, Ending ending) {
    const std::unique_ptr<Journal> journal = begin(orig, next);
    EXPECT_TRUE(journal->append({{"event", "end"}, {"ending", static_cast<int>(ending)}}).ok());
    OperationSummary summary;
    summary.orig_master = orig;
    summary.new_master = next;
    if (ending == Ending::kDone) summary.downtime = Milliseconds{20};
    note_summary(*journal, summary, log_);
    write_whole(log_path_of(journal->path()), "its log\n");
    return journal->path();
  }
  [[nodiscard]] std::string kept(const std::string& path) const {
    return archive_folder(folders_) + "/" + std::filesystem::path(path).filename().string();
  }
  void archive() { archive_runs(folders_, clock_, log_); }
  static unsigned mode_of(const std::string& path) {
    struct stat about {};
    EXPECT_EQ(stat(path.c_str(), &about), 0) << path;
    return about.st_mode & 0777U;
  }

  StateFolder folder_;
  FakeClock clock_;
  FakeLog log_;
  RunFolders folders_;
};

TEST_F(RunHistoryTest, AJournalIsCopiedAndItsLogMoved) {
  const std::string path = run("db1", "db2", Ending::kDone);
  archive();
  EXPECT_EQ(read_whole(kept(path)), read_whole(path));
  EXPECT_EQ(read_whole(log_path_of(kept(path))), "its log\n");
  EXPECT_FALSE(std::filesystem::exists(log_path_of(path)));
  EXPECT_EQ(mode_of(kept(path)), 0600U);
  EXPECT_EQ(mode_of(log_path_of(kept(path))), 0600U);
  EXPECT_EQ(mode_of(archive_folder(folders_)), 0700U);
  EXPECT_THAT(log_.lines(), IsEmpty());
}

TEST_F(RunHistoryTest, WhatARollbackAddsComesToo) {
  const std::string path = begin("db1", "db2")->path();
  write_whole(log_path_of(path), "killed here\n");
  archive();
  ASSERT_TRUE(append_to_journal(path, {{"event", "end"}, {"ending", 20}}, clock_).ok());
  ASSERT_TRUE(
      append_to_journal(path, {{"event", "closed"}, {"reason", "rolled back"}}, clock_).ok());
  write_whole(log_path_of(path), "rolled back\n");
  archive();
  EXPECT_EQ(read_whole(kept(path)), read_whole(path));
  EXPECT_EQ(read_whole(log_path_of(kept(path))), "killed here\nrolled back\n");
  const std::vector<PastRun> runs = past_runs(folders_);
  ASSERT_THAT(runs, SizeIs(1));
  EXPECT_EQ(runs[0].outcome, "rolled back");
  EXPECT_EQ(runs[0].exit_code, 20);
}

TEST_F(RunHistoryTest, ARunThatIsStillAtWorkIsLeftAlone) {
  const std::unique_ptr<Journal> at_work = begin("db1", "db2");
  archive();
  EXPECT_FALSE(std::filesystem::exists(archive_folder(folders_)));
  ASSERT_THAT(past_runs(folders_), SizeIs(1));
  EXPECT_EQ(past_runs(folders_)[0].outcome, "not finished");
  EXPECT_FALSE(past_runs(folders_)[0].exit_code.has_value());
}

TEST_F(RunHistoryTest, OldestFirstAndOnlyOfThisCluster) {
  const std::string first = run("db1", "db2", Ending::kDone);
  run("db8", "db9", Ending::kDone);  // of another conf
  run("db2", "db1", Ending::kUndone);
  archive();
  // The state folder's copy may be gone; the archive's is enough.
  std::filesystem::remove(first);
  const std::vector<PastRun> runs = past_runs(folders_);
  ASSERT_THAT(runs, SizeIs(2));
  EXPECT_EQ(runs[0].orig_master, "db1");
  EXPECT_EQ(runs[0].new_master, "db2");
  EXPECT_EQ(runs[0].operation, "switchover");
  EXPECT_EQ(runs[0].outcome, "done");
  EXPECT_EQ(runs[0].exit_code, 0);
  EXPECT_EQ(runs[0].downtime_ms, 20.0);
  EXPECT_EQ(runs[0].journal, kept(first));
  EXPECT_EQ(runs[1].outcome, "failed, put back as it was found");
  EXPECT_EQ(runs[1].exit_code, 20);
  EXPECT_THAT(history_text(runs, folders_),
              AllOf(HasSubstr("began (UTC)"), HasSubstr("db1 -> db2"), HasSubstr("20.0 ms")));
  const nlohmann::json document = history_json(runs);
  ASSERT_EQ(document["runs"].size(), 2U);
  EXPECT_FALSE(document["runs"][1].contains("downtime_ms"));
}

TEST_F(RunHistoryTest, WithoutAWorkdirAllStaysInTheStateFolder) {
  folders_.workdir.clear();
  const std::string path = run("db1", "db2", Ending::kDone);
  archive();
  EXPECT_TRUE(std::filesystem::exists(log_path_of(path)));
  ASSERT_THAT(past_runs(folders_), SizeIs(1));
  EXPECT_EQ(past_runs(folders_)[0].journal, path);
  folders_.hosts = {{"db7", 3306}};
  EXPECT_THAT(history_text(past_runs(folders_), folders_), HasSubstr("no past runs of app1"));
}

TEST_F(RunHistoryTest, AnArchiveThatCannotBeMadeIsAWarning) {
  write_whole(folders_.workdir, "a file");
  const std::string path = run("db1", "db2", Ending::kDone);
  archive();
  EXPECT_TRUE(log_.has(LogLevel::kWarning, "stay in " + folders_.state_dir));
  EXPECT_TRUE(std::filesystem::exists(log_path_of(path)));
}

TEST_F(RunHistoryTest, MhasDefaultWorkdirIsNone) {
  MhaConf conf;
  conf.file = "/etc/mha/app1.cnf";
  conf.servers.resize(1);
  conf.servers[0].hostname = "db1";
  conf.servers[0].values["manager_workdir"] = "/var/tmp";
  EXPECT_EQ(archive_folder(run_folders(conf, "/state")), "");
  conf.servers[0].values["manager_workdir"] = "/var/log/masterha/app1";
  EXPECT_EQ(archive_folder(run_folders(conf, "/state")), "/var/log/masterha/app1/app1.runs");
}

}  // namespace
}  // namespace mha
