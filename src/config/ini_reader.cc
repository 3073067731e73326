// The walk over one file: inih asks for lines and reports pairs, this keeps what they say.
#include "config/ini_reader.h"

#include <fmt/core.h>
#include <ini.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "config/ascii.h"

namespace mha {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// Line ends as Config::Tiny knows them: LF, CR LF, CR CR LF, CR.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of("\r\n"), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end);
    for (const std::string_view line_end : {"\r\r\n", "\r\n", "\n", "\r"}) {
      if (text.starts_with(line_end)) {
        text.remove_prefix(line_end.size());
        break;
      }
    }
  }
  return lines;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && !is_space(c)) || byte == 0x7f;
}

class Walk {
 public:
  Walk(IniDialect dialect, std::vector<std::string_view> lines, std::vector<IniSection>& sections,
       std::deque<std::string>& continued)
      : dialect_(dialect), lines_(std::move(lines)), sections_(sections), continued_(continued) {}

  void run() { ini_parse_stream(&Walk::serve, this, &Walk::take, this); }

  [[nodiscard]] const std::vector<int>& bad_lines() const { return bad_lines_; }
  [[nodiscard]] std::optional<int> key_without_section() const { return key_without_section_; }

 private:
  // inih's reader: like fgets.
  static char* serve(char* buffer, int size, void* self) {
    return static_cast<Walk*>(self)->next_line(buffer, static_cast<std::size_t>(size));
  }
  // inih's handler, called for the line that was served last.
  static int take(void* self, const char*, const char*, const char*) {
    static_cast<Walk*>(self)->take_line();
    return 1;
  }

  [[nodiscard]] std::string_view line() const { return lines_[served_ - 1]; }
  [[nodiscard]] int line_number() const { return static_cast<int>(served_); }

  char* next_line(char* buffer, std::size_t size) {
    if (served_ > 0 && !taken_) {
      settle_line();
    }
    if (served_ == lines_.size() || size < 4) {
      return nullptr;
    }
    ++served_;
    taken_ = false;
    const std::string_view outline = outline_of(line()).substr(0, size - 4);
    std::memcpy(buffer, outline.data(), outline.size());
    std::memcpy(buffer + outline.size(), "\n", 2);
    return buffer;
  }

  // As much of a line as inih needs to tell its kind: no value, which could be too long for it, or
  // look like a comment, or be a password.
  [[nodiscard]] std::string_view outline_of(std::string_view whole) const {
    if (is_comment_or_blank(dialect_, whole)) {
      return "#";
    }
    if (dialect_ == IniDialect::kConfigTiny) {
      whole = trimmed(whole);  // it has no continuations: indentation means nothing
    }
    if (whole.starts_with('[')) {
      return section_name(dialect_, whole).has_value() ? "[section]" : whole;
    }
    const auto delimiter = whole.find_first_of("=:");
    return delimiter == std::string_view::npos ? whole : whole.substr(0, delimiter + 1);
  }

  void take_line() {
    taken_ = true;
    if (sections_.empty()) {
      key_without_section_ = key_without_section_.value_or(line_number());
      return;
    }
    std::vector<IniRow>& rows = sections_.back().rows;
    const bool indented = is_space(line().front());
    if (dialect_ == IniDialect::kConfigParser && indented && !rows.empty()) {
      continued_.push_back(fmt::format("{}\n{}", rows.back().value, trimmed(line())));
      rows.back().value = continued_.back();
      return;
    }
    const auto pair = key_and_value(dialect_, line());
    if (!pair) {
      bad_lines_.push_back(line_number());
      return;
    }
    rows.push_back({pair->key, pair->value, line_number()});
  }

  // A line of which inih reported nothing: a comment, a section, or nonsense.
  void settle_line() {
    if (is_comment_or_blank(dialect_, line())) {
      return;
    }
    if (const auto name = section_name(dialect_, line())) {
      sections_.push_back({*name, line_number(), {}});
    } else {
      bad_lines_.push_back(line_number());
    }
  }

  const IniDialect dialect_;
  const std::vector<std::string_view> lines_;
  std::vector<IniSection>& sections_;
  std::deque<std::string>& continued_;
  std::size_t served_ = 0;
  bool taken_ = false;
  std::vector<int> bad_lines_;
  std::optional<int> key_without_section_;
};

}  // namespace

IniDocument read_ini(const std::string& path, IniDialect dialect) {
  IniDocument document;
  const auto refuse = [&](int line, std::string message) {
    document.errors.push_back({Severity::kError, path, line, "", "", std::move(message)});
  };

  auto file = read_text_file(path);
  if (!file.ok()) {
    refuse(0, file.error().message);
    return document;
  }
  document.text_ = std::move(file).value();
  std::string_view text = document.text_->view();

  const auto control = std::find_if(text.begin(), text.end(), is_control);
  if (control != text.end()) {
    const auto up_to_it = text.substr(0, static_cast<std::size_t>(control - text.begin()) + 1);
    refuse(static_cast<int>(lines_of(up_to_it).size()),
           fmt::format("is not a text file: it has the control character 0x{:02x} here",
                       static_cast<unsigned char>(*control)));
    return document;
  }
  if (text.starts_with(kByteOrderMark)) {
    if (dialect == IniDialect::kConfigTiny) {
      refuse(1, "begins with a byte order mark, at which MHA fails: save it as UTF-8 without one");
      return document;
    }
    text.remove_prefix(kByteOrderMark.size());
  }
  if (trimmed(text).empty()) {
    refuse(0, "is empty");
    return document;
  }

  Walk walk(dialect, lines_of(text), document.sections, document.continued_);
  walk.run();
  if (const auto line = walk.key_without_section()) {
    const bool columns_matter = dialect != IniDialect::kConfigTiny;
    refuse(*line, columns_matter
                      ? "a key before the first [section], which must begin in the first column"
                      : "a key before the first [section]");
  }
  if (!walk.bad_lines().empty()) {
    const auto more = walk.bad_lines().size() - 1;
    refuse(walk.bad_lines().front(),
           fmt::format("neither a [section], nor 'key = value', nor a comment{}",
                       more == 0 ? "" : fmt::format("; nor are {} lines further down", more)));
  }
  return document;
}

}  // namespace mha
