// Retries, and the two forms of OpenStack's errors.
#include "vip/openstack_call.h"

#include <fmt/core.h>

#include "vip/cloud_retry.h"

namespace mha {
namespace {

using nlohmann::json;

// The names of policy rules, for which one asks an administrator, stand at the end of long texts.
constexpr std::size_t kLongestSaid = 400;

// {"NeutronError": {"type", "message"}} of Neutron, {"error": {"title", "message"}} of Keystone.
struct Refusal {
  std::string type;
  std::string message;
};

Refusal refusal_in(const HttpResponse& response) {
  const json body = json::parse(response.body, nullptr, false);
  const auto text = [](const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
  };
  if (!body.is_object()) return {};
  if (const auto neutron = body.find("NeutronError"); neutron != body.end()) {
    if (neutron->is_string()) return {"", neutron->get<std::string>()};
    if (neutron->is_object()) return {text(*neutron, "type"), text(*neutron, "message")};
  }
  if (const auto error = body.find("error"); error != body.end() && error->is_object()) {
    return {text(*error, "title"), text(*error, "message")};
  }
  return {};
}

Again worth_another(const Result<HttpResponse>& answer) {
  if (!answer.ok()) {
    const Code code = answer.error().code;
    return code == Code::kUnreachable || code == Code::kTimeout ? Again::kYes : Again::kNo;
  }
  const int status = answer.value().status;
  return status == 429 || status >= 500 ? Again::kYes : Again::kNo;
}

std::string state_and_remedy(const HttpRequest& request, const HttpResponse& response) {
  const int status = response.status;
  if (status == 429 || status >= 500) {
    return fmt::format(
        "it was asked until the time was over{}: try again, and ask the cloud's operators what is "
        "wrong with this service",
        request.method == HttpMethod::kPut ? ", and may have been done" : "");
  }
  if (status >= 400) return "this call changed nothing";
  return "that is no answer of an OpenStack service: check the URL, and the proxies on the way";
}

}  // namespace

std::string title_of(const HttpRequest& request) {
  return fmt::format("{} {}", to_string(request.method),
                     request.url.substr(0, request.url.find('?')));
}

Result<HttpResponse> call_openstack(CloudPorts ports, const HttpRequest& request,
                                    Deadline deadline) {
  return with_retries(ports.clock, deadline, [&](Deadline attempt) {
    Result<HttpResponse> answer = ports.http.send(request, attempt);
    const Again again = worth_another(answer);
    if (again == Again::kYes) {
      ports.log.debug(
          "{}: {}", title_of(request),
          answer.ok() ? fmt::format("status {}", answer.value().status) : answer.error().message);
    }
    return Attempt<HttpResponse>{std::move(answer), again};
  });
}

std::string said_by(const HttpResponse& response) {
  const Refusal refusal = refusal_in(response);
  std::string text = refusal.type;
  if (!refusal.message.empty()) text += (text.empty() ? "" : ": ") + refusal.message;
  if (text.size() > kLongestSaid) text = text.substr(0, kLongestSaid) + "...";
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  }
  return text;
}

std::string error_type(const HttpResponse& response) { return refusal_in(response).type; }

Error malformed(const HttpRequest& request, const HttpResponse& response) {
  return Error{Code::kRefused,
               fmt::format("{}: the answer is malformed (status {}, {} bytes); is this an "
                           "OpenStack service?",
                           title_of(request), response.status, response.body.size())};
}

Error no_answer_to_use(const HttpRequest& request, const HttpResponse& response) {
  const std::string said = said_by(response);
  const bool busy = response.status == 429 || response.status >= 500;
  return Error{busy ? Code::kUnreachable : Code::kRefused,
               fmt::format("{}: status {}{}{}; {}", title_of(request), response.status,
                           said.empty() ? "" : " ", said, state_and_remedy(request, response))};
}

}  // namespace mha
