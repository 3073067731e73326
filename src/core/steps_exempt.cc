// Finding privileged clients before the switch, and watching for their return.
#include "core/steps_exempt.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "core/client_threads.h"

namespace mha {
namespace {

using nlohmann::json;

// Longer than a client takes that reconnects at once; clients wait meanwhile, so no longer than
// that.
constexpr Milliseconds kWatch{300};
constexpr Milliseconds kLook{5};

class EnsureNoExemptWriter : public Step {
 public:
  EnsureNoExemptWriter(Node& node, std::vector<std::string> users, Clock& clock, Log& log)
      : node_(node), users_(std::move(users)), clock_(clock), log_(log) {}

  std::string kind() const override { return "ensure_no_exempt_writer"; }
  json parameters() const override {
    return json{{"host", node_.spec().host}, {"port", node_.spec().port}};
  }
  std::string name() const override {
    return fmt::format("{} {}:{}", kind(), node_.spec().host, node_.spec().port);
  }
  std::string description() const override {
    return fmt::format("see that no client whom read_only does not bind comes back to {}",
                       node_.title());
  }
  Result<json> observe(Deadline /*deadline*/) override { return json::object(); }

  Status apply(const json& /*found*/, Deadline deadline) override {
    if (users_.empty()) return {};
    Result<MysqlServer*> server = node_.mysql(deadline);
    if (!server.ok()) return server.error();
    log_.info("Watching {} for clients whom read_only does not bind", node_.title());
    const Deadline end = clock_.deadline_after(kWatch).capped(deadline);
    do {
      const Result<std::vector<ServerThread>> threads = server.value()->threads(deadline);
      if (!threads.ok()) return threads.error();
      for (const ServerThread& thread : client_threads(threads.value(), {})) {
        if (std::find(users_.begin(), users_.end(), thread.user) == users_.end()) continue;
        return Error{
            Code::kRefused,
            fmt::format("the client {}@{} is connected to {} again, and read_only does not bind "
                        "it: what it writes there would be lost; stop it first, or set "
                        "super_read_only where the server has it",
                        thread.user, thread.host, node_.title())};
      }
      clock_.sleep_until(std::min(clock_.now() + kLook, end.at()));
    } while (!clock_.passed(end));
    return {};
  }

  // It only looks.
  Status undo(const json& /*found*/, Deadline /*deadline*/) override { return {}; }
  std::string undo_by_hand(const json& /*found*/) const override { return ""; }

 private:
  Node& node_;
  std::vector<std::string> users_;
  Clock& clock_;
  Log& log_;
};

}  // namespace

Result<std::vector<std::string>> exempt_clients(Node& node, Deadline deadline) {
  std::vector<std::string> found;
  Result<MysqlServer*> opened = node.mysql(deadline);
  if (!opened.ok()) return opened.error();
  MysqlServer& server = *opened.value();
  const Result<ReadOnlyState> state = server.read_only_state(deadline);
  if (!state.ok()) return state.error();
  if (node.settings().super_read_only && state.value().super_read_only.has_value()) return found;

  const Result<std::vector<std::string>> exempt = server.users_exempt_from_read_only(deadline);
  if (!exempt.ok()) return exempt.error();
  if (exempt.value().empty()) return found;
  const Result<std::vector<std::uint64_t>> mha = server.lock_holders(mha_lock_names(), deadline);
  if (!mha.ok()) return mha.error();
  const Result<std::vector<ServerThread>> threads = server.threads(deadline);
  if (!threads.ok()) return threads.error();
  for (const ServerThread& thread : client_threads(threads.value(), mha.value())) {
    const bool is_ours = thread.user == node.spec().mysql.user;
    const bool is_exempt = std::find(exempt.value().begin(), exempt.value().end(), thread.user) !=
                           exempt.value().end();
    const bool is_new = std::find(found.begin(), found.end(), thread.user) == found.end();
    if (is_exempt && is_new && !is_ours) found.push_back(thread.user);
  }
  return found;
}

std::unique_ptr<Step> ensure_no_exempt_writer(Node& node, std::vector<std::string> users,
                                              Clock& clock, Log& log) {
  return std::make_unique<EnsureNoExemptWriter>(node, std::move(users), clock, log);
}

}  // namespace mha
