// Form, signature, retries, and which of EC2's codes means what to us.
#include "vip/ec2_query.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "config/diagnostic.h"
#include "vip/aws_profile.h"
#include "vip/cloud_retry.h"
#include "vip/cloud_url.h"

namespace mha {
namespace {

constexpr const char* kVersion = "2016-11-15";
constexpr int kTriesOfGarbage = 3;
constexpr const char* kWhenBusy =
    "; it was tried until the time was over: try again, see the state of the region, and the "
    "account's request limits";

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& codes, std::string_view code) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

// EC2 API Reference, "Error codes": common client errors and server errors.
constexpr std::array<std::string_view, 4> kExpired = {"ExpiredToken", "ExpiredTokenException",
                                                      "RequestExpired", "TokenRefreshRequired"};
constexpr std::array<std::string_view, 3> kNoPermission = {"UnauthorizedOperation", "AccessDenied",
                                                           "AccessDeniedException"};
constexpr std::array<std::string_view, 12> kBadCredentials = {"AuthFailure",
                                                              "InvalidClientTokenId",
                                                              "SignatureDoesNotMatch",
                                                              "IncompleteSignature",
                                                              "MissingAuthenticationToken",
                                                              "UnrecognizedClientException",
                                                              "InvalidAccessKeyId",
                                                              "OptInRequired",
                                                              "Blocked",
                                                              "PendingVerification",
                                                              "InvalidSecurity",
                                                              "InvalidSecurityToken"};
constexpr std::array<std::string_view, 12> kBusy = {"RequestLimitExceeded",
                                                    "Throttling",
                                                    "ThrottlingException",
                                                    "ThrottledException",
                                                    "InternalError",
                                                    "InternalFailure",
                                                    "ServiceUnavailable",
                                                    "Unavailable",
                                                    "RequestThrottled",
                                                    "RequestTimeout",
                                                    "TooManyRequestsException",
                                                    "RequestThrottledException"};

bool is_busy(const std::string& code) { return is_one_of(kBusy, code); }

std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

// "ec2.eu-west-1.amazonaws.com" of the URL; for messages.
std::string host_of(const std::string& url) {
  const std::size_t begin = url.find("://");
  std::string host = begin == std::string::npos ? url : url.substr(begin + 3);
  return host.substr(0, host.find('/'));
}

// The first line: what follows it in SignatureDoesNotMatch is our request with the session token.
std::string words_of(std::string_view message) {
  return printable(message.substr(0, message.find_first_of("\r\n")));
}

std::string remedy_for(const std::string& code, const std::string& action,
                       const std::string& source) {
  if (is_one_of(kNoPermission, code)) {
    return fmt::format("; allow ec2:{} in the IAM policy for the keys of {}", action, source);
  }
  if (is_one_of(kBadCredentials, code)) {
    return fmt::format("; the keys are those of {}: check them, and this machine's clock", source);
  }
  if (is_busy(code)) return kWhenBusy;
  // InvalidAllocationID.NotFound, InvalidRouteTableID.Malformed...
  if (code.starts_with("Invalid") && code.find("ID.") != std::string::npos) {
    return "; correct the id in the helper's configuration, or aws_region";
  }
  return "";
}

Code code_for(const std::string& code) {
  if (is_one_of(kNoPermission, code) || is_one_of(kBadCredentials, code) ||
      is_one_of(kExpired, code)) {
    return Code::kDenied;
  }
  return is_busy(code) ? Code::kUnreachable : Code::kRefused;
}

// One call with all its attempts.
class Call {
 public:
  Call(CloudPorts ports, AwsIdentity& identity, std::string action, HttpRequest request)
      : ports_(ports),
        identity_(identity),
        action_(std::move(action)),
        request_(std::move(request)) {}

  Result<Ec2Answer> run(AwsCredentials credentials, Deadline deadline) {
    credentials_ = std::move(credentials);
    for (int round = 0;; ++round) {
      Result<Ec2Answer> answer = with_retries(
          ports_.clock, deadline, [this](Deadline attempt) { return this->attempt(attempt); });
      if (!answer.ok() || !is_one_of(kExpired, answer.value().refusal) || round > 0) return answer;
      Result<AwsCredentials> newer = identity_.credentials_instead_of(credentials_, deadline);
      if (!newer.ok()) {
        return Error{newer.error().code,
                     fmt::format("{}; {}", answer.value().error.message, newer.error().message)};
      }
      credentials_ = std::move(newer).value();
    }
  }

 private:
  Attempt<Ec2Answer> attempt(Deadline deadline) {
    request_.signature->access_key_id = credentials_.access_key_id;
    request_.signature->secret_access_key = credentials_.secret_access_key;
    request_.signature->session_token = credentials_.session_token;
    const Result<HttpResponse> response = ports_.http.send(request_, deadline);
    if (!response.ok()) {
      const Code code = response.error().code;
      const bool again = code == Code::kUnreachable || code == Code::kTimeout;
      return {response.error().with_context(name()), again ? Again::kYes : Again::kNo};
    }
    return read(response.value());
  }

  [[nodiscard]] std::string name() const { return fmt::format("EC2 {}", action_); }

  [[nodiscard]] Error error(Code code, const std::string& what) const {
    return Error{code, fmt::format("{} at {}: {}", name(), host_of(request_.url), what)};
  }

  Attempt<Ec2Answer> read(const HttpResponse& response) {
    const auto document = std::make_shared<pugi::xml_document>();
    const bool parsed =
        document->load_buffer(response.body.data(), response.body.size()).status == pugi::status_ok;
    const pugi::xml_node root = document->document_element();
    if (response.status >= 200 && response.status < 300) {
      if (parsed && root.name() == action_ + "Response") {
        return {Ec2Answer{document, "", Error{Code::kInternal, ""}}, Again::kNo};
      }
      return garbage(response.status);
    }
    const pugi::xml_node said = parsed ? error_in(root) : pugi::xml_node{};
    const std::string code = said.child_value("Code");
    if (code.empty()) {
      if (response.status >= 500 || response.status == 429) {
        return {error(Code::kUnreachable, fmt::format("HTTP {}{}", response.status, kWhenBusy)),
                Again::kYes};
      }
      return garbage(response.status);
    }
    Error refused =
        error(code_for(code),
              fmt::format("{}: {}{}", printable(code), words_of(said.child_value("Message")),
                          remedy_for(code, action_, credentials_.source)));
    if (is_busy(code) || response.status >= 500) {
      refused.code = Code::kUnreachable;
      return {std::move(refused), Again::kYes};
    }
    return {Ec2Answer{document, code, std::move(refused)}, Again::kNo};
  }

  // <Response><Errors><Error>, and <ErrorResponse><Error> of the service in front of EC2.
  static pugi::xml_node error_in(pugi::xml_node root) {
    const pugi::xml_node errors = root.child("Errors");
    return errors ? errors.child("Error") : root.child("Error");
  }

  Attempt<Ec2Answer> garbage(int status) {
    ++garbage_;
    return {error(Code::kRefused,
                  fmt::format("the answer (HTTP {}) is cut or none of EC2's; whether the call was "
                              "executed is not known; check aws_region, AWS_ENDPOINT_URL and the "
                              "proxies on the way",
                              status)),
            garbage_ < kTriesOfGarbage ? Again::kYes : Again::kNo};
  }

  CloudPorts ports_;
  AwsIdentity& identity_;
  std::string action_;
  HttpRequest request_;
  AwsCredentials credentials_;
  int garbage_ = 0;
};

}  // namespace

std::string ec2_form(const std::string& action, const Ec2Parameters& parameters) {
  std::string form = fmt::format("Action={}&Version={}", action, kVersion);
  for (const auto& [name, value] : parameters) {
    form += fmt::format("&{}={}", encoded(name), encoded(value));
  }
  return form;
}

Ec2Query::Ec2Query(CloudPorts ports, AwsIdentity& identity, std::string ca_file)
    : ports_(ports), identity_(identity), ca_file_(std::move(ca_file)) {}

// EC2 API Reference, "Service endpoints"; the variables are the SDKs' ("Service-specific
// endpoints").
Result<std::string> Ec2Query::endpoint(Deadline deadline) {
  for (const char* name : {"AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL"}) {
    if (const auto url = set_variable(ports_.environ, name)) {
      if (const Status good = check_cloud_url(*url); !good.ok()) {
        return good.error().with_context(name);
      }
      return url->ends_with('/') ? *url : *url + "/";
    }
  }
  const Result<std::string> region = identity_.region(deadline);
  if (!region.ok()) return region.error();
  return fmt::format("https://ec2.{}.amazonaws.com{}/", region.value(),
                     region.value().starts_with("cn-") ? ".cn" : "");
}

Result<Ec2Answer> Ec2Query::call(const std::string& action, const Ec2Parameters& parameters,
                                 Deadline deadline) {
  const Result<std::string> region = identity_.region(deadline);
  if (!region.ok()) return region.error();
  const Result<std::string> url = endpoint(deadline);
  if (!url.ok()) return url.error();
  Result<AwsCredentials> credentials = identity_.credentials(deadline);
  if (!credentials.ok()) return credentials.error();

  HttpRequest request;
  request.method = HttpMethod::kPost;
  request.url = url.value();
  request.headers.push_back({"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"});
  request.body = Secret(ec2_form(action, parameters));
  request.signature = AwsSignature{"", Secret{}, Secret{}, region.value(), "ec2"};
  request.ca_file = ca_file_;
  return Call(ports_, identity_, action, std::move(request))
      .run(std::move(credentials).value(), deadline);
}

}  // namespace mha
