// Checks and normal forms of host names and addresses.
#include "config/host_name.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "config/ascii.h"

namespace mha {
namespace {

constexpr std::size_t kLongestName = 253;  // RFC 1035, without the final dot
constexpr std::size_t kLongestLabel = 63;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_name_character(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kLongestLabel && label.front() != '-' &&
         label.back() != '-' && std::all_of(label.begin(), label.end(), is_name_character);
}

bool is_ssh_word(std::string_view text, std::string_view refused) {
  constexpr std::size_t kLongest = 256;
  const auto is_good = [refused](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != '\x7f' &&
           refused.find(c) == std::string_view::npos;
  };
  return !text.empty() && text.size() <= kLongest && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), is_good);
}

std::string_view without_final_dot(std::string_view name) {
  return name.ends_with('.') ? name.substr(0, name.size() - 1) : name;
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
  const std::string terminated(text);
  std::array<char, INET6_ADDRSTRLEN> out{};
  in_addr v4{};
  if (inet_pton(AF_INET, terminated.c_str(), &v4) == 1) {
    inet_ntop(AF_INET, &v4, out.data(), out.size());
    return Address{AddressFamily::kV4, out.data()};
  }
  in6_addr v6{};
  if (inet_pton(AF_INET6, terminated.c_str(), &v6) == 1) {
    inet_ntop(AF_INET6, &v6, out.data(), out.size());
    return Address{AddressFamily::kV6, out.data()};
  }
  return std::nullopt;
}

bool is_host(std::string_view text) {
  if (parse_address(text)) {
    return true;
  }
  std::string_view rest = without_final_dot(text);
  if (rest.empty() || rest.size() > kLongestName) {
    return false;
  }
  while (true) {
    const auto dot = rest.find('.');
    const std::string_view label = rest.substr(0, dot);
    if (!is_label(label)) {
      return false;
    }
    if (dot == std::string_view::npos) {
      return !std::all_of(label.begin(), label.end(), is_digit);
    }
    rest.remove_prefix(dot + 1);
  }
}

bool is_ssh_host(std::string_view text) { return is_ssh_word(text, "'`\"$\\;&<>|(){}*?[]!#~"); }

bool is_ssh_user(std::string_view text) {
  return is_ssh_word(text, "'`\";&<>|(){}") && !text.ends_with('\\') &&
         text.find("$") == std::string_view::npos;
}

std::string host_key(std::string_view text) {
  if (const auto address = parse_address(text)) {
    constexpr std::string_view kMapped = "::ffff:";
    const std::string& whole = address->text;
    const bool mapped = whole.starts_with(kMapped) && whole.find('.') != std::string::npos;
    return mapped ? whole.substr(kMapped.size()) : whole;
  }
  return lower_case(without_final_dot(text));
}

}  // namespace mha
