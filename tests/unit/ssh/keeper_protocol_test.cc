// Frames survive the wire in any pieces, and what is none of ours is refused.
#include "ssh/keeper_protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ssh/kept_session.h"

namespace mha {
namespace {

using ::testing::HasSubstr;

const std::string kAnyBytes{"a\0b\xff\xfe'\"\n", 8};

KeeperFrame over_the_wire(const KeeperFrame& frame) {
  KeeperFrameReader reader;
  reader.add(to_wire(frame));
  Result<std::optional<KeeperFrame>> result = reader.next();
  if (!result.ok() || !result.value()) {
    ADD_FAILURE() << "no frame";
    return {};
  }
  return *std::move(result).value();
}

TEST(KeeperProtocol, RequestWithAnyBytes) {
  for (const auto kind :
       {KeeperRequest::Kind::kHello, KeeperRequest::Kind::kRun, KeeperRequest::Kind::kPrepare,
        KeeperRequest::Kind::kFinish, KeeperRequest::Kind::kClose}) {
    const Result<KeeperRequest> request = request_from(
        over_the_wire(to_frame(KeeperRequest{kind, kAnyBytes, Milliseconds{1234}, "vip"})));
    ASSERT_TRUE(request.ok()) << request.error().message;
    EXPECT_EQ(request.value().kind, kind);
    EXPECT_EQ(request.value().text, kAnyBytes);
    EXPECT_EQ(request.value().timeout, Milliseconds{1234});
    EXPECT_EQ(request.value().name, "vip");
  }
}

TEST(KeeperProtocol, OutputWithAnyBytes) {
  const CommandOutput sent{137, kAnyBytes, "errors " + kAnyBytes};
  const Result<CommandOutput> output =
      output_from(over_the_wire(to_frame(Result<CommandOutput>{sent})));
  ASSERT_TRUE(output.ok()) << output.error().message;
  EXPECT_EQ(output.value().exit_status, sent.exit_status);
  EXPECT_EQ(output.value().out, sent.out);
  EXPECT_EQ(output.value().err, sent.err);
}

TEST(KeeperProtocol, EveryErrorCode) {
  for (const Code code : {Code::kUsage, Code::kConfig, Code::kUnreachable, Code::kDenied,
                          Code::kTimeout, Code::kRefused, Code::kInternal}) {
    const Error sent{code, "went wrong: \xff"};
    const Result<CommandOutput> output =
        output_from(over_the_wire(to_frame(Result<CommandOutput>{sent})));
    ASSERT_FALSE(output.ok());
    EXPECT_EQ(output.error().code, code);
    EXPECT_THAT(output.error().message, HasSubstr("went wrong"));
    EXPECT_EQ(status_from(over_the_wire(to_frame(Status{sent}))).error().code, code);
  }
  EXPECT_TRUE(status_from(over_the_wire(to_frame(Status{}))).ok());
}

TEST(KeeperProtocol, Greeting) {
  const Result<KeeperGreeting> greeting =
      greeting_from(over_the_wire(to_frame(KeeperGreeting{"db1", 42})));
  ASSERT_TRUE(greeting.ok()) << greeting.error().message;
  EXPECT_EQ(greeting.value().host, "db1");
  EXPECT_EQ(greeting.value().pid, 42);
}

TEST(KeeperProtocol, FramesInSinglePieces) {
  const std::string wire = to_wire({"{}", "body"}) + to_wire({"[]", ""});
  KeeperFrameReader reader;
  std::vector<KeeperFrame> frames;
  for (const char c : wire) {
    reader.add({&c, 1});
    Result<std::optional<KeeperFrame>> frame = reader.next();
    ASSERT_TRUE(frame.ok());
    if (frame.value()) frames.push_back(*std::move(frame).value());
  }
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(frames[0].header, "{}");
  EXPECT_EQ(frames[0].body, "body");
  EXPECT_EQ(frames[1].header, "[]");
  EXPECT_EQ(frames[1].body, "");
}

TEST(KeeperProtocol, TooLong) {
  KeeperFrameReader reader;
  reader.add("GET / HTTP/1.1\r\n");
  EXPECT_FALSE(reader.next().ok());
}

TEST(KeeperProtocol, WhatIsNotOurs) {
  for (const std::string header :
       {"", "nonsense", "[]", "{}", R"({"version":2,"do":"hello"})", R"({"version":1})",
        R"({"version":1,"do":5})", R"({"version":1,"do":"dance"})", R"({"version":1,"do":"run"})",
        R"({"version":"x","do":"hello"})"}) {
    EXPECT_FALSE(request_from({header, ""}).ok()) << header;
  }
  for (const std::string header :
       {"", "{}", R"({"version":1})", R"({"version":1,"ok":false})", R"({"version":1,"ok":true})",
        R"({"version":1,"ok":true,"exit_status":0,"out_bytes":5})",
        R"({"version":1,"ok":true,"exit_status":0,"out_bytes":-1})"}) {
    const Result<CommandOutput> output = output_from({header, "1234"});
    ASSERT_FALSE(output.ok()) << header;
    EXPECT_EQ(output.error().code, Code::kInternal) << header;
  }
}

TEST(KeptSessionName, BoundedAndTellsTargetsApart) {
  SshTarget target;
  target.host = "db1.example.com";
  target.user = "mha";
  target.port = 22;
  const std::string name = kept_session_name(target);
  EXPECT_THAT(name, HasSubstr("mha_db1.example.com_22"));
  EXPECT_EQ(kept_session_name(target), name);

  SshTarget other = target;
  other.port = 2222;
  EXPECT_NE(kept_session_name(other), name);
  other = target;
  other.user = "root";
  EXPECT_NE(kept_session_name(other), name);

  other.host = std::string(300, 'x') + "a";
  SshTarget similar = other;
  similar.host.back() = 'b';
  EXPECT_LE(kept_session_name(other).size(), 64U);
  EXPECT_NE(kept_session_name(other), kept_session_name(similar));

  other.host = "../../etc/passwd";
  EXPECT_EQ(kept_session_name(other).find('/'), std::string::npos);
}

}  // namespace
}  // namespace mha
