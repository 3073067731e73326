// Headers and encodings of a mail.
#include "mail/message.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <boost/archive/iterators/base64_from_binary.hpp>
#include <boost/archive/iterators/transform_width.hpp>
#include <nlohmann/json.hpp>
#include <random>
#include <string_view>

namespace mha {
namespace {

constexpr std::string_view kCrlf = "\r\n";
constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD
constexpr std::size_t kSoftLine = 76;                      // RFC 2047's limit, under RFC 5322's 78
constexpr std::size_t kHardLine = 998;                     // RFC 5322 2.1.1
constexpr std::size_t kAddressLimit = 254;                 // RFC 5321's path without its brackets

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }
bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

std::string base64(std::string_view bytes) {
  namespace it = boost::archive::iterators;
  using Encoder = it::base64_from_binary<it::transform_width<const char*, 6, 8>>;
  std::string text(Encoder(bytes.data()), Encoder(bytes.data() + bytes.size()));
  text.append((3 - bytes.size() % 3) % 3, '=');
  return text;
}

// RFC 2047 encoded words, one a line.
std::string encoded_words(std::string_view text) {
  // 39 bytes are 52 characters of base64; with "=?UTF-8?B?", "?=" and "Subject: " 73, under 76.
  constexpr std::size_t kChunk = 39;
  std::string words;
  while (!text.empty()) {
    std::size_t size = std::min(kChunk, text.size());
    while (size < text.size() && continues_character(text[size])) --size;
    if (!words.empty()) words.append(kCrlf).append(" ");
    words += fmt::format("=?UTF-8?B?{}?=", base64(text.substr(0, size)));
    text.remove_prefix(size);
  }
  return words;
}

// Whether fold() can bring it under the hard limit, and no reader takes a part for an encoded word.
bool may_stand_plain(std::string_view text) {
  std::size_t word = 0;
  for (const char c : text) {
    if (!is_ascii(c)) return false;
    word = c == ' ' ? 0 : word + 1;
    if (word > kHardLine / 2) return false;
  }
  return text.find("=?") == std::string_view::npos;
}

// Breaks a long line before blanks; a reader takes the breaks out again and has the same text.
std::string fold(std::string_view text, std::size_t column) {
  std::string folded;
  while (!text.empty()) {
    // A blank or a run of blanks goes with the word behind it: no line may be blanks only.
    std::size_t end = text.find_first_not_of(' ');
    end = end == std::string_view::npos ? text.size() : std::min(text.find(' ', end), text.size());
    if (!folded.empty() && column + end > kSoftLine && text.front() == ' ') {
      folded.append(kCrlf);
      column = 0;
    }
    folded.append(text.substr(0, end));
    column += end;
    text.remove_prefix(end);
  }
  return folded;
}

std::string subject_header(const std::string& subject) {
  constexpr std::string_view kName = "Subject: ";
  std::string text = valid_utf8(subject);
  std::replace_if(text.begin(), text.end(), is_control, ' ');
  const std::size_t first = text.find_first_not_of(' ');
  text =
      first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(' ') - first + 1);
  return std::string{kName} +
         (may_stand_plain(text) ? fold(text, kName.size()) : encoded_words(text));
}

std::string recipients_header(const std::vector<std::string>& addresses) {
  std::string header = "To:";
  std::size_t column = header.size();
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const std::string item = addresses[i] + (i + 1 < addresses.size() ? "," : "");
    if (i > 0 && column + 1 + item.size() > kSoftLine) {
      header.append(kCrlf);
      column = 0;
    }
    header += ' ' + item;
    column += 1 + item.size();
  }
  return header;
}

// UTF-8 without NUL, lines ended by CRLF, the last one too.
std::string canonical_body(const std::string& body) {
  const std::string text = valid_utf8(body);
  std::string lines;
  lines.reserve(text.size() + text.size() / 16 + 2);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\0') {
      lines += kReplacement;
    } else if (text[i] == '\n' || text[i] == '\r') {
      if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
      lines += kCrlf;
    } else {
      lines += text[i];
    }
  }
  if (!lines.ends_with(kCrlf)) lines += kCrlf;
  return lines;
}

bool fits_7bit(std::string_view lines) {
  std::size_t length = 0;
  for (const char c : lines) {
    if (!is_ascii(c)) return false;
    length = c == '\r' || c == '\n' ? 0 : length + 1;
    if (length > kHardLine) return false;
  }
  return true;
}

std::string base64_lines(std::string_view bytes) {
  const std::string text = base64(bytes);
  std::string lines;
  for (std::size_t at = 0; at < text.size(); at += kSoftLine) {
    lines.append(text, at, kSoftLine).append(kCrlf);
  }
  return lines;
}

Status check_address(std::string_view role, const std::string& address) {
  const auto error = [&](std::string_view what) {
    // The address is shown without what could break the line that shows it.
    std::string shown = valid_utf8(address.substr(0, kAddressLimit));
    std::replace_if(shown.begin(), shown.end(), is_control, '?');
    return Error{Code::kConfig, fmt::format("{} address '{}' {}", role, shown, what)};
  };
  if (address.empty()) return error("is empty");
  if (address.size() > kAddressLimit) {
    return error(fmt::format("has {} characters, SMTP allows {}", address.size(), kAddressLimit));
  }
  for (const char c : address) {
    if (!is_ascii(c)) return error("is not ASCII (write the domain in its xn-- form)");
    if (is_control(c)) return error("has a control character");
    if (std::string_view{" <>()\",;\\"}.find(c) != std::string_view::npos) {
      return error(fmt::format("must be a bare address, without '{}'", c));
    }
  }
  return {};
}

}  // namespace

MailStamp make_mail_stamp(const Mail& mail, const Clock& clock) {
  const WallTime now = clock.wall_now();
  std::random_device random;
  const std::size_t at = mail.from.rfind('@');
  return {now,
          fmt::format("<{:x}.{:08x}{:08x}@{}>", now.time_since_epoch().count(), random(), random(),
                      at == std::string::npos ? "localhost" : mail.from.substr(at + 1))};
}

Status check_mail_addresses(const Mail& mail) {
  if (Status status = check_address("sender", mail.from); !status.ok()) return status;
  if (mail.to.empty()) return Error{Code::kConfig, "the mail has no recipient"};
  for (const std::string& address : mail.to) {
    if (Status status = check_address("recipient", address); !status.ok()) return status;
  }
  return {};
}

std::string message_text(const Mail& mail, const MailStamp& stamp) {
  const std::string body = canonical_body(mail.body);
  const bool plain = fits_7bit(body);
  const std::time_t seconds = std::chrono::system_clock::to_time_t(stamp.date);
  return fmt::format(
      "Date: {:%a, %d %b %Y %H:%M:%S} +0000\r\n"
      "From: {}\r\n"
      "{}\r\n"
      "{}\r\n"
      "Message-ID: {}\r\n"
      "MIME-Version: 1.0\r\n"
      "Content-Type: text/plain; charset=utf-8\r\n"
      "Content-Transfer-Encoding: {}\r\n"
      // RFC 3834: no vacation answer comes back to us.
      "Auto-Submitted: auto-generated\r\n"
      "\r\n"
      "{}",
      fmt::gmtime(seconds), mail.from, recipients_header(mail.to), subject_header(mail.subject),
      stamp.message_id, plain ? "7bit" : "base64", plain ? body : base64_lines(body));
}

std::string valid_utf8(const std::string& text) {
  if (std::all_of(text.begin(), text.end(), is_ascii)) return text;  // nearly always, and fast
  // The JSON library writes U+FFFD for what is not UTF-8; reading its text back is the rest.
  using nlohmann::json;
  return json::parse(json(text).dump(-1, ' ', false, json::error_handler_t::replace))
      .get<std::string>();
}

}  // namespace mha
