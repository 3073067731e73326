// The frame around each program: help, version, errors, exit codes.
#include "cli/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <array>
#include <stdexcept>

#include "unit/cli/child_program.h"

namespace mha {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class ProgramTest : public testing::Test {
 protected:
  ProgramTest() {
    program_.described.add_options()("name", text_value(), "a name")("my_password", text_value(),
                                                                     "a password");
  }
  int lines(const std::string& text) {
    return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
  }

  ChildProgram program_;
};

TEST_F(ProgramTest, HelpNamesOptionsAndExitCodes) {
  for (const char* spelling : {"--help", "-h"}) {
    const ChildEnd end = program_.run({spelling});
    EXPECT_EQ(end.exit_code, 0);
    EXPECT_THAT(end.out, AllOf(StartsWith("Tests."), HasSubstr("test_program --what"),
                               HasSubstr("--name"), HasSubstr("--config_dir"),
                               HasSubstr("/etc/mha-helper"), HasSubstr("--version")));
    for (const char* code :
         {"0 done", "10 done but", "20 failed", "21 failed", "2 usage", "3 configuration"}) {
      std::string text = end.out;
      std::replace(text.begin(), text.end(), '\n', ' ');
      EXPECT_THAT(text, HasSubstr(code));
    }
    EXPECT_THAT(end.err, IsEmpty());
  }
}

TEST_F(ProgramTest, VersionIsOneLine) {
  const ChildEnd end = program_.run({"--version"});
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_THAT(end.out, testing::MatchesRegex("test_program [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST_F(ProgramTest, AMistypedOptionIsTwoAndOneLine) {
  const ChildEnd end = program_.run({"--nmae=x"});
  EXPECT_EQ(end.exit_code, 2);
  EXPECT_THAT(end.err, AllOf(HasSubstr("test_program"), HasSubstr("nmae"), HasSubstr("--help")));
  EXPECT_EQ(lines(end.err), 1);
  EXPECT_THAT(end.out, IsEmpty());
}

TEST_F(ProgramTest, AHookWarnsOfUnknownOptionsAndGoesOn) {
  program_.unknown = UnknownOptions::kWarn;
  program_.body = [](Program& program) { return program.options.text("name") == "db1" ? 0 : 99; };
  const ChildEnd end = program_.run({"--new_thing=s3cret", "--name=db1"});
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_THAT(end.err, AllOf(HasSubstr("--new_thing"), HasSubstr("not known")));
  EXPECT_THAT(end.err + end.out, Not(HasSubstr("s3cret")));
}

TEST_F(ProgramTest, FoldersComeFromOptionEnvironmentDefaultInThisOrder) {
  program_.body = [](Program& program) {
    program.log.info("{} {}", program.config_dir, program.state_dir);
    return 0;
  };
  program_.environment = {{"MHA_HELPER_CONFIG_DIR", ""}, {"MHA_HELPER_STATE_DIR", ""}};
  EXPECT_THAT(program_.run({}).out, HasSubstr("/etc/mha-helper /"));
  program_.environment = {{"MHA_HELPER_CONFIG_DIR", "/env/conf"},
                          {"MHA_HELPER_STATE_DIR", "/env/state"}};
  EXPECT_THAT(program_.run({}).out, HasSubstr("/env/conf /env/state"));
  EXPECT_THAT(program_.run({"--config-dir", "/opt/conf", "--state_dir=/opt/state"}).out,
              HasSubstr("/opt/conf /opt/state"));
}

TEST_F(ProgramTest, DebugLinesOnlyWithVerbose) {
  program_.body = [](Program& program) {
    program.log.debug("a detail");
    return 0;
  };
  EXPECT_THAT(program_.run({}).out, Not(HasSubstr("a detail")));
  EXPECT_THAT(program_.run({"--verbose"}).out, HasSubstr("a detail"));
}

// As by a wrapper with ">&- 2>&-": the first socket or journal would get our lines.
TEST_F(ProgramTest, ClosedDescriptorsTakeNoFilesNumber) {
  const CliFolder folder;
  const std::string file = folder.write("journal", "");
  program_.body = [&file](Program& program) {
    int lowest = 100;
    for (int i = 0; i < 3; ++i) lowest = std::min(lowest, open(file.c_str(), O_WRONLY));
    program.log.info("to nobody");
    program.log.error("to nobody");
    return lowest > 2 ? 0 : 1;
  };
  const ChildEnd end = in_child([this] {
    for (const int fd : {0, 1, 2}) close(fd);
    std::string name = "test_program";
    std::array<char*, 2> argv{name.data(), nullptr};
    return run_main(1, argv.data(), program_.text, program_.described, program_.unknown,
                    program_.body);
  });
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_THAT(folder.read("journal"), IsEmpty());
}

TEST_F(ProgramTest, NothingIsThrownOut) {
  program_.body = [](Program&) -> int { throw std::runtime_error("the reason"); };
  const ChildEnd end = program_.run({});
  EXPECT_EQ(end.exit_code, 21);
  EXPECT_THAT(end.err, AllOf(HasSubstr("internal error"), HasSubstr("the reason")));
}

TEST_F(ProgramTest, SignalsSetTheInterruptAndPipesDoNotKill) {
  program_.body = [](Program& program) {
    raise(SIGPIPE);
    if (program.interrupt.requested()) return 1;
    raise(SIGTERM);
    return program.interrupt.requested() ? 0 : 2;
  };
  EXPECT_EQ(program_.run({}).exit_code, 0);
  program_.body = [](Program& program) {
    raise(SIGINT);
    return program.interrupt.requested() ? 0 : 2;
  };
  EXPECT_EQ(program_.run({}).exit_code, 0);
}

// Passwords are in our memory.
TEST_F(ProgramTest, ThereWillBeNoCoreFile) {
  program_.body = [](Program&) { return prctl(PR_GET_DUMPABLE); };
  EXPECT_EQ(program_.run({}).exit_code, 0);
  // Nor one of a program that we start.
  program_.body = [](Program&) {
    rlimit limit{};
    return getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 ? 0 : 1;
  };
  EXPECT_EQ(program_.run({}).exit_code, 0);
}

TEST_F(ProgramTest, ErrorsHaveTheSuitesExitCodes) {
  struct Case {
    Code code;
    int exit_code;
  };
  for (const Case& one :
       {Case{Code::kUsage, 2}, Case{Code::kConfig, 3}, Case{Code::kUnreachable, 20},
        Case{Code::kDenied, 20}, Case{Code::kTimeout, 20}, Case{Code::kRefused, 20},
        Case{Code::kInternal, 20}}) {
    program_.body = [&one](Program& program) {
      return report_error(program, Error{one.code, "the reason"});
    };
    const ChildEnd end = program_.run({});
    EXPECT_EQ(end.exit_code, one.exit_code) << to_string(one.code);
    EXPECT_THAT(end.err, HasSubstr("test_program: the reason"));
    EXPECT_EQ(lines(end.err), 1);
  }
}

TEST_F(ProgramTest, OutcomesHaveTheSuitesExitCodes) {
  struct Case {
    Ending ending;
    int exit_code;
    const char* says;
  };
  for (const Case& one :
       {Case{Ending::kIncomplete, 10, "the switch: done, but incomplete: the why"},
        Case{Ending::kUndone, 20, "everything is as it was found: the why"},
        Case{Ending::kNotUndone, 21, "not everything could be put back: the why"}}) {
    program_.body = [&one](Program& program) {
      Outcome outcome;
      outcome.ending = one.ending;
      outcome.headline = Error{Code::kTimeout, "the why"};
      if (one.ending != Ending::kUndone) outcome.leftovers = {"the why", "one thing", "another"};
      return report_outcome(program, "the switch", outcome);
    };
    const ChildEnd end = program_.run({});
    EXPECT_EQ(end.exit_code, one.exit_code);
    EXPECT_THAT(end.err, HasSubstr(one.says));
    // The headline is not said twice.
    EXPECT_EQ(lines(end.err), one.ending == Ending::kUndone ? 1 : 3) << end.err;
  }
}

TEST_F(ProgramTest, ADoneOperationIsNoError) {
  program_.body = [](Program& program) { return report_outcome(program, "the switch", Outcome{}); };
  const ChildEnd end = program_.run({});
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_THAT(end.err, IsEmpty());
  EXPECT_THAT(end.out, HasSubstr("the switch: done"));
}

}  // namespace
}  // namespace mha
