// The console log, on spdlog.
#include "base/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <string>

namespace mha {
namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

class ConsoleLog : public Log {
 public:
  explicit ConsoleLog(LogLevel least)
      : out_("out", std::make_shared<spdlog::sinks::stdout_sink_mt>()),
        err_("err", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    for (spdlog::logger* logger : std::array{&out_, &err_}) {
      logger->set_level(spdlog_level(least));
      logger->set_pattern("%Y-%m-%d %H:%M:%S.%e [%l] %v");
      logger->flush_on(spdlog::level::trace);
    }
  }

  void write(LogLevel level, std::string_view line) override {
    spdlog::logger& logger = level >= LogLevel::kWarning ? err_ : out_;
    logger.log(spdlog_level(level), spdlog::string_view_t{line.data(), line.size()});
  }

 private:
  spdlog::logger out_;
  spdlog::logger err_;
};

}  // namespace

std::unique_ptr<Log> make_console_log(LogLevel least) {
  return std::make_unique<ConsoleLog>(least);
}

}  // namespace mha
