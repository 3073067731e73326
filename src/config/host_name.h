// Names and addresses of hosts: which are well-formed, and which mean the same host.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mha {

enum class AddressFamily { kV4, kV6 };

struct Address {
  AddressFamily family;
  std::string text;  // inet_ntop's form
};

// Without brackets, prefix or zone.
std::optional<Address> parse_address(std::string_view text);

// A DNS name (underscores allowed; a dot at the end too) or an address. Digits and dots alone must
// be a v4 address: a mistyped one is no name.
bool is_host(std::string_view text);

// A host as one may name it to ssh(1), which may be an alias of its configuration, and a user
// there. As ssh itself has it since 9.6 (ssh.c, valid_hostname and valid_ruser), blanks aside: both
// come into the command lines that its configuration has (ProxyCommand), which a shell reads.
bool is_ssh_host(std::string_view text);
bool is_ssh_user(std::string_view text);

// Two hosts are the same if their keys are: names in lower case without a dot at the end, addresses
// in inet_ntop's form (a v4 address inside v6 as v4). Nothing is resolved.
std::string host_key(std::string_view text);

}  // namespace mha
