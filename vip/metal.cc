// `ip addr` and `arping` on the host, read back after every change.
#include "vip/metal.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <sstream>
#include <utility>

#include "base/shell_quote.h"
#include "vip/address_list.h"

namespace mha {
namespace {

constexpr Milliseconds kDadPoll{100};

// What a script said.
struct ScriptAnswer {
  std::map<std::string, std::string> values;
  std::vector<InterfaceAddress> addresses;
  bool has_addresses = false;  // without them nothing is known, not even that the address is absent

  [[nodiscard]] std::string value(const std::string& key) const {
    const auto found = values.find(key);
    return found == values.end() ? "" : found->second;
  }
};

ScriptAnswer parse_answer(const std::string& out) {
  ScriptAnswer answer;
  std::istringstream lines(out);
  for (std::string line; std::getline(lines, line);) {
    if (line == "--addresses--") {
      std::ostringstream rest;
      rest << lines.rdbuf();
      answer.addresses = parse_ip_addr(rest.str());
      answer.has_addresses = true;
      break;
    }
    const std::size_t equals = line.find('=');
    if (equals != std::string::npos) {
      std::string value = line.substr(equals + 1);
      while (!value.empty() && value.back() == ' ') value.pop_back();
      answer.values[line.substr(0, equals)] = std::move(value);
    }
  }
  return answer;
}

class MetalDriver : public VipDriver {
 public:
  MetalDriver(MetalPlace place, std::string host, RemoteShell* shell, Clock& clock, Log& log)
      : place_(std::move(place)), host_(std::move(host)), shell_(shell), clock_(clock), log_(log) {}

  const std::string& provider() const override {
    static const std::string name = "metal";
    return name;
  }
  bool moves_an_address() const override { return true; }
  ShellUse shell_use() const override { return ShellUse::kNeeded; }

  Status check(Deadline deadline) override {
    Result<ScriptAnswer> answer = ask(metal_check_script(place_), deadline);
    if (!answer.ok()) return answer.error();
    if (answer.value().value("link").empty()) {
      return Error{
          Code::kRefused,
          fmt::format("host '{}' has no network interface '{}'; set cluster_interface to one "
                      "of its own (ip link)",
                      host_, place_.interface)};
    }
    if (answer.value().value("sudo") != "ok") {
      return Error{
          Code::kDenied,
          fmt::format("host '{}': {} does not run: {}; {}", host_,
                      place_.requires_sudo ? "'sudo -n ip'" : "ip", answer.value().value("sudo"),
                      place_.requires_sudo ? "install the sample sudoers file there"
                                           : "log in as root or set requires_sudo=yes")};
    }
    if (is_down(answer.value())) {
      const Error down{
          Code::kRefused,
          fmt::format("host '{}': the network interface '{}' is down, so no client "
                      "reaches {} there; {}",
                      host_, place_.interface, place_.vip.address, bring_up_by_hand())};
      // That is no reason to keep the address from leaving it.
      if (!find(answer.value()).has_value()) return down;
      log_.warning("{}", down.message);
    }
    own_links_ = link_addresses_in(answer.value().value("links"));
    warn_about_announcements(answer.value());
    return {};
  }

  Result<VipPresence> status(Deadline deadline) override {
    Result<ScriptAnswer> answer = ask(metal_status_script(place_), deadline);
    if (!answer.ok()) return answer.error();
    return find(answer.value()).has_value() && !is_refused_by_kernel(answer.value())
               ? VipPresence::kPresent
               : VipPresence::kAbsent;
  }

  Result<std::vector<std::string>> other_holders(Deadline deadline) override {
    Result<ScriptAnswer> answer = ask(metal_probe_script(place_), deadline);
    if (!answer.ok()) return answer.error();
    return link_addresses_in(answer.value().value("probe"));
  }

  std::vector<std::string> own_identities() const override { return own_links_; }

  Result<VipAssignment> assign(OtherHolder other_holder, Deadline deadline) override {
    log_.info("Executing command on '{}': {}", host_, assign_by_hand());
    const bool take_over = other_holder == OtherHolder::kTakeOver;
    // Against a machine that still answers, duplicate address detection would keep the address from
    // being used.
    const std::string flags = place_.vip.is_v6 && take_over ? "nodad" : "";
    const std::string script =
        metal_assign_script(place_, flags, take_over ? OnAnswer::kGoOn : OnAnswer::kStop);
    std::optional<ScriptAnswer> prepared;
    if (!take_over) prepared = finish_prepared(kAssignName, "add", deadline);
    Result<ScriptAnswer> answer =
        prepared.has_value() ? Result<ScriptAnswer>{std::move(*prepared)} : ask(script, deadline);
    if (answer.ok() && take_over && is_refused_by_kernel(answer.value())) {
      // It is there from before, and stays unusable until it is added anew.
      if (Status removed = remove(deadline); !removed.ok()) return removed.error();
      answer = ask(script, deadline);
    }
    if (!answer.ok()) return answer.error();
    VipAssignment assignment;
    const std::string holder = answer.value().value("probe");
    if (!holder.empty()) {
      if (!take_over) return held_elsewhere(link_address_in(holder));
      assignment.warnings.push_back(fmt::format(
          "the machine with link address {} still answers for {}; the address was taken over "
          "all the same (unfenced_failover=proceed)",
          link_address_in(holder), place_.vip.address));
    }
    const Status usable = wait_until_usable(std::move(answer).value(), deadline);
    if (!usable.ok()) return usable.error();
    return assignment;
  }

  Status remove(Deadline deadline) override {
    std::vector<std::string> address{place_.vip.text()};
    std::string interface = place_.interface;
    // First as configured, prepared or not; then as the host really has it: with another prefix, on
    // another interface, twice.
    for (int attempt = 0; attempt < 3; ++attempt) {
      log_.info("Executing command on '{}': {}ip addr del {} dev {}", host_,
                place_.requires_sudo ? "sudo " : "", fmt::join(address, " "), interface);
      std::optional<ScriptAnswer> prepared;
      if (attempt == 0) prepared = finish_prepared(kRemoveName, "del", deadline);
      const bool was_prepared = prepared.has_value();
      Result<ScriptAnswer> answer =
          was_prepared ? Result<ScriptAnswer>{std::move(*prepared)}
                       : ask(metal_remove_script(place_, address, interface), deadline);
      if (!answer.ok()) return answer.error();
      const std::optional<InterfaceAddress> left = find(answer.value());
      if (!left.has_value()) return {};
      if (left->words() == address && left->interface == interface && !was_prepared) {
        return Error{Code::kDenied, fmt::format("host '{}': {}: {}", host_, remove_by_hand(),
                                                answer.value().value("change"))};
      }
      address = left->words();
      interface = left->interface;
    }
    return Error{Code::kRefused,
                 fmt::format("host '{}' still has {} on {}", host_, place_.vip.address, interface)};
  }

  void prepare_remove(Deadline deadline) override {
    prepare(kRemoveName, metal_prepared_remove_script(place_), deadline);
  }
  void prepare_assign(Deadline deadline) override {
    prepare(kAssignName, metal_prepared_assign_script(place_, AskNetwork::kNow), deadline);
  }
  void prepare_assign_ahead(Deadline deadline) override {
    prepare(kAssignName, metal_prepared_assign_script(place_, AskNetwork::kDone), deadline);
  }

  std::string assign_by_hand() const override { return metal_change_command(place_, "add"); }
  std::string remove_by_hand() const override { return metal_change_command(place_, "del"); }

 private:
  static constexpr const char* kRemoveName = "vip-remove";
  static constexpr const char* kAssignName = "vip-assign";

  void prepare(const char* name, const std::string& script, Deadline deadline) {
    if (shell_ == nullptr) return;
    const Status prepared = shell_->prepare(name, script, deadline);
    if (!prepared.ok())
      log_.debug("host '{}': {} is not prepared: {}", host_, name, prepared.error().message);
  }

  // Nullopt where nothing was prepared or it came to nothing: the usual script does the same again,
  // and reads back.
  std::optional<ScriptAnswer> finish_prepared(const char* name, const char* verb,
                                              Deadline deadline) {
    if (shell_ == nullptr) return std::nullopt;
    const Result<CommandOutput> output =
        shell_->finish_prepared(name, metal_batch_line(place_, verb), deadline);
    if (!output.ok() || output.value().exit_status != 0) return std::nullopt;
    ScriptAnswer answer = parse_answer(output.value().out);
    if (!answer.has_addresses) return std::nullopt;
    return answer;
  }

  Result<ScriptAnswer> ask(const std::string& script, Deadline deadline) {
    if (shell_ == nullptr) {
      return Error{Code::kUnreachable, fmt::format("no SSH session to host '{}'", host_)};
    }
    Result<CommandOutput> output = shell_->run(script, deadline);
    if (!output.ok()) return output.error();
    ScriptAnswer answer = parse_answer(output.value().out);
    if (output.value().exit_status != 0) {
      const std::string why = answer.values.contains("ip") && answer.value("ip").empty()
                                  ? "the program ip was not found; install iproute2"
                                  : fmt::format("exit status {}: {}", output.value().exit_status,
                                                first_line(output.value().err));
      return Error{Code::kRefused,
                   fmt::format("reading the addresses of host '{}': {}", host_, why)};
    }
    if (!answer.has_addresses) {
      return Error{Code::kRefused,
                   fmt::format("reading the addresses of host '{}': commands over SSH do not run "
                               "there, or their output is cut: \"{}\"",
                               host_, first_line(output.value().out))};
    }
    return answer;
  }

  static std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

  [[nodiscard]] std::optional<InterfaceAddress> find(const ScriptAnswer& answer) const {
    return find_address(answer.addresses, place_.vip, place_.interface);
  }

  // What duplicate address detection has refused is listed, but the kernel does not use it.
  [[nodiscard]] bool is_refused_by_kernel(const ScriptAnswer& answer) const {
    const std::optional<InterfaceAddress> here = find(answer);
    return here.has_value() && here->dad_failed;
  }

  // Of "Unicast reply from 10.0.0.100 [1E:EB:7E:DD:68:E6]  0.522ms" or "fd00::1 lladdr 1e:eb:...
  // REACHABLE", each once and in lower case.
  static std::vector<std::string> link_addresses_in(const std::string& text) {
    std::vector<std::string> found;
    std::istringstream words(text);
    for (std::string word; words >> word;) {
      if (word.size() == 19 && word.front() == '[') word = word.substr(1, 17);
      if (word.size() != 17 || word[2] != ':' || word[14] != ':') continue;
      for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      if (std::find(found.begin(), found.end(), word) == found.end()) found.push_back(word);
    }
    return found;
  }

  static std::string link_address_in(const std::string& text) {
    const std::vector<std::string> found = link_addresses_in(text);
    return found.empty() ? text : found.front();
  }

  [[nodiscard]] Error held_elsewhere(const std::string& link_address) const {
    return Error{
        Code::kRefused,
        fmt::format("the machine with link address {} answers for {}: it was not added to host "
                    "'{}'; take it off there first",
                    link_address, place_.vip.address, host_)};
  }

  // Administratively, or without a cable, or as what lies below it: RFC 2863's words.
  static bool is_down(const ScriptAnswer& answer) {
    const std::string state = answer.value("operstate");
    return state == "down" || state == "lowerlayerdown";
  }

  [[nodiscard]] std::string bring_up_by_hand() const {
    return fmt::format("{}ip link set {} up, or look at its cable (ip link)",
                       place_.requires_sudo ? "sudo " : "", shell_quote(place_.interface));
  }

  // v6 addresses cannot be used before the kernel's duplicate address detection has ended (RFC
  // 4862, 5.4), and none on an interface that is down.
  Status wait_until_usable(ScriptAnswer answer, Deadline deadline) {
    for (;;) {
      const std::optional<InterfaceAddress> here = find(answer);
      if (!here.has_value()) {
        return Error{Code::kDenied, fmt::format("host '{}': {}: {}", host_, assign_by_hand(),
                                                answer.value("change"))};
      }
      if (here->interface == place_.interface && is_down(answer)) {
        return Error{Code::kUnreachable,
                     fmt::format("host '{}': {} was added to '{}', which is down, so no client "
                                 "reaches it there; {}",
                                 host_, place_.vip.address, place_.interface, bring_up_by_hand())};
      }
      if (here->dad_failed) {
        if (Status removed = remove(deadline); !removed.ok())
          log_.warning("{}", removed.error().message);
        return held_elsewhere("(by duplicate address detection)");
      }
      if (!here->tentative) return {};
      if (clock_.passed(deadline)) {
        return Error{Code::kTimeout, fmt::format("host '{}' still checks whether {} is a duplicate",
                                                 host_, place_.vip.address)};
      }
      clock_.sleep_for(kDadPoll);
      Result<ScriptAnswer> again = ask(metal_status_script(place_), deadline);
      if (!again.ok()) return again.error();
      answer = std::move(again).value();
    }
  }

  // Without announcements neighbours keep the old machine's link address: a warning, since the
  // address itself works.
  void warn_about_announcements(const ScriptAnswer& answer) {
    if (place_.talk == NeighbourTalk::kMute) return;
    if (place_.vip.is_v6) {
      if (answer.value("ndisc_notify") != "1") {
        log_.warning(
            "host '{}' will not announce {}: set the sysctl net.ipv6.conf.{}.ndisc_notify=1 there",
            host_, place_.vip.address, place_.interface);
      }
      return;
    }
    if (place_.talk == NeighbourTalk::kNone) return;
    if (answer.value("arping").empty()) {
      log_.warning("host '{}' will not announce {}: arping was not found; install iputils-arping",
                   host_, place_.vip.address);
    } else if (answer.value("arping_sudo") != "ok") {
      log_.warning(
          "host '{}' will not announce {}, nor find another holder of it: sudo -n arping: {}; "
          "install the sample sudoers file there",
          host_, place_.vip.address, answer.value("arping_sudo"));
    }
  }

  MetalPlace place_;
  std::string host_;
  RemoteShell* shell_;
  Clock& clock_;
  Log& log_;
  std::vector<std::string> own_links_;
};

}  // namespace

std::unique_ptr<VipDriver> make_metal_driver(MetalPlace place, std::string host, RemoteShell* shell,
                                             Clock& clock, Log& log) {
  return std::make_unique<MetalDriver>(std::move(place), std::move(host), shell, clock, log);
}

}  // namespace mha
