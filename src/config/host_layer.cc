// Checks across options, and the defaults that follow from others.
#include "config/host_layer.h"

#include <fmt/chrono.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <utility>

#include "config/aws_options.h"
#include "config/host_name.h"
#include "config/openstack_options.h"
#include "config/option_values.h"

namespace mha {
namespace {

using std::chrono::seconds;

// What the steps of a hook take beside its two waits, with room for slow SSH.
constexpr seconds kWorkTime{20};
constexpr seconds kLeastOperationTimeout{30};

std::string local_host_name() {
  constexpr std::size_t kLongest = 256;
  std::array<char, kLongest> name{};
  const bool known = gethostname(name.data(), name.size() - 1) == 0 && is_host(name.data());
  return known ? name.data() : "localhost";
}

std::uint16_t usual_port(SmtpSecurity security) {
  switch (security) {
    case SmtpSecurity::kNone:
      return 25;
    case SmtpSecurity::kStartTls:
      return 587;
    case SmtpSecurity::kTls:
      return 465;
  }
  return 25;
}

bool is_this_host(const std::string& host) {
  const std::string key = host_key(host);
  return key == "localhost" || key == "::1" || key.starts_with("127.");
}

// Options that only make sense together, once all of them are known.
class Settler {
 public:
  Settler(const std::string& file, const Place& here, const HostLayer& layer)
      : file_(file), here_(here), layer_(layer), draft_(layer.draft) {}

  SettledHost settle() {
    settle_vip();
    settle_timeout();
    settle_mail();
    draft_.file = file_;
    return {draft_, std::move(problems_)};
  }

 private:
  void add(Severity severity, const Place& place, std::string_view key, std::string message) {
    problems_.push_back(
        {severity, file_, place.line, place.section, std::string(key), std::move(message)});
  }
  [[nodiscard]] const Place& place_of(std::string_view key) const {
    const auto found = layer_.places.find(key);
    return found == layer_.places.end() ? here_ : found->second;
  }

  void settle_vip() {
    if (draft_.vip_type == VipType::kNone) {
      draft_.writer_vip.reset();
      return;
    }
    if (draft_.writer_vip && is_network_or_broadcast(*draft_.writer_vip)) {
      add(Severity::kWarning, place_of("writer_vip_cidr"), "writer_vip_cidr",
          fmt::format("{} is the network's own or its broadcast address, not a host's",
                      draft_.writer_vip->text()));
    }
    if (draft_.vip_type == VipType::kMetal) {
      if (!draft_.writer_vip) add_missing("writer_vip_cidr", "vip_type = metal");
      if (draft_.cluster_interface.empty()) add_missing("cluster_interface", "vip_type = metal");
    }
    if (draft_.vip_type == VipType::kAws) add_problems(aws_problems(draft_));
    if (draft_.vip_type == VipType::kOpenstack) add_problems(openstack_problems(draft_));
  }
  void add_problems(const std::vector<OptionProblem>& problems) {
    for (const OptionProblem& problem : problems) {
      if (problem.missing_for.empty()) {
        add(Severity::kError, place_of(problem.key), problem.key, problem.message);
      } else {
        add_missing(problem.key, problem.missing_for);
      }
    }
  }
  void add_missing(std::string_view key, std::string_view needed_by) {
    const bool is_default = here_.section == "default";
    add(Severity::kError, here_, key,
        is_default ? fmt::format("{} needs it, and it is not set here", needed_by)
                   : fmt::format("{} needs it, and neither [{}] nor [default] sets it", needed_by,
                                 here_.section));
  }

  void settle_timeout() {
    const seconds waits = draft_.kill_after_timeout + draft_.lock_wait_timeout;
    const auto written = draft_.operation_timeout_written;
    // A kill_after_timeout that was written for the Python helper, which had no such limit, must
    // still have its time.
    draft_.operation_timeout =
        written.value_or(std::max(kLeastOperationTimeout, waits + kWorkTime));
    if (written && *written <= waits) {
      add(Severity::kWarning, place_of("operation_timeout"), "operation_timeout",
          fmt::format("{} leaves no time for the work beside kill_after_timeout ({}) and "
                      "lock_wait_timeout ({})",
                      *written, draft_.kill_after_timeout, draft_.lock_wait_timeout));
    }
  }

  void settle_mail() {
    if (draft_.report_from.empty()) {
      draft_.report_from = "mha-helper@" + local_host_name();
    }
    const auto in_host = draft_.port_in_smtp_host;
    const auto own = draft_.smtp_port_written;
    draft_.smtp_port = own ? *own : in_host.value_or(usual_port(draft_.smtp_security));
    if (in_host && own && *in_host != *own) {
      add(Severity::kError, place_of("smtp_port"), "smtp_port",
          fmt::format("{} contradicts the port {} in smtp_host (line {}): write one of them", *own,
                      *in_host, place_of("smtp_host").line));
    }
    if (!draft_.smtp_user.empty() && draft_.smtp_password_file.empty()) {
      add(Severity::kError, place_of("smtp_user"), "smtp_user", "needs smtp_password_file as well");
    }
    if (draft_.smtp_user.empty() && !draft_.smtp_password_file.empty()) {
      add(Severity::kWarning, place_of("smtp_password_file"), "smtp_password_file",
          "is not used without smtp_user");
    }
    if (!draft_.smtp_user.empty() && draft_.smtp_security == SmtpSecurity::kNone &&
        !is_this_host(draft_.smtp_host)) {
      add(Severity::kWarning, place_of("smtp_user"), "smtp_user",
          "its password would cross the network unencrypted: set smtp_security");
    }
  }

  const std::string& file_;
  const Place& here_;
  const HostLayer& layer_;
  HostDraft draft_;
  std::vector<Diagnostic> problems_;
};

}  // namespace

SettledHost settle(const std::string& file, const Place& here, const HostLayer& layer) {
  return Settler(file, here, layer).settle();
}

}  // namespace mha
