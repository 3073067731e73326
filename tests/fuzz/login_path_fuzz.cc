// The file of mysql_config_editor, ~/.mylogin.cnf: as bytes, and as lines that are enciphered here.
#include <openssl/evp.h>

#include <array>
#include <memory>

#include "config/login_file.h"
#include "fuzz/fuzz.h"

namespace mha::fuzz {
namespace {

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

// With a key of 16 zeros, which 20 zeros are folded to.
std::string enciphered(std::string_view line) {
  static constexpr std::array<unsigned char, 16> kKey{};
  const Context context{EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free};
  std::string out(line.size() + 16, '\0');
  auto* bytes = reinterpret_cast<unsigned char*>(out.data());
  int got = 0;
  int rest = 0;
  must(EVP_EncryptInit_ex(context.get(), EVP_aes_128_ecb(), nullptr, kKey.data(), nullptr) == 1 &&
           EVP_EncryptUpdate(context.get(), bytes, &got,
                             reinterpret_cast<const unsigned char*>(line.data()),
                             static_cast<int>(line.size())) == 1 &&
           EVP_EncryptFinal_ex(context.get(), bytes + got, &rest) == 1,
       "AES is there");
  out.resize(static_cast<std::size_t>(got + rest));
  return out;
}

// As mysql_config_editor writes it: each line, with its end, apart.
std::string file_of(std::string_view lines) {
  std::string file(24, '\0');
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    const std::string_view line = lines.substr(0, end == std::string_view::npos ? end : end + 1);
    lines.remove_prefix(line.size());
    const std::string record = enciphered(line);
    for (int byte = 0; byte < 4; ++byte) file += static_cast<char>(record.size() >> (8 * byte));
    file += record;
  }
  return file;
}

void check(const Result<LoginPath>& path) {
  if (path.ok()) {
    must(!path.value().password.empty(), "a login path has a password");
    return;
  }
  must(path.error().code == Code::kConfig, "a wrong file is kConfig");
  must_be_one_line(path.error().message);
}

}  // namespace

void try_input(std::string_view input) {
  check(parse_login_path(input, "mha"));
  check(parse_login_path(file_of(input), "mha"));
}

}  // namespace mha::fuzz
