// The places one after the other.
#include "vip/aws_credentials.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <utility>

#include "config/ascii.h"
#include "config/diagnostic.h"
#include "config/option_place.h"
#include "vip/aws_profile.h"

namespace mha {
namespace {

using nlohmann::json;

// Long enough for an operation to end with them.
constexpr std::chrono::minutes kFreshness{2};

// "2024-01-01T06:00:00Z"; nullopt where it is none.
std::optional<WallTime> parse_utc(const std::string& text) {
  std::tm time{};
  std::istringstream in(text);
  in >> std::get_time(&time, "%Y-%m-%dT%H:%M:%SZ");
  if (in.fail()) return std::nullopt;
  return std::chrono::system_clock::from_time_t(timegm(&time));
}

std::string text_in(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// It becomes a part of a host name.
bool is_region(const std::string& text) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !text.empty() && text.size() < 40 && std::all_of(text.begin(), text.end(), good);
}

Error no_region(const std::string& place, const std::string& text) {
  return Error{Code::kConfig,
               fmt::format("{}: '{}' is not an AWS region, like eu-west-1; set aws_region", place,
                           printable(text))};
}

// "" where neither says it.
std::string region_before_files(const std::string& written, const Environ& environ) {
  if (!written.empty()) return written;
  for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (const auto region = set_variable(environ, name)) return *region;
  }
  return "";
}

std::string no_region_in(const AwsProfile& profile) {
  return fmt::format("it is not set, nor AWS_REGION, nor region in [{}] of {}", profile.name,
                     profile.files);
}

std::string no_keys_in(const AwsProfile& profile) {
  return fmt::format(
      "no AWS credentials: AWS_ACCESS_KEY_ID is not set, [{}] with keys is not in {}", profile.name,
      profile.files);
}

Result<std::optional<AwsCredentials>> from_environment(const Environ& environ) {
  const auto key_id = set_variable(environ, "AWS_ACCESS_KEY_ID");
  const auto secret = set_variable(environ, "AWS_SECRET_ACCESS_KEY");
  if (key_id.has_value() != secret.has_value()) {
    return Error{Code::kConfig,
                 fmt::format("{} is set in the environment, and {} is not: set both, or neither",
                             key_id ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                             key_id ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID")};
  }
  if (!key_id.has_value()) return std::optional<AwsCredentials>{};
  return std::optional<AwsCredentials>{
      {*key_id, Secret(*secret), Secret(set_variable(environ, "AWS_SESSION_TOKEN").value_or("")),
       std::nullopt, "the environment"}};
}

}  // namespace

AwsIdentity::AwsIdentity(CloudPorts ports, std::string profile, std::string region,
                         std::string place)
    : ports_(ports),
      profile_(std::move(profile)),
      written_region_(std::move(region)),
      place_(std::move(place)),
      metadata_(ports) {}

Result<AwsCredentials> AwsIdentity::from_metadata(Deadline deadline) {
  Result<std::optional<std::string>> role = metadata_.get("iam/security-credentials/", deadline);
  if (!role.ok()) return role.error();
  const std::string listing = role.value().value_or("");
  const std::string name(trimmed(std::string_view(listing).substr(0, listing.find('\n'))));
  // IAM's own rule for names; it becomes a part of a URL and of messages.
  static const std::regex form("[A-Za-z0-9_+=,.@-]{1,64}");
  if (!name.empty() && !std::regex_match(name, form)) {
    return Error{Code::kRefused, "the instance metadata service's list of roles is not one"};
  }
  if (name.empty()) {
    return Error{Code::kConfig,
                 "the instance that this runs on has no role: attach an instance profile"};
  }
  Result<std::optional<std::string>> answer =
      metadata_.get("iam/security-credentials/" + name, deadline);
  if (!answer.ok()) return answer.error();
  const json said = json::parse(answer.value().value_or(""), nullptr, false);
  if (!said.is_object()) {
    return Error{Code::kRefused,
                 fmt::format("the instance metadata service's answer for the role '{}' is cut or "
                             "no JSON",
                             name)};
  }
  AwsCredentials found{text_in(said, "AccessKeyId"), Secret(text_in(said, "SecretAccessKey")),
                       Secret(text_in(said, "Token")), parse_utc(text_in(said, "Expiration")),
                       fmt::format("the instance role '{}'", name)};
  const std::string code = text_in(said, "Code");
  if ((!code.empty() && code != "Success") || found.access_key_id.empty() ||
      found.secret_access_key.empty()) {
    return Error{Code::kDenied,
                 fmt::format("the instance metadata service has no keys for the role '{}': {}",
                             name, code.empty() ? "some are missing" : printable(code))};
  }
  return found;
}

Result<AwsCredentials> AwsIdentity::find(Deadline deadline) {
  if (profile_.empty()) {
    Result<std::optional<AwsCredentials>> environment = from_environment(ports_.environ);
    if (!environment.ok()) return environment.error();
    if (environment.value().has_value()) return *std::move(environment).value();
  }
  Result<AwsProfile> profile = read_aws_profile(profile_, ports_.environ);
  if (!profile.ok()) return profile.error();
  AwsProfile& read = profile.value();
  if (!read.access_key_id.empty()) {
    return AwsCredentials{read.access_key_id, read.secret_access_key, read.session_token,
                          std::nullopt, read.place};
  }
  Result<AwsCredentials> role = from_metadata(deadline);
  if (role.ok()) return role;
  return Error{ports_.clock.passed(deadline) ? Code::kTimeout : Code::kConfig,
               fmt::format("{}, and {}", no_keys_in(read), role.error().message)};
}

Result<AwsCredentials> AwsIdentity::credentials(Deadline deadline) {
  std::optional<AwsCredentials> old;
  const WallTime now = ports_.clock.wall_now();
  {
    const std::lock_guard lock{mutex_};
    old = known_;
  }
  if (old.has_value() && (!old->expiration || now + kFreshness < *old->expiration)) return *old;
  Result<AwsCredentials> found = find(deadline);
  if (!found.ok()) {
    // Better than none, as long as they hold.
    if (old.has_value() && now < *old->expiration) return *old;
    return found;
  }
  ports_.log.debug("AWS credentials are those of {}", found.value().source);
  const std::lock_guard lock{mutex_};
  known_ = found.value();
  return found;
}

Result<AwsCredentials> AwsIdentity::credentials_instead_of(const AwsCredentials& expired,
                                                           Deadline deadline) {
  {
    const std::lock_guard lock{mutex_};
    // Another thread may have been faster.
    if (known_.has_value() && known_->access_key_id != expired.access_key_id) return *known_;
    known_.reset();
  }
  Result<AwsCredentials> found = credentials(deadline);
  if (found.ok() && found.value().access_key_id == expired.access_key_id &&
      found.value().session_token.reveal() == expired.session_token.reveal()) {
    return Error{Code::kDenied,
                 fmt::format("{} has no newer ones; renew them there, and see that this machine's "
                             "clock is right",
                             expired.source)};
  }
  return found;
}

Result<std::string> AwsIdentity::find_region(Deadline deadline) {
  const std::string sooner = region_before_files(written_region_, ports_.environ);
  if (!sooner.empty()) return sooner;
  const Result<AwsProfile> profile = read_aws_profile(profile_, ports_.environ);
  if (!profile.ok()) return profile.error();
  if (!profile.value().region.empty()) return profile.value().region;
  const Result<std::optional<std::string>> own = metadata_.get("placement/region", deadline);
  if (own.ok() && own.value().has_value()) return *own.value();
  return Error{
      ports_.clock.passed(deadline) ? Code::kTimeout : Code::kConfig,
      fmt::format(
          "{} aws_region: {}, and {}; set aws_region", place_, no_region_in(profile.value()),
          own.ok() ? "the instance metadata service does not say it" : own.error().message)};
}

Result<std::string> AwsIdentity::region(Deadline deadline) {
  {
    const std::lock_guard lock{mutex_};
    if (!known_region_.empty()) return known_region_;
  }
  Result<std::string> found = find_region(deadline);
  if (!found.ok()) return found;
  std::string region(trimmed(found.value()));
  if (!is_region(region)) {
    return no_region(place_ + " aws_region", region);
  }
  const std::lock_guard lock{mutex_};
  known_region_ = region;
  return region;
}

Status check_aws_files(const HostSettings& settings, const Environ& environ) {
  const std::string region_place = place_of(settings, "aws_region");
  const std::string profile_place = place_of(settings, "aws_profile");
  bool has_keys = false;
  if (settings.aws.profile.empty()) {
    const Result<std::optional<AwsCredentials>> keys = from_environment(environ);
    if (!keys.ok()) return keys.error().with_context(profile_place);
    has_keys = keys.value().has_value();
  }
  std::string region = region_before_files(settings.aws.region, environ);
  if (!has_keys || region.empty()) {
    const Result<AwsProfile> profile = read_aws_profile(settings.aws.profile, environ);
    if (!profile.ok()) return profile.error().with_context(profile_place);
    if (region.empty()) region = profile.value().region;
    if (AwsMetadata::is_switched_off(environ)) {
      const char* off = "the instance metadata service is switched off (AWS_EC2_METADATA_DISABLED)";
      if (!has_keys && profile.value().access_key_id.empty()) {
        return Error{Code::kConfig, fmt::format("{}: {}, and {}: write them there", profile_place,
                                                no_keys_in(profile.value()), off)};
      }
      if (region.empty()) {
        return Error{Code::kConfig, fmt::format("{}: {}, and {}; set aws_region", region_place,
                                                no_region_in(profile.value()), off)};
      }
    }
  }
  const std::string_view written = trimmed(region);
  return written.empty() || is_region(std::string(written)) ? Status{}
                                                            : no_region(region_place, region);
}

}  // namespace mha
