// Frames, and the JSON of requests and answers.
#include "ssh/keeper_protocol.h"

#include <fmt/core.h>

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

namespace mha {
namespace {

using Json = nlohmann::json;

// A keeper may be older than the client that finds it, after an upgrade.
constexpr int kVersion = 1;
constexpr std::size_t kMaxHeader = std::size_t{1} << 16;
// Two streams of a shell's 16 MiB.
constexpr std::size_t kMaxBody = std::size_t{32} << 20;
constexpr std::size_t kLengths = 8;

void put_length(std::string& out, std::size_t value) {
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    out += static_cast<char>((value >> shift) & 0xFFU);
  }
}

std::size_t get_length(std::string_view in) {
  std::size_t value = 0;
  for (const char c : in.substr(0, 4)) value = (value << 8U) | static_cast<unsigned char>(c);
  return value;
}

KeeperFrame frame_of(Json header, std::string body = {}) {
  header["version"] = kVersion;
  // Error texts may quote bytes of a command that are not UTF-8.
  return {header.dump(-1, ' ', false, Json::error_handler_t::replace), std::move(body)};
}

Error not_ours(std::string_view why) {
  return Error{Code::kInternal, fmt::format("a message that is not the keeper's: {}", why)};
}

std::string name_of(KeeperRequest::Kind kind) {
  switch (kind) {
    case KeeperRequest::Kind::kHello:
      return "hello";
    case KeeperRequest::Kind::kRun:
      return "run";
    case KeeperRequest::Kind::kPrepare:
      return "prepare";
    case KeeperRequest::Kind::kFinish:
      return "finish";
    case KeeperRequest::Kind::kClose:
      return "close";
  }
  return "";
}

Json error_header(const Error& error) {
  return {{"ok", false}, {"code", std::string{to_string(error.code)}}, {"message", error.message}};
}

Code code_from(const std::string& text) {
  for (const Code code : {Code::kUsage, Code::kConfig, Code::kUnreachable, Code::kDenied,
                          Code::kTimeout, Code::kRefused}) {
    if (to_string(code) == text) return code;
  }
  return Code::kInternal;
}

// The header of an answer that says "ok"; the keeper's error otherwise.
Result<Json> good_answer(const KeeperFrame& frame) {
  Json header = Json::parse(frame.header, nullptr, /*allow_exceptions=*/false);
  if (!header.is_object()) return not_ours("no JSON");
  if (header.value("version", 0) != kVersion) return not_ours("another version");
  if (header.at("ok").get<bool>()) return header;
  return Error{code_from(header.at("code").get<std::string>()),
               header.at("message").get<std::string>()};
}

// nlohmann-json tells of a missing or wrong member by an exception.
template <typename Read>
auto read_json(Read read) -> decltype(read()) {
  try {
    return read();
  } catch (const Json::exception& error) {
    return not_ours(error.what());
  }
}

}  // namespace

std::string to_wire(const KeeperFrame& frame) {
  std::string bytes;
  put_length(bytes, frame.header.size());
  put_length(bytes, frame.body.size());
  return bytes + frame.header + frame.body;
}

Result<std::optional<KeeperFrame>> KeeperFrameReader::next() {
  if (bytes_.size() < kLengths) return std::optional<KeeperFrame>{};
  const std::size_t header = get_length(bytes_);
  const std::size_t body = get_length(std::string_view{bytes_}.substr(4));
  if (header > kMaxHeader || body > kMaxBody) return not_ours("too long");
  if (bytes_.size() < kLengths + header + body) return std::optional<KeeperFrame>{};
  KeeperFrame frame{bytes_.substr(kLengths, header), bytes_.substr(kLengths + header, body)};
  bytes_.erase(0, kLengths + header + body);
  return std::optional{std::move(frame)};
}

KeeperFrame to_frame(const KeeperRequest& request) {
  return frame_of({{"do", name_of(request.kind)},
                   {"timeout_ms", request.timeout.count()},
                   {"name", request.name}},
                  request.text);
}

Result<KeeperRequest> request_from(const KeeperFrame& frame) {
  return read_json([&]() -> Result<KeeperRequest> {
    const Json header = Json::parse(frame.header, nullptr, /*allow_exceptions=*/false);
    if (!header.is_object()) return not_ours("no JSON");
    if (header.value("version", 0) != kVersion) return not_ours("another version");
    const auto what = header.at("do").get<std::string>();
    for (const auto kind :
         {KeeperRequest::Kind::kHello, KeeperRequest::Kind::kRun, KeeperRequest::Kind::kPrepare,
          KeeperRequest::Kind::kFinish, KeeperRequest::Kind::kClose}) {
      if (what != name_of(kind)) continue;
      KeeperRequest request;
      request.kind = kind;
      request.text = frame.body;
      request.timeout = Milliseconds{header.at("timeout_ms").get<std::int64_t>()};
      request.name = header.at("name").get<std::string>();
      return request;
    }
    return not_ours("\"" + what + "\" is asked");
  });
}

KeeperFrame to_frame(const KeeperGreeting& greeting) {
  return frame_of({{"ok", true}, {"host", greeting.host}, {"pid", greeting.pid}});
}

KeeperFrame to_frame(const Result<CommandOutput>& result) {
  if (!result.ok()) return frame_of(error_header(result.error()));
  const CommandOutput& output = result.value();
  return frame_of(
      {{"ok", true}, {"exit_status", output.exit_status}, {"out_bytes", output.out.size()}},
      output.out + output.err);
}

KeeperFrame to_frame(const Status& status) {
  return status.ok() ? frame_of({{"ok", true}}) : frame_of(error_header(status.error()));
}

Result<KeeperGreeting> greeting_from(const KeeperFrame& frame) {
  return read_json([&]() -> Result<KeeperGreeting> {
    const Result<Json> header = good_answer(frame);
    if (!header.ok()) return header.error();
    return KeeperGreeting{header.value().at("host").get<std::string>(),
                          header.value().at("pid").get<int>()};
  });
}

Result<CommandOutput> output_from(const KeeperFrame& frame) {
  return read_json([&]() -> Result<CommandOutput> {
    const Result<Json> header = good_answer(frame);
    if (!header.ok()) return header.error();
    const auto out_bytes = header.value().at("out_bytes").get<std::size_t>();
    if (out_bytes > frame.body.size()) return not_ours("its lengths do not add up");
    return CommandOutput{header.value().at("exit_status").get<int>(),
                         frame.body.substr(0, out_bytes), frame.body.substr(out_bytes)};
  });
}

Status status_from(const KeeperFrame& frame) {
  return read_json([&]() -> Status { return good_answer(frame).status(); });
}

}  // namespace mha
