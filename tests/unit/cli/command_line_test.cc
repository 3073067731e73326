// Command lines: every spelling that MHA and its users write, and what must not be in a message.
#include "cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "cli/hooks.h"
#include "cli/program.h"

namespace mha {
namespace {

namespace po = boost::program_options;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

po::options_description described() {
  po::options_description options;
  options.add_options()("orig_master_host", text_value(), "")("orig_master_port", text_value(), "")(
      "orig_master_password", text_value(), "")("ssh_options", text_value(), "")(
      "body", text_value(), "")("conf,c", text_value(), "")("is_new_slave", "")("count",
                                                                                text_value(), "");
  return options;
}

Result<CommandLine> parse(const std::vector<std::string>& arguments,
                          UnknownOptions unknown = UnknownOptions::kRefuse) {
  return CommandLine::parse(arguments, described(), unknown);
}

// The value of orig_master_host, or the error.
std::string host_in(const std::vector<std::string>& arguments) {
  const Result<CommandLine> line = parse(arguments);
  return line.ok() ? line.value().text("orig_master_host") : "error: " + line.error().message;
}

TEST(CommandLineTest, EverySpellingIsTheSame) {
  EXPECT_EQ(host_in({"--orig_master_host=db1"}), "db1");
  EXPECT_EQ(host_in({"--orig_master_host", "db1"}), "db1");
  EXPECT_EQ(host_in({"--orig-master-host=db1"}), "db1");
  EXPECT_EQ(host_in({"--orig-master-host", "db1"}), "db1");
  EXPECT_EQ(host_in({"--orig-master_host=db1"}), "db1");
}

TEST(CommandLineTest, OnlyNamesAreRespelt) {
  EXPECT_EQ(host_in({"--orig-master-host=my-db-1"}), "my-db-1");
  EXPECT_EQ(host_in({"--orig-master-host", "my-db-1"}), "my-db-1");
}

TEST(CommandLineTest, AnEmptyValueIsAValue) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"--orig_master_password="},
           {"--orig_master_password", ""},
           {"--orig-master-password="},
           {"--orig_master_password=", "--orig_master_host=db1"}}) {
    const Result<CommandLine> line = parse(arguments);
    ASSERT_TRUE(line.ok()) << line.error().message;
    EXPECT_TRUE(line.value().has("orig_master_password"));
    EXPECT_EQ(line.value().text("orig_master_password"), "");
  }
}

TEST(CommandLineTest, AValueMayHoldAnything) {
  for (const std::string value :
       {"a=b=c", "=", "==", "--help", "-c", "two\nlines", " ", "p@ss w'o\\rd$1\"!", "\xff\xfe"}) {
    const Result<CommandLine> line = parse({"--orig_master_password=" + value});
    ASSERT_TRUE(line.ok()) << value << ": " << line.error().message;
    EXPECT_EQ(line.value().text("orig_master_password"), value);
  }
  // Apart, too, unless it is an option of ours.
  for (const std::string value : {"a=b=c", "=", "-o Foo=bar", "-x", "two\nlines"}) {
    const Result<CommandLine> line = parse({"--ssh_options", value});
    ASSERT_TRUE(line.ok()) << value << ": " << line.error().message;
    EXPECT_EQ(line.value().text("ssh_options"), value);
  }
}

TEST(CommandLineTest, ABodyOfAMegabyte) {
  const std::string body(1 << 20, 'x');
  const Result<CommandLine> line = parse({"--body=" + body});
  ASSERT_TRUE(line.ok());
  EXPECT_EQ(line.value().text("body"), body);
}

TEST(CommandLineTest, ShortOptions) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"-c", "/etc/app.cnf"}, {"-c/etc/app.cnf"}, {"--conf=/etc/app.cnf"}}) {
    const Result<CommandLine> line = parse(arguments);
    ASSERT_TRUE(line.ok());
    EXPECT_EQ(line.value().text("conf"), "/etc/app.cnf");
  }
}

TEST(CommandLineTest, WhatIsAbsent) {
  const Result<CommandLine> line = parse({});
  ASSERT_TRUE(line.ok());
  EXPECT_FALSE(line.value().has("conf"));
  EXPECT_EQ(line.value().text("conf"), "");
  EXPECT_FALSE(line.value().optional_text("conf").has_value());
  EXPECT_FALSE(line.value().port("orig_master_port").value().has_value());
  EXPECT_FALSE(line.value().number("count", 0, 10).value().has_value());
}

TEST(CommandLineTest, AbbreviationsAreNotGuessed) {
  EXPECT_FALSE(parse({"--orig_master_hos=db1"}).ok());
  const Result<CommandLine> line = parse({"--orig_master_hos=db1"}, UnknownOptions::kWarn);
  ASSERT_TRUE(line.ok());
  EXPECT_FALSE(line.value().has("orig_master_host"));
}

TEST(CommandLineTest, APersonsMistakesAreUsageErrors) {
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"--no_such_option"},
                                             {"--no_such_option=1"},
                                             {"-z"},
                                             {"stray"},
                                             {"--orig_master_host=a", "stray"},
                                             {"--orig_master_host"},
                                             {"--is_new_slave=1"},
                                             {"--orig_master_host=a", "--orig_master_host=b"}}) {
    const Result<CommandLine> line = parse(arguments);
    ASSERT_FALSE(line.ok()) << testing::PrintToString(arguments);
    EXPECT_EQ(line.error().code, Code::kUsage);
    EXPECT_THAT(line.error().message, Not(HasSubstr("\n")));
    EXPECT_THAT(line.error().message, Not(IsEmpty()));
  }
}

// MHA of another version sends others: its failover must not end here.
TEST(CommandLineTest, ToAHookUnknownOptionsAreNames) {
  const Result<CommandLine> line =
      parse({"--new_thing=s3cret", "--other-thing", "s3cret", "--orig_master_host=db1", "-z",
             "--third_thing=", "stray"},
            UnknownOptions::kWarn);
  ASSERT_TRUE(line.ok()) << line.error().message;
  EXPECT_EQ(line.value().text("orig_master_host"), "db1");
  EXPECT_THAT(line.value().unknown(),
              ElementsAre("--new_thing", "--other_thing", "-z", "--third_thing"));
}

TEST(CommandLineTest, NoMessageHoldsAValue) {
  for (const std::string word :
       {"--orig_master_pasword=s3cret", "--is_new_slave=s3cret", "--zz-password=s3cret"}) {
    const Result<CommandLine> line = parse({word});
    ASSERT_FALSE(line.ok());
    EXPECT_THAT(line.error().message, Not(HasSubstr("s3cret")));
  }
  const Result<CommandLine> twice =
      parse({"--orig_master_password=s3cret", "--orig_master_password=s3cret2"});
  ASSERT_FALSE(twice.ok());
  EXPECT_THAT(twice.error().message, Not(HasSubstr("s3cret")));
}

TEST(CommandLineTest, Ports) {
  const auto port = [](const std::string& text) {
    return parse({"--orig_master_port=" + text}).value().port("orig_master_port");
  };
  EXPECT_EQ(port("1").value(), 1);
  EXPECT_EQ(port("3306").value(), 3306);
  EXPECT_EQ(port("65535").value(), 65535);
  EXPECT_FALSE(port("").value().has_value());
  for (const char* bad : {"0", "65536", "-1", "+1", "x", "3306x", " 3306", "3306 ", "0x10", "1.0",
                          "99999999999999999999"}) {
    const auto result = port(bad);
    ASSERT_FALSE(result.ok()) << bad;
    EXPECT_EQ(result.error().code, Code::kUsage);
    EXPECT_THAT(result.error().message, testing::AllOf(HasSubstr("--orig_master_port"),
                                                       HasSubstr(bad), HasSubstr("1 to 65535")));
  }
}

TEST(CommandLineTest, Numbers) {
  const auto number = [](const std::string& text) {
    return parse({"--count=" + text}).value().number("count", 0, 10);
  };
  EXPECT_EQ(number("0").value(), 0);
  EXPECT_EQ(number("10").value(), 10);
  for (const char* bad : {"", "-1", "11", "five"}) EXPECT_FALSE(number(bad).ok()) << bad;
}

// As MHA 0.58 calls them (facts: mha.md, "How MHA calls the hooks").
TEST(CommandLineTest, MhasOwnLines) {
  const Result<CommandLine> online = CommandLine::parse(
      {"--command=stop", "--orig_master_host=db1", "--orig_master_ip=10.0.0.1",
       "--orig_master_port=3306", "--orig_master_user=mha", "--new_master_host=db2",
       "--new_master_ip=10.0.0.2", "--new_master_port=3306", "--new_master_user=mha",
       "--orig_master_ssh_user=mha_helper", "--new_master_ssh_user=mha_helper",
       "--orig_master_ssh_port=2222", "--orig_master_ssh_host=db1-admin",
       "--ssh_options=-o ServerAliveInterval=60 -o BatchMode=yes -i /key",
       "--orig_master_is_new_slave", "--orig_master_password=p\\@ss", "--new_master_password="},
      online_hook_options(), UnknownOptions::kWarn);
  ASSERT_TRUE(online.ok()) << online.error().message;
  EXPECT_THAT(online.value().unknown(), IsEmpty());
  EXPECT_EQ(online.value().text("orig_master_password"), "p\\@ss");
  EXPECT_TRUE(online.value().has("new_master_password"));

  const Result<CommandLine> hard =
      CommandLine::parse({"--orig_master_host=db1", "--orig_master_ip=10.0.0.1",
                          "--orig_master_port=3306", "--command=stopssh", "--ssh_user=root"},
                         hard_hook_options(), UnknownOptions::kWarn);
  ASSERT_TRUE(hard.ok());
  EXPECT_THAT(hard.value().unknown(), IsEmpty());
  EXPECT_EQ(hard.value().text("command"), "stopssh");
}

// --- argv

struct Argv {
  explicit Argv(std::vector<std::string> given) : words(std::move(given)) {
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
  }
  // What the process list shows afterwards: up to the first NUL of each word.
  [[nodiscard]] std::vector<std::string> visible() const {
    std::vector<std::string> seen;
    for (const std::string& word : words) seen.emplace_back(word.c_str());
    return seen;
  }
  [[nodiscard]] bool holds(const std::string& text) const {
    for (const std::string& word : words) {
      if (word.find(text) != std::string::npos) return true;
    }
    return false;
  }
  std::vector<std::string> words;
  std::vector<char*> pointers;
};

TEST(TakeArgumentsTest, PasswordsVanishFromTheProcessList) {
  Argv argv({"program", "--orig_master_password=s3cret", "--new-master-password=s3cret=x",
             "--orig_master_host=db1", "--orig_master_password", "s3cret", "--conf", "/etc/x"});
  const std::vector<std::string> arguments =
      take_arguments(static_cast<int>(argv.words.size()), argv.pointers.data());
  EXPECT_THAT(arguments, ElementsAre("--orig_master_password=s3cret",
                                     "--new-master-password=s3cret=x", "--orig_master_host=db1",
                                     "--orig_master_password", "s3cret", "--conf", "/etc/x"));
  EXPECT_FALSE(argv.holds("s3cret"));
  EXPECT_THAT(argv.visible(), ElementsAre("program", "--orig_master_password=",
                                          "--new-master-password=", "--orig_master_host=db1",
                                          "--orig_master_password", "", "--conf", "/etc/x"));
}

TEST(TakeArgumentsTest, OtherValuesStay) {
  Argv argv({"program", "--smtp_password_file=/etc/x", "--subject=my password=1", "password=2"});
  take_arguments(static_cast<int>(argv.words.size()), argv.pointers.data());
  EXPECT_THAT(argv.visible(), ElementsAre("program", "--smtp_password_file=/etc/x",
                                          "--subject=my password=1", "password=2"));
}

// What another MHA version sends, or a person mistypes.
TEST(TakeArgumentsTest, UnknownNamesOfSecretsToo) {
  Argv argv({"program", "--orig_master_passwd=s3cret", "--orig-master-pass", "s3cret",
             "--api_token=s3cret", "--next_mha_secret=s3cret", "--password=s3cret"});
  take_arguments(static_cast<int>(argv.words.size()), argv.pointers.data());
  EXPECT_FALSE(argv.holds("s3cret"));
}

TEST(TakeArgumentsTest, APasswordOptionAtTheEnd) {
  Argv argv({"program", "--orig_master_password"});
  EXPECT_THAT(take_arguments(2, argv.pointers.data()), ElementsAre("--orig_master_password"));
  Argv none({"program"});
  EXPECT_THAT(take_arguments(1, none.pointers.data()), IsEmpty());
}

}  // namespace
}  // namespace mha
