// One mail, one curl transfer: options, conversation, errors for people.
#include "mail/curl_mailer.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fmt/core.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <string_view>

#include "mail/message.h"
#include "mail/smtp_conversation.h"

namespace mha {
namespace {

struct CurlDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlHandle = std::unique_ptr<CURL, CurlDeleter>;
using CurlUrl = std::unique_ptr<CURLU, CurlDeleter>;
using CurlList = std::unique_ptr<curl_slist, CurlDeleter>;

bool is_v6(const std::string& host) { return host.find(':') != std::string::npos; }

std::string url_host(const SmtpServer& server) {
  return is_v6(server.host) ? '[' + server.host + ']' : server.host;
}

std::string name_of(const SmtpServer& server) {
  return fmt::format("{}:{}", url_host(server), server.port);
}

bool is_loopback(const std::string& host) {
  if (host == "localhost") return true;
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

// What the callbacks of one transfer share.
struct Transfer {
  std::string text;  // the message, and how much of it curl has taken
  std::size_t taken = 0;
  SmtpConversation talk;
  std::set<curl_socket_t> sockets;  // those that curl has open
  std::array<char, CURL_ERROR_SIZE> error{};
};

std::size_t read_message(char* to, std::size_t size, std::size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  const std::size_t part = std::min(size * count, transfer.text.size() - transfer.taken);
  transfer.text.copy(to, part, transfer.taken);
  transfer.taken += part;
  return part;
}

int note_socket(void* context, curl_socket_t socket, curlsocktype /*purpose*/) {
  static_cast<Transfer*>(context)->sockets.insert(socket);
  return CURL_SOCKOPT_OK;
}

int close_socket(void* context, curl_socket_t socket) {
  static_cast<Transfer*>(context)->sockets.erase(socket);
  return close(socket);
}

int note_talk(CURL* /*handle*/, curl_infotype type, char* data, std::size_t size, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  const std::string_view line{data, size};
  if (type == CURLINFO_HEADER_IN) transfer.talk.received(line);
  if (type == CURLINFO_HEADER_OUT) {
    transfer.talk.sent(line);
    if (line.starts_with("QUIT")) {
      // curl would wait up to two minutes for the reply, past every time-out that it is given.
      // Reading nothing more from here on ends that at once; what was sent is on its way.
      for (const curl_socket_t socket : transfer.sockets) shutdown(socket, SHUT_RD);
    }
  }
  return 0;
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
  options.set(CURLOPT_READFUNCTION, &read_message);
  options.set(CURLOPT_READDATA, &transfer);
  options.set(CURLOPT_SOCKOPTFUNCTION, &note_socket);
  options.set(CURLOPT_SOCKOPTDATA, &transfer);
  options.set(CURLOPT_CLOSESOCKETFUNCTION, &close_socket);
  options.set(CURLOPT_CLOSESOCKETDATA, &transfer);
  options.set(CURLOPT_DEBUGFUNCTION, &note_talk);
  options.set(CURLOPT_DEBUGDATA, &transfer);
  options.set(CURLOPT_VERBOSE, 1L);  // to the debug function, not to a terminal
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
  // The connection ends with the transfer, where note_talk() sees its QUIT.
  options.set(CURLOPT_FORBID_REUSE, 1L);
}

void set_security(Options& options, const SmtpServer& server) {
  options.set(
      CURLOPT_USE_SSL,
      static_cast<long>(server.security == SmtpSecurity::kNone ? CURLUSESSL_NONE : CURLUSESSL_ALL));
  options.set(CURLOPT_SSL_VERIFYPEER, 1L);
  options.set(CURLOPT_SSL_VERIFYHOST, 2L);
  options.set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!server.ca_file.empty()) {
    options.set(CURLOPT_CAINFO, server.ca_file.c_str());
    options.set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));  // not the system's as well
  }
  if (!server.user.empty()) {
    options.set(CURLOPT_USERNAME, server.user.c_str());
    options.set(CURLOPT_PASSWORD, server.password.reveal().c_str());
    options.set(CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN;AUTH=CRAM-MD5;AUTH=DIGEST-MD5");
  }
  options.set(CURLOPT_PROXY, "");
}

void set_envelope(Options& options, const Mail& mail, const curl_slist* recipients,
                  const Transfer& transfer) {
  options.set(CURLOPT_MAIL_FROM, mail.from.c_str());
  options.set(CURLOPT_MAIL_RCPT, recipients);
  options.set(CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
  options.set(CURLOPT_UPLOAD, 1L);
  options.set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(transfer.text.size()));
}

// Null where the host is not one.
CurlUrl make_url(const SmtpServer& server) {
  CurlUrl url{curl_url()};
  const char* scheme = server.security == SmtpSecurity::kTls ? "smtps" : "smtp";
  const std::string port = fmt::format("{}", server.port);
  const bool good =
      url && curl_url_set(url.get(), CURLUPART_SCHEME, scheme, 0) == CURLUE_OK &&
      curl_url_set(url.get(), CURLUPART_HOST, url_host(server).c_str(), 0) == CURLUE_OK &&
      curl_url_set(url.get(), CURLUPART_PORT, port.c_str(), 0) == CURLUE_OK;
  return good ? std::move(url) : nullptr;
}

// Null where memory is out.
CurlList make_recipients(const Mail& mail) {
  CurlList list;
  for (const std::string& address : mail.to) {
    curl_slist* longer = curl_slist_append(list.get(), address.c_str());
    if (longer == nullptr) return nullptr;
    static_cast<void>(list.release());
    list.reset(longer);
  }
  return list;
}

Code code_for(CURLcode code, const SmtpConversation& talk) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return Code::kTimeout;
    case CURLE_LOGIN_DENIED:
    case CURLE_USE_SSL_FAILED:
    case CURLE_PEER_FAILED_VERIFICATION:
      return Code::kDenied;
    case CURLE_SSL_CACERT_BADFILE:
      return Code::kConfig;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
    case CURLE_UNKNOWN_OPTION:
      return Code::kInternal;
    default:
      return talk.rejection().empty() ? Code::kUnreachable : Code::kRefused;
  }
}

std::string what_happened(CURLcode code, const SmtpConversation& talk, const char* curl_words,
                          Milliseconds span) {
  if (code == CURLE_OPERATION_TIMEDOUT && span == Milliseconds{0}) return "no time was left for it";
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return fmt::format("no answer to {} within {} ms", to_string(talk.step()), span.count());
  }
  if (code == CURLE_USE_SSL_FAILED) return "the server does not offer STARTTLS";
  if (!talk.rejection().empty()) {
    return fmt::format("the server answered {} with '{}'", to_string(talk.step()),
                       talk.rejection());
  }
  const std::string_view words = *curl_words != '\0' ? curl_words : curl_easy_strerror(code);
  if (talk.step() == SmtpStep::kConnect) return std::string{words};
  return fmt::format("{} (after {})", words, to_string(talk.step()));
}

std::string_view remedy_for(CURLcode code, const SmtpConversation& talk) {
  switch (code) {
    case CURLE_LOGIN_DENIED:
      return "check smtp_user and smtp_password_file";
    case CURLE_USE_SSL_FAILED:
      return "check smtp_security";
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
      return "check smtp_security and smtp_ca, and that smtp_host is the name in the certificate";
    default:
      break;
  }
  if (talk.step() == SmtpStep::kSender) return "check report_from";
  if (talk.step() == SmtpStep::kRecipient) return "check report_email";
  if (talk.step() == SmtpStep::kConnect) return "check smtp_host and smtp_port";
  return "see the mail server's log";
}

Error failure(CURLcode code, const Transfer& transfer, const SmtpServer& server,
              Milliseconds span) {
  const SmtpConversation& talk = transfer.talk;
  // Once the message is on its way only the server's refusal tells that it was not taken.
  const bool unknown = talk.step() == SmtpStep::kMessage && talk.rejection().empty();
  return Error{code_for(code, talk),
               fmt::format("sending mail by {}: {}; {}; {}", name_of(server),
                           what_happened(code, talk, transfer.error.data(), span),
                           unknown ? "the mail may or may not have been sent" : "no mail was sent",
                           remedy_for(code, talk))};
}

Status check_server(const SmtpServer& server) {
  if (server.user.empty() || server.security != SmtpSecurity::kNone || is_loopback(server.host)) {
    return {};
  }
  return Error{Code::kConfig,
               fmt::format("sending mail by {}: the password of '{}' would go in plain text; no "
                           "mail was sent; set smtp_security to starttls or tls",
                           name_of(server), server.user)};
}

}  // namespace

CurlMailer::CurlMailer(const Clock& clock, Log& log) : clock_(clock), log_(log) {
  curl_global_init(CURL_GLOBAL_DEFAULT);  // counted by curl, as is the cleanup
}

CurlMailer::~CurlMailer() { curl_global_cleanup(); }

Status CurlMailer::send(const SmtpServer& server, const Mail& mail, Deadline deadline) {
  if (Status status = check_mail_addresses(mail); !status.ok()) return status;
  if (Status status = check_server(server); !status.ok()) return status;

  const CurlUrl url = make_url(server);
  if (!url) {
    return Error{Code::kConfig, fmt::format("sending mail: smtp_host '{}' with port {} is not a "
                                            "host; no mail was sent; correct smtp_host",
                                            server.host, server.port)};
  }
  const CurlList recipients = make_recipients(mail);
  const CurlHandle handle{curl_easy_init()};
  Transfer transfer;
  transfer.text = message_text(mail, make_mail_stamp(mail, clock_));

  const Milliseconds span = clock_.remaining(deadline);
  if (span == Milliseconds{0}) return failure(CURLE_OPERATION_TIMEDOUT, transfer, server, span);
  Options options{handle.get()};
  options.set(CURLOPT_CURLU, url.get());
  set_callbacks(options, transfer);
  set_bounds(options, span);
  set_security(options, server);
  set_envelope(options, mail, recipients.get(), transfer);

  CURLcode code = handle && recipients ? options.code() : CURLE_OUT_OF_MEMORY;
  if (code == CURLE_OK) code = curl_easy_perform(handle.get());
  if (!transfer.talk.accepted()) {
    // Never Ok without the 250, whatever curl says.
    return failure(code == CURLE_OK ? CURLE_WEIRD_SERVER_REPLY : code, transfer, server, span);
  }
  for (const RefusedRecipient& refused : transfer.talk.refused_recipients()) {
    log_.warning("mail server {} refused recipient {} ('{}'); the others got the mail",
                 name_of(server), refused.address, refused.reply);
  }
  return {};
}

}  // namespace mha
