// tests/cloud/fault_proxy, which see, as a process of a test.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/deadline.h"
#include "component/test_process.h"
#include "fakes/faulty_http.h"
#include "source_paths.h"

namespace mha {

class FaultProxy {
 public:
  // `backends`: name to URL; `style`: "aws" or "openstack".
  FaultProxy(const std::vector<std::pair<std::string, std::string>>& backends,
             const std::string& style)
      : process_(argv(backends, style)), ready_(process_.read()) {}

  [[nodiscard]] std::string url(const std::string& name) const {
    return ready_.at("urls").at(name).get<std::string>();
  }
  [[nodiscard]] std::string ca_file() const { return ready_.at("ca").get<std::string>(); }

  void add_fault(const FaultOrder& order, const std::string& text = "") {
    tell("fault " + std::string(to_string(order.fault)) + " " + std::to_string(order.count) + "+" +
         std::to_string(order.skip) + (text.empty() ? "" : " " + text));
  }
  void set_latency(Milliseconds latency) { tell("latency " + std::to_string(latency.count())); }
  void set_pace(Milliseconds pace) { tell("pace " + std::to_string(pace.count())); }
  // Of each request since the last take_count(): how long it waited for its answer, and its name.
  std::vector<std::pair<Milliseconds, std::string>> times() {
    std::vector<std::pair<Milliseconds, std::string>> all;
    const nlohmann::json told = tell("times");
    for (const auto& one : told.at("times")) {
      const std::chrono::duration<double> waited{one.at(1).get<double>() - one.at(0).get<double>()};
      all.emplace_back(std::chrono::round<Milliseconds>(waited), one.at(2).get<std::string>());
    }
    return all;
  }
  void clear() { tell("clear"); }
  // Requests since take_count() was last asked.
  int count() { return tell("count").at("requests").get<int>(); }
  int take_count() {
    const int count = this->count();
    tell("reset");
    return count;
  }

 private:
  static std::vector<std::string> argv(
      const std::vector<std::pair<std::string, std::string>>& backends, const std::string& style) {
    std::vector<std::string> words{MHA_SOURCE_DIR "/tests/cloud/fault_proxy", "--style", style};
    for (const auto& [name, url] : backends) {
      words.insert(words.end(), {"--to", name + "=" + url});
    }
    return words;
  }
  nlohmann::json tell(const std::string& line) {
    process_.write(line);
    nlohmann::json answer = process_.read();
    if (answer.contains("error")) {
      throw std::runtime_error(line + ": " + answer.at("error").get<std::string>());
    }
    return answer;
  }

  TestProcess process_;
  nlohmann::json ready_;
};

}  // namespace mha
