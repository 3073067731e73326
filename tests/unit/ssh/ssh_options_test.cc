// What MHA passes as --ssh_options, good and bad.
#include "ssh/ssh_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace mha {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

SshTarget base() {
  SshTarget target;
  target.host = "db1";
  return target;
}

// Where the text must be good.
ParsedSshOptions parsed(std::string_view text, const SshTarget& from = base()) {
  Result<ParsedSshOptions> result = parse_ssh_options(text, from);
  if (!result.ok()) {
    ADD_FAILURE() << result.error().message;
    return {};
  }
  return std::move(result).value();
}

Error error_of(std::string_view text) {
  const Result<ParsedSshOptions> result = parse_ssh_options(text, base());
  if (result.ok()) {
    ADD_FAILURE() << "accepted: " << text;
    return Error{Code::kInternal, ""};
  }
  return result.error();
}

TEST(SshOptions, EmptyTextKeepsTheBase) {
  SshTarget from = base();
  from.user = "mha";
  from.port = 2222;
  for (const std::string_view text : {"", "   ", "\t\n"}) {
    const ParsedSshOptions result = parsed(text, from);
    EXPECT_EQ(result.target.host, "db1");
    EXPECT_EQ(result.target.user, "mha");
    EXPECT_EQ(result.target.port, 2222);
    EXPECT_THAT(result.ignored, IsEmpty());
  }
}

// The text that MHA 0.58 puts before the conf's own.
TEST(SshOptions, MhasOwnDefaults) {
  const ParsedSshOptions result = parsed(
      "-o ServerAliveInterval=60 -o ServerAliveCountMax=20 -o StrictHostKeyChecking=no "
      "-o ConnectionAttempts=5 -o PasswordAuthentication=no -o BatchMode=yes -i /root/.ssh/key");
  EXPECT_EQ(result.target.server_alive_interval, std::chrono::seconds{60});
  EXPECT_EQ(result.target.host_key_policy, HostKeyPolicy::kOff);
  EXPECT_EQ(result.target.connection_attempts, 5U);
  EXPECT_EQ(result.target.connect_timeout, std::nullopt);
  EXPECT_THAT(result.target.identity_files, ElementsAre("/root/.ssh/key"));
  EXPECT_THAT(result.ignored, ElementsAre(HasSubstr("-o ServerAliveCountMax 20"),
                                          HasSubstr("-o PasswordAuthentication no"),
                                          HasSubstr("-o BatchMode yes")));
}

TEST(SshOptions, AttemptsDoNotMultiplyTheTimeout) {
  const SshTarget target = parsed("-o ConnectTimeout=3 -o ConnectionAttempts=5").target;
  EXPECT_EQ(target.connect_timeout, std::chrono::seconds{3});
  EXPECT_EQ(target.connection_attempts, 5U);
}

TEST(SshOptions, EachWayToSpellAnOption) {
  for (const std::string_view text :
       {"-o Port=2222", "-oPort=2222", "-o 'Port 2222'", "-o \"Port 2222\"", "-o \"Port = 2222\"",
        "-o port=2222", "-o PORT=2222", "-o Port=\\2222", "-o Port='2222'", "-p 2222", "-p2222",
        "-p '2222'", "-qp 2222", "-4vp2222"}) {
    EXPECT_EQ(parsed(text).target.port, 2222) << text;
  }
  for (const std::string_view text : {"-o User=mha", "-l mha", "-lmha", "-o \"user mha\""}) {
    EXPECT_EQ(parsed(text).target.user, "mha") << text;
  }
}

TEST(SshOptions, IdentityFilesAddUp) {
  SshTarget from = base();
  from.identity_files = {"/a"};
  EXPECT_THAT(parsed("-i /b -o IdentityFile=/c -i/d", from).target.identity_files,
              ElementsAre("/a", "/b", "/c", "/d"));
}

// The predecessor crashed on it.
TEST(SshOptions, IdentityWithoutAnyOption) {
  EXPECT_THAT(parsed("-i /k").target.identity_files, ElementsAre("/k"));
}

TEST(SshOptions, QuotesKeepBlanks) {
  EXPECT_THAT(parsed("-i '/my keys/a' -i \"/my keys/b\" -i /my\\ keys/c").target.identity_files,
              ElementsAre("/my keys/a", "/my keys/b", "/my keys/c"));
  EXPECT_EQ(parsed("-o 'UserKnownHostsFile \"/my hosts\"'").target.known_hosts_file, "/my hosts");
  EXPECT_THAT(parsed("-i '\\x' -i \"\\x\\\"\"").target.identity_files, ElementsAre("\\x", "\\x\""));
}

TEST(SshOptions, HostKeyPolicies) {
  const std::vector<std::pair<std::string, HostKeyPolicy>> cases{
      {"yes", HostKeyPolicy::kStrict},
      {"ask", HostKeyPolicy::kStrict},
      {"accept-new", HostKeyPolicy::kAcceptNew},
      {"no", HostKeyPolicy::kOff},
      {"off", HostKeyPolicy::kOff},
      {"NO", HostKeyPolicy::kOff}};
  for (const auto& [text, policy] : cases) {
    EXPECT_EQ(parsed("-o StrictHostKeyChecking=" + text).target.host_key_policy, policy) << text;
  }
  EXPECT_EQ(parsed("").target.host_key_policy, std::nullopt);
}

TEST(SshOptions, Times) {
  EXPECT_EQ(parsed("-o ConnectTimeout=90").target.connect_timeout, std::chrono::seconds{90});
  EXPECT_EQ(parsed("-o ConnectTimeout=1m30s").target.connect_timeout, std::chrono::seconds{90});
  EXPECT_EQ(parsed("-o ConnectTimeout=none").target.connect_timeout, std::nullopt);
  EXPECT_EQ(parsed("-o ServerAliveInterval=0").target.server_alive_interval, std::nullopt);
}

// As ssh itself reads its command line.
TEST(SshOptions, FirstOfTwoValuesAndTheTextBeforeTheBase) {
  SshTarget from = base();
  from.user = "root";
  from.port = 22;
  const SshTarget target =
      parsed("-o StrictHostKeyChecking=no -p 1 -o StrictHostKeyChecking=yes -o Port=2 -l a -l b",
             from)
          .target;
  EXPECT_EQ(target.host_key_policy, HostKeyPolicy::kOff);
  EXPECT_EQ(target.port, 1);
  EXPECT_EQ(target.user, "a");
  // "none" is a value as well.
  EXPECT_EQ(parsed("-o ConnectTimeout=none -o ConnectTimeout=5").target.connect_timeout,
            std::nullopt);
}

TEST(SshOptions, OthersAreIgnoredAndTold) {
  const ParsedSshOptions result = parsed("-q -E /log -o LogLevel=ERROR stray -p 5");
  EXPECT_EQ(result.target.port, 5);
  EXPECT_THAT(result.ignored, ElementsAre(HasSubstr("-q"), HasSubstr("-E /log"),
                                          HasSubstr("-o LogLevel ERROR"), HasSubstr("\"stray\"")));
  EXPECT_THAT(result.unheeded, IsEmpty());
  EXPECT_THAT(result.target.config_options, IsEmpty());
}

TEST(SshOptions, TheWayToTheHostIsForSshItself) {
  const ParsedSshOptions result = parsed(
      "-F /etc/mha/ssh_config -J gate -c aes128-ctr -m hmac-sha2-256 -o HostKeyAlias=db1.key "
      "-o 'ProxyCommand nc %h %p' -oIdentitiesOnly=yes -o HostKeyAlgorithms=+ssh-rsa "
      "-o GlobalKnownHostsFile=/etc/mha/hosts -o 'UserKnownHostsFile /a /b' -F /etc/mha/other");
  EXPECT_EQ(result.target.config_file, "/etc/mha/other") << "the last, as in ssh";
  EXPECT_THAT(result.target.config_options,
              ElementsAre("proxyjump=gate", "ciphers=aes128-ctr", "macs=hmac-sha2-256",
                          "hostkeyalias=db1.key", "proxycommand=nc %h %p", "identitiesonly=yes",
                          "hostkeyalgorithms=+ssh-rsa", "globalknownhostsfile=/etc/mha/hosts",
                          "userknownhostsfile=/a /b"));
  EXPECT_THAT(result.ignored, IsEmpty());
  EXPECT_THAT(result.unheeded, IsEmpty());
  EXPECT_EQ(result.warning(), "");
  EXPECT_EQ(error_of("-o \"ProxyCommand=a\nHost *\"").code, Code::kUsage);
  EXPECT_EQ(error_of("-F \"/a\nb\"").code, Code::kUsage);
}

TEST(SshOptions, WhatWouldLeadElsewhereIsToldApart) {
  const ParsedSshOptions result = parsed(
      "-4 -b 10.0.0.9 -o PKCS11Provider=/lib/x.so -o KnownHostsCommand='/bin/keys %H' "
      "-o GSSAPIAuthentication=no -o PreferredAuthentications=publickey -o AddressFamily=any");
  EXPECT_THAT(result.unheeded, ElementsAre("-4", "-b 10.0.0.9", "-o PKCS11Provider /lib/x.so",
                                           "-o KnownHostsCommand /bin/keys %H"));
  EXPECT_THAT(result.ignored, testing::SizeIs(3)) << "what asks for what is done anyway";
  EXPECT_THAT(result.warning(), HasSubstr("-4, -b 10.0.0.9"));
  EXPECT_THAT(result.target.config_options, IsEmpty()) << "nothing that would run a program";
}

TEST(SshOptions, MissingValuesAreErrors) {
  for (const std::string_view text :
       {"-i", "-p", "-l", "-o", "-o Port", "-o Port=", "-o 'Port '", "-F", "-q -i",
        "-o UserKnownHostsFile=", "-o IdentityFile", "-i ''", "-o 'User \"\"'"}) {
    const Error error = error_of(text);
    EXPECT_EQ(error.code, Code::kUsage) << text;
    EXPECT_THAT(error.message, HasSubstr("needs a value")) << text;
  }
  EXPECT_THAT(error_of("-o Port").message, HasSubstr("-o Port"));
  EXPECT_THAT(error_of("-o =5").message, HasSubstr("names no option"));
}

TEST(SshOptions, BadValuesAreErrorsThatNameTheOption) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"-p 0", "-p"},
      {"-p 65536", "-p"},
      {"-p 22x", "-p"},
      {"-p -1", "-p"},
      {"-o Port=abc", "-o Port"},
      {"-o StrictHostKeyChecking=maybe", "-o StrictHostKeyChecking"},
      {"-o stricthostkeychecking=maybe", "-o stricthostkeychecking"},
      {"-o ConnectTimeout=soon", "-o ConnectTimeout"},
      {"-o ConnectTimeout=0", "-o ConnectTimeout"},
      {"-o ConnectTimeout=-5", "-o ConnectTimeout"},
      {"-o ConnectTimeout=99999999999999999999", "-o ConnectTimeout"},
      {"-o ConnectTimeout=4000000000w", "-o ConnectTimeout"},
      {"-o ConnectTimeout=5y", "-o ConnectTimeout"},
      {"-o ConnectionAttempts=0", "-o ConnectionAttempts"},
      {"-o ConnectionAttempts=many", "-o ConnectionAttempts"},
      {"-o ServerAliveInterval=x", "-o ServerAliveInterval"}};
  for (const auto& [text, option] : cases) {
    const Error error = error_of(text);
    EXPECT_EQ(error.code, Code::kUsage) << text;
    EXPECT_THAT(error.message, HasSubstr("ssh_options: " + option + ": ")) << text;
  }
}

// A bad value is an error even where an earlier one wins.
TEST(SshOptions, BadSecondValue) { EXPECT_THAT(error_of("-p 22 -p x").message, HasSubstr("-p")); }

TEST(SshOptions, OpenQuotes) {
  for (const std::string_view text : {"-i 'x", "-i \"x", "'", "-o \"Port 5"}) {
    EXPECT_THAT(error_of(text).message, HasSubstr("no closing")) << text;
  }
}

// Found by fuzzing: a message that an option's text breaks into lines.
TEST(SshOptions, MessagesAreOneLine) {
  const auto is_one_line = [](const std::string& text) {
    return std::none_of(text.begin(), text.end(), [](char c) { return c >= 0 && c < ' '; });
  };
  for (const std::string_view text : {"-i 'a\nb", "-p 'a\nb'", "-o 'Port=\x1b[2J'", "-o '=\n'"}) {
    EXPECT_PRED1(is_one_line, error_of(text).message);
  }
  const auto parsed = parse_ssh_options("'a\nb' -o 'X=\x01' -B '\t'", SshTarget{});
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed.value().ignored.size(), 2U);
  for (const std::string& line : parsed.value().ignored) EXPECT_PRED1(is_one_line, line);
  EXPECT_THAT(parsed.value().warning(), HasSubstr("-B"));
  EXPECT_PRED1(is_one_line, parsed.value().warning());
}

}  // namespace
}  // namespace mha
