// getaddrinfo in the background, so that a name server that is silent costs no more than the
// deadline.
#include "cli/name_lookup.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace mha {
namespace {

std::string lookup(const std::string& name) {
  for (const int family : {AF_INET, AF_INET6}) {
    addrinfo hints{};
    hints.ai_family = family;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* raw = nullptr;
    if (getaddrinfo(name.c_str(), nullptr, &hints, &raw) != 0) continue;
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> found{raw, &freeaddrinfo};
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (getnameinfo(found->ai_addr, found->ai_addrlen, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) == 0) {
      return text.data();
    }
  }
  return "";
}

// Shared with a thread that may outlive the caller.
struct Answer {
  std::mutex mutex;
  std::condition_variable come;
  std::optional<std::string> address;
};

}  // namespace

std::string address_of_name(const std::string& name, Deadline deadline) {
  const auto answer = std::make_shared<Answer>();
  std::thread([answer, name] {
    std::string address = lookup(name);
    const std::lock_guard lock{answer->mutex};
    answer->address = std::move(address);
    answer->come.notify_all();
  }).detach();
  std::unique_lock lock{answer->mutex};
  answer->come.wait_until(lock, deadline.at(), [&] { return answer->address.has_value(); });
  return answer->address.value_or("");
}

}  // namespace mha
