// One request, one curl transfer.
#include "http/curl_http_client.h"

#include <curl/curl.h>
#include <fmt/core.h>

#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "http/answer.h"
#include "http/failure.h"
#include "http/handle_pool.h"

namespace mha {
namespace {

using Flaw = HttpFailure::Flaw;
using Reached = HttpFailure::Reached;

struct UrlDeleter {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using CurlUrl = std::unique_ptr<CURLU, UrlDeleter>;

// Its lines hold tokens, so they are wiped.
struct HeaderListDeleter {
  void operator()(curl_slist* list) const {
    for (curl_slist* line = list; line != nullptr; line = line->next) {
      wipe(line->data, std::strlen(line->data));
    }
    curl_slist_free_all(list);
  }
};
using HeaderList = std::unique_ptr<curl_slist, HeaderListDeleter>;

// A URL that we may use, taken apart.
struct Target {
  CurlUrl url;
  std::string origin;  // "https://host:port"
  std::string place;   // with the path, for people
};

std::string part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return "";
  std::string result{text};
  curl_free(text);
  return result;
}

// Its `url` is null where the text is not an http or https URL, or holds a login.
Target parse_target(const std::string& text) {
  Target target;
  CurlUrl url{curl_url()};
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) return target;
  const std::string scheme = part_of(url.get(), CURLUPART_SCHEME);
  const bool has_login = !part_of(url.get(), CURLUPART_USER).empty() ||
                         !part_of(url.get(), CURLUPART_PASSWORD).empty();
  if ((scheme != "https" && scheme != "http") || has_login) return target;
  const std::string host = part_of(url.get(), CURLUPART_HOST);
  const std::string given_port = part_of(url.get(), CURLUPART_PORT);
  const std::string shown = given_port.empty() ? host : host + ":" + given_port;
  target.origin = fmt::format("{}://{}:{}", scheme, host,
                              part_of(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT));
  target.place = fmt::format("{}://{}{}", scheme, shown, part_of(url.get(), CURLUPART_PATH));
  target.url = std::move(url);
  return target;
}

// What the callbacks of one transfer share.
struct Transfer {
  HttpMethod method = HttpMethod::kGet;
  Answer answer;
  int sendings = 0;
  Flaw flaw = Flaw::kNone;
  std::array<char, CURL_ERROR_SIZE> error{};
};

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  return transfer.answer.take_header({data, size * count}) ? size * count : 0;
}

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  return transfer.answer.take_body({data, size * count}) ? size * count : 0;
}

// Called before each sending of the request, so also before one that curl does by itself where a
// kept connection was dead: the first may have been executed.
int allow_sending(void* context, char* /*remote*/, char* /*local*/, int /*remote_port*/,
                  int /*local_port*/) {
  auto& transfer = *static_cast<Transfer*>(context);
  ++transfer.sendings;
  if (transfer.sendings == 1 || transfer.method == HttpMethod::kGet) return CURL_PREREQFUNC_OK;
  transfer.flaw = Flaw::kNotSentAgain;
  return CURL_PREREQFUNC_ABORT;
}

// Sets options and keeps the first failure, so that the list of options reads as a list.
class Options {
 public:
  explicit Options(CURL* handle) : handle_(handle) {}

  template <typename T>
  void set(CURLoption option, T value) {
    if (code_ == CURLE_OK) code_ = curl_easy_setopt(handle_, option, value);
  }
  [[nodiscard]] CURLcode code() const { return code_; }

 private:
  CURL* handle_;
  CURLcode code_ = CURLE_OK;
};

void set_callbacks(Options& options, Transfer& transfer) {
  options.set(CURLOPT_HEADERFUNCTION, &take_header);
  options.set(CURLOPT_HEADERDATA, &transfer);
  options.set(CURLOPT_WRITEFUNCTION, &take_body);
  options.set(CURLOPT_WRITEDATA, &transfer);
  options.set(CURLOPT_PREREQFUNCTION, &allow_sending);
  options.set(CURLOPT_PREREQDATA, &transfer);
  options.set(CURLOPT_ERRORBUFFER, transfer.error.data());
}

void set_bounds(Options& options, Milliseconds span) {
  options.set(CURLOPT_TIMEOUT_MS, static_cast<long>(span.count()));
  options.set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(span.count()));
  options.set(CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
  // Without it a name server that is silent is waited for when the transfer is already over.
  options.set(CURLOPT_QUICK_EXIT, 1L);
#endif
}

void set_route(Options& options, const HttpRequest& request, const Target& target) {
  options.set(CURLOPT_CURLU, target.url.get());
  options.set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  options.set(CURLOPT_FOLLOWLOCATION, 0L);
  options.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  if (request.proxy == HttpProxy::kNone) options.set(CURLOPT_PROXY, "");
  options.set(CURLOPT_SSL_VERIFYPEER, 1L);
  options.set(CURLOPT_SSL_VERIFYHOST, 2L);
  options.set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!request.ca_file.empty()) {
    options.set(CURLOPT_CAINFO, request.ca_file.c_str());
    options.set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));  // not the system's as well
  }
}

void set_request(Options& options, const HttpRequest& request, const curl_slist* headers) {
  options.set(CURLOPT_USERAGENT, "mha-helper/" MHA_VERSION);
  options.set(CURLOPT_HTTPHEADER, headers);
  options.set(CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));  // none to a proxy
  const bool has_body = !request.body.empty() || request.method == HttpMethod::kPost ||
                        request.method == HttpMethod::kPut;
  if (has_body) {
    const std::string& body = request.body.reveal();
    options.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    options.set(CURLOPT_POSTFIELDS, body.c_str());  // not copied
  }
  if (request.method == HttpMethod::kPut) options.set(CURLOPT_CUSTOMREQUEST, "PUT");
  if (request.method == HttpMethod::kDelete) options.set(CURLOPT_CUSTOMREQUEST, "DELETE");
  if (request.method == HttpMethod::kGet && has_body) options.set(CURLOPT_CUSTOMREQUEST, "GET");
  if (request.signature) {
    const AwsSignature& by = *request.signature;
    options.set(CURLOPT_AWS_SIGV4, fmt::format("aws:amz:{}:{}", by.region, by.service).c_str());
    options.set(CURLOPT_USERNAME, by.access_key_id.c_str());
    options.set(CURLOPT_PASSWORD, by.secret_access_key.reveal().c_str());
  }
}

class HeaderLines {
 public:
  void add(std::string_view name, std::string_view value) {
    good_ = good_ && is_name(name) && value.find_first_of(kBreaks) == std::string_view::npos;
    // curl's own language: "Name;" sends an empty header, "Name:" would send none.
    std::string line =
        value.empty() ? fmt::format("{};", name) : fmt::format("{}: {}", name, value);
    append(line);
    wipe(line.data(), line.size());
  }
  void leave_out(std::string_view name) { append(fmt::format("{}:", name)); }

  // Whether every header was one.
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool has_memory() const { return has_memory_; }
  [[nodiscard]] const curl_slist* get() const { return list_.get(); }

 private:
  static constexpr std::string_view kBreaks{"\r\n\0", 3};

  static bool is_name(std::string_view name) {
    return !name.empty() && name.find_first_of(" \t:;\r\n") == std::string_view::npos &&
           name.find('\0') == std::string_view::npos;
  }
  void append(const std::string& line) {
    curl_slist* longer = curl_slist_append(list_.get(), line.c_str());
    if (longer == nullptr) {
      has_memory_ = false;
      return;
    }
    static_cast<void>(list_.release());
    list_.reset(longer);
  }

  HeaderList list_;
  bool good_ = true;
  bool has_memory_ = true;
};

bool names_content_type(const HttpRequest& request) {
  for (const HttpHeader& header : request.headers) {
    if (curl_strequal(header.name.c_str(), "Content-Type") != 0) return true;
  }
  return false;
}

HeaderLines header_lines(const HttpRequest& request) {
  HeaderLines lines;
  for (const HttpHeader& header : request.headers) lines.add(header.name, header.value);
  for (const SecretHeader& header : request.secret_headers) {
    lines.add(header.name, header.value.reveal());
  }
  if (request.signature && !request.signature->session_token.empty()) {
    lines.add("X-Amz-Security-Token", request.signature->session_token.reveal());
  }
  // curl would call an empty body a form. Signed requests are left alone: curl 7.88 would sign the
  // header that it leaves out.
  if (request.body.empty() && !request.signature && !names_content_type(request)) {
    lines.leave_out("Content-Type");
  }
  return lines;
}

Flaw flaw_of(const Transfer& transfer, CURLcode code) {
  if (transfer.flaw != Flaw::kNone) return transfer.flaw;
  if (transfer.answer.too_large()) return Flaw::kTooLarge;
  if (code != CURLE_OK) return Flaw::kNone;
  if (!transfer.answer.headers_whole()) return Flaw::kCutInHeaders;
  if (transfer.answer.ends_with_connection()) return Flaw::kNoLength;
  return Flaw::kNone;
}

Reached reached_by(const Transfer& transfer) {
  if (transfer.answer.begun()) return Reached::kAnswer;
  return transfer.sendings > 0 ? Reached::kRequest : Reached::kNothing;
}

}  // namespace

struct CurlHttpClient::Pool : HandlePool {};

CurlHttpClient::CurlHttpClient(const Clock& clock, Log& log) : clock_(clock), log_(log) {
  curl_global_init(CURL_GLOBAL_DEFAULT);  // counted by curl, as is the cleanup
  pool_ = std::make_unique<Pool>();
}

CurlHttpClient::~CurlHttpClient() {
  pool_.reset();
  curl_global_cleanup();
}

Result<HttpResponse> CurlHttpClient::send(const HttpRequest& request, Deadline deadline) {
  const Target target = parse_target(request.url);
  if (!target.url) {
    // The URL is not shown: it may hold a password, which is why it is refused.
    return Error{Code::kConfig, fmt::format("{} to a URL that is not http(s)://HOST[:PORT]/PATH, "
                                            "or holds a login; nothing was sent; correct the URL",
                                            to_string(request.method))};
  }
  const HeaderLines headers = header_lines(request);
  if (!headers.good()) {
    return Error{Code::kInternal, fmt::format("{} {}: a header has a line break in it; nothing was "
                                              "sent; report this",
                                              to_string(request.method), target.place)};
  }
  HttpFailure failure;
  failure.method = request.method;
  failure.place = target.place;
  failure.ca_file = request.ca_file;

  KeptHandle handle = pool_->take(target.origin);
  Transfer transfer;
  transfer.method = request.method;
  const TimePoint begin = clock_.now();
  failure.span = deadline.remaining(begin);
  failure.code = CURLE_OPERATION_TIMEDOUT;
  if (failure.span > Milliseconds{0}) {
    Options options{handle.curl.get()};
    set_callbacks(options, transfer);
    set_bounds(options, failure.span);
    set_route(options, request, target);
    set_request(options, request, headers.get());
    failure.code = handle.curl && headers.has_memory() ? options.code() : CURLE_OUT_OF_MEMORY;
    if (failure.code == CURLE_OK) failure.code = curl_easy_perform(handle.curl.get());
  }
  failure.flaw = flaw_of(transfer, failure.code);
  failure.words = transfer.error.data();
  // After a failure too: curl has closed the connection that failed, and others may be open.
  if (handle.curl) pool_->give_back(std::move(handle));
  if (failure.code != CURLE_OK || failure.flaw != Flaw::kNone) {
    failure.reached = reached_by(transfer);
    return to_error(failure);
  }
  HttpResponse response = transfer.answer.take();
  log_.debug("{} {}: {} in {} ms", to_string(request.method), target.place, response.status,
             std::chrono::round<Milliseconds>(clock_.now() - begin).count());
  return response;
}

}  // namespace mha
