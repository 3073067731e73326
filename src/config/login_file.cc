// Deciphering the lines, then reading them as the client library reads an option file.
#include "config/login_file.h"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "config/ascii.h"
#include "config/diagnostic.h"
#include "config/text_file.h"

namespace mha {
namespace {

constexpr std::size_t kUnused = 4;
constexpr std::size_t kWrittenKey = 20;
constexpr std::size_t kLength = 4;
constexpr std::size_t kBlock = 16;

using Key = std::array<unsigned char, kBlock>;

Error damaged() {
  return {Code::kConfig, "is cut, or no file of mysql_config_editor's: write it anew with it"};
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// What was deciphered, wiped when it goes; never grows, which would leave copies behind.
class Plaintext {
 public:
  explicit Plaintext(std::size_t most) { text_.reserve(most); }
  Plaintext(const Plaintext&) = delete;
  Plaintext& operator=(const Plaintext&) = delete;
  ~Plaintext() { wipe(text_.data(), text_.size()); }

  [[nodiscard]] std::string_view view() const { return text_; }

  // False where `record` was not enciphered with this key.
  bool add(std::string_view record, const Key& key) {
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context{
        EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free};
    const std::size_t before = text_.size();
    text_.resize(before + record.size() + kBlock);
    auto* out = reinterpret_cast<unsigned char*>(text_.data() + before);
    int got = 0;
    int rest = 0;
    const bool good =
        context != nullptr &&
        EVP_DecryptInit_ex(context.get(), EVP_aes_128_ecb(), nullptr, key.data(), nullptr) == 1 &&
        EVP_DecryptUpdate(context.get(), out, &got, bytes_of(record),
                          static_cast<int>(record.size())) == 1 &&
        EVP_DecryptFinal_ex(context.get(), out + got, &rest) == 1;
    const std::size_t size = good ? static_cast<std::size_t>(got + rest) : 0;
    wipe(text_.data() + before + size, text_.size() - before - size);
    text_.resize(before + size);
    return good;
  }

 private:
  std::string text_;
};

Key folded(std::string_view written) {
  Key key{};
  for (std::size_t i = 0; i < written.size(); ++i) key[i % kBlock] ^= bytes_of(written)[i];
  return key;
}

std::size_t length_at(std::string_view bytes) {
  const unsigned char* at = bytes_of(bytes);
  return std::size_t{at[0]} | std::size_t{at[1]} << 8U | std::size_t{at[2]} << 16U |
         std::size_t{at[3]} << 24U;
}

// Up to a # that is in no quotes.
std::string_view without_comment(std::string_view line) {
  char quote = '\0';
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '\\' && quote != '\0') {
      ++i;
    } else if (c == '\'' || c == '"') {
      if (quote == '\0') {
        quote = c;
      } else if (quote == c) {
        quote = '\0';
      }
    } else if (c == '#' && quote == '\0') {
      return line.substr(0, i);
    }
  }
  return line;
}

// What a backslash and `c` mean (MySQL Reference Manual, "Using Option Files"); nullopt:
// themselves.
std::optional<char> unescaped(char c) {
  constexpr std::string_view kWritten = "btnrs\"'\\";
  constexpr std::string_view kMeant = "\b\t\n\r \"'\\";
  const std::size_t at = kWritten.find(c);
  return at == std::string_view::npos ? std::nullopt : std::optional(kMeant[at]);
}

Secret value_of(std::string_view written) {
  const bool is_quoted = written.size() >= 2 && written.front() == written.back() &&
                         (written.front() == '"' || written.front() == '\'');
  if (is_quoted) written = written.substr(1, written.size() - 2);
  std::string value;
  value.reserve(written.size());
  for (std::size_t i = 0; i < written.size(); ++i) {
    const bool may_escape = written[i] == '\\' && i + 1 < written.size();
    if (const auto meant = may_escape ? unescaped(written[i + 1]) : std::nullopt) {
      value += *meant;
      ++i;
    } else {
      value += written[i];
    }
  }
  return Secret{std::move(value)};
}

// Collects one section of the lines.
class SectionReader {
 public:
  explicit SectionReader(const std::string& name) : name_(name) {}

  void take(std::string_view line) {
    line = trimmed(line);
    if (line.empty() || line.front() == '#' || line.front() == ';') return;
    if (line.front() == '[' && line.find(']') != std::string_view::npos) {
      const std::string section(trimmed(line.substr(1, line.find(']') - 1)));
      is_ours_ = section == name_;
      found_ = found_ || is_ours_;
      sections_.push_back(printable(section));
      return;
    }
    if (is_ours_) take_pair(without_comment(line));
  }

  Result<LoginPath> result() && {
    if (!found_) {
      return Error{Code::kConfig, fmt::format("has no login path '{}'; it has: {}",
                                              printable(name_), fmt::join(sections_, ", "))};
    }
    if (path_.password.empty()) {
      return Error{Code::kConfig,
                   fmt::format("the login path '{}' has no password: mysql_config_editor set "
                               "--login-path={} --user=... --password",
                               printable(name_), printable(name_))};
    }
    return std::move(path_);
  }

 private:
  void take_pair(std::string_view line) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return;
    const std::string_view key = trimmed(line.substr(0, equals));
    const std::string_view value = trimmed(line.substr(equals + 1));
    if (key == "user") path_.user = value_of(value).reveal();
    if (key == "password") path_.password = value_of(value);
  }

  const std::string& name_;
  bool is_ours_ = false;
  bool found_ = false;
  std::vector<std::string> sections_;
  LoginPath path_;
};

}  // namespace

Result<LoginPath> parse_login_path(std::string_view bytes, const std::string& name) {
  if (bytes.size() < kUnused + kWrittenKey) return damaged();
  Plaintext plain{bytes.size() + kBlock};
  Key key = folded(bytes.substr(kUnused, kWrittenKey));
  bytes.remove_prefix(kUnused + kWrittenKey);
  bool good = true;
  while (good && !bytes.empty()) {
    const std::size_t length = bytes.size() < kLength ? 0 : length_at(bytes);
    good = length > 0 && length % kBlock == 0 && length <= bytes.size() - kLength &&
           plain.add(bytes.substr(kLength, length), key);
    if (good) bytes.remove_prefix(kLength + length);
  }
  wipe(reinterpret_cast<char*>(key.data()), key.size());
  if (!good) return damaged();

  SectionReader reader(name);
  for (std::string_view rest = plain.view(); !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    reader.take(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return std::move(reader).result();
}

Result<LoginPath> read_login_path(const std::string& file, const std::string& name) {
  const auto bytes = read_text_file(file, FileReaders::kOwner);
  if (!bytes.ok()) return bytes.error();
  return parse_login_path(bytes.value()->view(), name);
}

}  // namespace mha
