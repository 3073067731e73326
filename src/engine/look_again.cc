// One question to each.
#include "engine/look_again.h"

#include <fmt/core.h>

#include <future>
#include <string>

namespace mha {
namespace {

std::string to_text(const ServerState& state) {
  const std::string source = state.replica.has_value()
                                 ? fmt::format("replicates from {}:{}", state.replica->source_host,
                                               state.replica->source_port)
                                 : "replicates from nobody";
  return source + (state.read_only.blocks_writes() ? "" : " and takes writes");
}

Status as_seen(const HostView& view, Node& node, Deadline deadline) {
  Result<MysqlServer*> server = node.mysql(deadline);
  if (!server.ok()) return server.error();
  const Result<ServerState> now = server.value()->replication().state(deadline);
  if (!now.ok()) return now.error();
  const std::string seen = to_text(view.state);
  const std::string found = to_text(now.value());
  if (seen == found) return {};
  return Error{Code::kRefused,
               fmt::format("{} {} now, and {} when it was looked at: somebody else has switched or "
                           "failed over meanwhile; look again",
                           node.title(), found, seen)};
}

}  // namespace

Status still_as_seen(const Discovery& discovery, const std::vector<std::size_t>& hosts,
                     Deadline deadline) {
  std::vector<std::future<Status>> asked;
  for (const std::size_t host : hosts) {
    asked.push_back(std::async(std::launch::async, [&discovery, host, deadline] {
      return as_seen(discovery.views[host], *discovery.nodes[host], deadline);
    }));
  }
  Status first;
  for (std::future<Status>& one : asked) {
    Status status = one.get();
    if (first.ok() && !status.ok()) first = std::move(status);
  }
  return first;
}

}  // namespace mha
