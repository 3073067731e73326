// One way, then the other.
#include "core/take_address.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace mha {
namespace {

Status remove_by(FencedBy by, Node& orig, VipDriver& bare, Milliseconds patience,
                 Environment& environment) {
  if (by == FencedBy::kProvider) {
    // A few calls of a cloud that may be slow.
    const Milliseconds worth =
        std::max<Milliseconds>(patience, orig.settings().operation_timeout / 2);
    return bare.remove(environment.clock.deadline_after(worth));
  }
  const Deadline deadline = environment.clock.deadline_after(patience);
  Result<VipDriver*> driver = orig.vip(deadline);
  return driver.ok() ? driver.value()->remove(deadline) : driver.status();
}

}  // namespace

Removal take_address(Node& orig, FencedBy first, Milliseconds patience, Environment& environment) {
  const std::unique_ptr<VipDriver> bare = orig.vip_without_shell();
  environment.log.info("Removing the vip using the '{}' provider on {}", bare->provider(),
                       orig.title());
  const bool has_both = bare->shell_use() == ShellUse::kWanted;
  if (!has_both) first = FencedBy::kHost;
  const Status removed = remove_by(first, orig, *bare, patience, environment);
  if (removed.ok() || !has_both) return {removed, first};
  const FencedBy second = first == FencedBy::kHost ? FencedBy::kProvider : FencedBy::kHost;
  environment.log.warning(
      "{}; {}", removed.error().message,
      second == FencedBy::kHost
          ? "the host itself is asked"
          : fmt::format("'{}' alone takes the virtual IP away from it", bare->provider()));
  Status fenced = remove_by(second, orig, *bare, patience, environment);
  if (!fenced.ok()) {
    fenced = Error{fenced.error().code, fmt::format("{}; and before: {}", fenced.error().message,
                                                    removed.error().message)};
  }
  return {fenced, second};
}

std::optional<Removal> take_address_by_provider(Node& orig, Environment& environment) {
  const std::unique_ptr<VipDriver> bare = orig.vip_without_shell();
  if (bare->shell_use() == ShellUse::kNeeded) return std::nullopt;
  environment.log.info("'{}' takes the virtual IP away from {}", bare->provider(), orig.title());
  return Removal{remove_by(FencedBy::kProvider, orig, *bare, Milliseconds{0}, environment),
                 FencedBy::kProvider};
}

std::string removed_text(const Node& orig, const Removal& removal) {
  if (removal.by == FencedBy::kHost) {
    return fmt::format("the virtual IP is not on {} (read back)", orig.title());
  }
  return fmt::format(
      "the virtual IP no longer leads to {} (read back from '{}'): the address is fenced, whatever "
      "the host itself does",
      orig.title(), orig.vip_without_shell()->provider());
}

std::string fenced_by_text(const Node& orig, const Removal& removal) {
  return removal.by == FencedBy::kProvider ? orig.vip_without_shell()->provider() : "host";
}

}  // namespace mha
