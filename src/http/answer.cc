// Lines of headers into an HttpResponse.
#include "http/answer.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace mha {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::string lower(std::string_view text) {
  std::string result{text};
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return result;
}

// "HTTP/1.1 200 OK"; 0 where it is no such line.
int status_in(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return 0;
  const std::string_view rest = trimmed(line.substr(space));
  int status = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), status);
  return status;
}

// std::string would leave what it held before in freed memory.
void append_wiping(std::string& text, std::string_view part) {
  if (text.capacity() - text.size() < part.size()) {
    std::string larger;
    larger.reserve(std::max(text.capacity() * 2, text.size() + part.size()));
    larger = text;
    wipe(text.data(), text.size());
    text.swap(larger);
  }
  text.append(part);
}

}  // namespace

Answer::~Answer() {
  wipe(response_.body.data(), response_.body.size());
  for (HttpHeader& header : response_.headers) wipe(header.value.data(), header.value.size());
}

bool Answer::count(std::size_t size) {
  size_ += size;
  too_large_ = too_large_ || size_ > kLargestAnswer;
  return !too_large_;
}

bool Answer::take_header(std::string_view line) {
  if (!count(line.size())) return false;
  if (line.starts_with("HTTP/")) {
    response_ = HttpResponse{};
    response_.status = status_in(line);
    headers_whole_ = false;
    return true;
  }
  if (headers_whole_) return true;  // a trailer, after the chunks
  const std::string_view text = trimmed(line);
  if (text.empty()) {
    headers_whole_ = response_.status >= 200;
    return true;
  }
  const bool continues = line.front() == ' ' || line.front() == '\t';
  if (continues && !response_.headers.empty()) {
    response_.headers.back().value += ' ';
    response_.headers.back().value += text;
    return true;
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return true;
  response_.headers.push_back(
      {lower(trimmed(text.substr(0, colon))), std::string{trimmed(text.substr(colon + 1))}});
  return true;
}

bool Answer::take_body(std::string_view part) {
  if (!count(part.size())) return false;
  append_wiping(response_.body, part);
  return true;
}

bool Answer::ends_with_connection() const {
  if (response_.status == 204 || response_.status == 304) return false;
  const bool chunked =
      lower(response_.header("transfer-encoding")).find("chunked") != std::string::npos;
  return !chunked && response_.header("content-length").empty();
}

HttpResponse Answer::take() { return std::exchange(response_, HttpResponse{}); }

}  // namespace mha
