// A file that mysql_config_editor 9.7.4 wrote, and one's own in its format.
#pragma once

#include <string>
#include <string_view>

namespace mha {

// Three login paths, each set with --user and a password typed at its prompt:
//   mha     mha        pl4in-w0rd
//   hard    repl user  a#b'c"d\n e;=      (it writes the backslash as it is, which its readers, and
//                                          we, take for a line's end with the n behind it)
//   client  root       one blank before and behind "lead and trail"
inline constexpr std::string_view kLoginFileInHex =
    "0000000003110118030d0a170a181c06191b10151b0013191000000011c77b734719ccbed8233624"
    "0691b2e010000000fde386fa0cdd11e031955d8e2ac0365320000000e701e913ee4dfbfb7158311e"
    "e3e0ca2cec6a0f9732c13c4a060981a279a3214310000000aaa46e77f2d4b201e1fae0e618bd05aa"
    "100000000d61a24485d0384647f1a1e87359c1d820000000c6684f3972e4f135a68933a9972e8d53"
    "d12b8b3054f3a723bf8d06b595ff827220000000390d5901d422d346e9dda26c1b309546afb40a37"
    "70ec52ab971d5c59c80e985d10000000aaa46e77f2d4b201e1fae0e618bd05aa10000000d5d653fa"
    "2825e3e8ee36f8fa9038a3171000000087081f0e314f0c440a65b41411c312862000000050ee7382"
    "241c8bd5c93229ff3fb64cddff88487559043eaf28b820e07188a4bc10000000aaa46e77f2d4b201"
    "e1fae0e618bd05aa";

inline std::string login_file_sample() {
  std::string bytes;
  for (std::size_t i = 0; i < kLoginFileInHex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(kLoginFileInHex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

}  // namespace mha
