// domain-server-seqno[,...], as the server reads it.
#include "engine/mariadb_gtid_list.h"

#include <limits>
#include <optional>

#include "engine/gtid_scanner.h"

namespace mha {
namespace {

constexpr std::uint64_t kMax32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t kMax64 = std::numeric_limits<std::uint64_t>::max();

std::optional<std::uint64_t> take_number(GtidScanner& scanner, std::uint64_t most) {
  scanner.skip(" \t\n\v\f\r");
  return scanner.take_number(most);
}

}  // namespace

Result<std::vector<MariadbGtid>> parse_mariadb_gtids(std::string_view what, std::string_view text) {
  GtidScanner scanner{text};
  if (const Status size = scanner.check_size(what); !size.ok()) return size.error();
  std::vector<MariadbGtid> list;
  if (scanner.at_end()) return list;
  do {
    const auto domain = take_number(scanner, kMax32);
    if (!domain.has_value()) return scanner.error(what, "a domain's number of 32 bits");
    if (!scanner.take('-')) return scanner.error(what, "'-'");
    const auto server = take_number(scanner, kMax32);
    if (!server.has_value()) return scanner.error(what, "a server's number of 32 bits");
    if (!scanner.take('-')) return scanner.error(what, "'-'");
    const auto seqno = take_number(scanner, kMax64);
    if (!seqno.has_value()) return scanner.error(what, "a transaction's number of 64 bits");
    list.push_back(
        {static_cast<std::uint32_t>(*domain), static_cast<std::uint32_t>(*server), *seqno});
  } while (scanner.take(','));
  if (!scanner.at_end()) return scanner.error(what, "','");
  return list;
}

}  // namespace mha
