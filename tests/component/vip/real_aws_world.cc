// Setting up, asking and changing the region past the drivers.
#include "component/vip/real_aws_world.h"

#include <utility>

#include "component/vip/only_bed.h"
#include "source_paths.h"

namespace mha {
namespace {

// Nothing in the form that we send needs more than this.
std::string form_of(const std::string& action, const std::map<std::string, std::string>& values) {
  std::string form = "Action=" + action + "&Version=2016-11-15";
  for (const auto& [name, value] : values) {
    form += "&" + name + "=";
    for (const char c : value) form += c == '/' ? std::string("%2F") : std::string(1, c);
  }
  return form;
}

}  // namespace

AwsBed::AwsBed()
    : process({MHA_SOURCE_DIR "/tests/cloud/aws_bed", "--world"}),
      ready(process.read(std::chrono::seconds{180})),  // the first time, packages are fetched
      proxy({{"ec2", ready.at("ec2").get<std::string>()}}, "aws") {}

std::unique_ptr<CloudWorld> RealAwsWorld::make(AwsMode mode) {
  AwsBed* bed = only_bed<AwsBed>();
  std::unique_ptr<TestNetwork> network = bed == nullptr ? nullptr : TestNetwork::make();
  if (network == nullptr) return nullptr;
  return std::unique_ptr<CloudWorld>(new RealAwsWorld(mode, *bed, std::move(network)));
}

RealAwsWorld::RealAwsWorld(AwsMode mode, AwsBed& bed, std::unique_ptr<TestNetwork> network)
    : mode_(mode), bed_(bed), hosts_(std::move(network)) {
  bed_.proxy.clear();
  bed_.proxy.take_count();
  take_from_everybody();
}

CloudTraits RealAwsWorld::traits() const {
  CloudTraits traits;
  traits.has_os_part = mode_ != AwsMode::kEip;
  traits.moves_in_one_act = mode_ != AwsMode::kRoute;
  return traits;
}

std::string RealAwsWorld::text(const std::string& path) const {
  return world().at(nlohmann::json::json_pointer(path)).get<std::string>();
}

std::string RealAwsWorld::id_of(const std::string& host) {
  return text("/hosts/" + host + "/interface");
}

std::string RealAwsWorld::vip_address() const {
  return mode_ == AwsMode::kRoute ? "192.168.77.10" : "10.0.1.100";
}

pugi::xml_document RealAwsWorld::call(const std::string& action, const Parameters& parameters) {
  HttpRequest request;
  request.method = HttpMethod::kPost;
  request.url = bed_.ready.at("ec2").get<std::string>() + "/";
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  request.body = Secret(form_of(action, parameters));
  request.proxy = HttpProxy::kNone;
  request.signature = AwsSignature{text("/users/good/key"), Secret(text("/users/good/secret")),
                                   Secret{}, text("/region"), "ec2"};
  const Result<HttpResponse> answer =
      direct_.send(request, clock_.deadline_after(Milliseconds{20000}));
  EXPECT_TRUE(answer.ok()) << answer.status().error().message;
  pugi::xml_document document;
  if (answer.ok()) {
    EXPECT_TRUE(document.load_string(answer.value().body.c_str())) << answer.value().body;
  }
  return document;
}

std::set<std::string> RealAwsWorld::holding_interfaces() {
  std::set<std::string> ids;
  const auto collect = [&ids](const pugi::xml_document& document, const std::string& path) {
    for (const pugi::xpath_node& node : document.select_nodes(path.c_str())) {
      ids.insert(node.node().child_value());
    }
  };
  if (mode_ == AwsMode::kSecondaryIp) {
    // Filtered by us, so that the cloud's filters are not believed.
    collect(call("DescribeNetworkInterfaces", {}),
            "//networkInterfaceSet/item[privateIpAddressesSet/item/privateIpAddress='" +
                vip_address() + "']/networkInterfaceId");
  } else if (mode_ == AwsMode::kEip) {
    collect(call("DescribeAddresses", {}), "//addressesSet/item[allocationId='" +
                                               text("/eip/allocation") + "']/networkInterfaceId");
  } else {
    collect(call("DescribeRouteTables", {}),
            "//routeSet/item[destinationCidrBlock='" + vip_address() + "/32']/networkInterfaceId");
  }
  ids.erase("");
  return ids;
}

std::set<std::string> RealAwsWorld::api_holders() {
  std::set<std::string> holders;
  for (const std::string& id : holding_interfaces()) {
    std::string name = id;
    for (const char* host : {"a", "b", "third"}) {
      if (id_of(host) == id) name = host;
    }
    holders.insert(name);
  }
  return holders;
}

void RealAwsWorld::give_to_third_machine() {
  const std::string third = id_of("third");
  if (mode_ == AwsMode::kSecondaryIp) {
    call("AssignPrivateIpAddresses", {{"NetworkInterfaceId", third},
                                      {"PrivateIpAddress.1", vip_address()},
                                      {"AllowReassignment", "true"}});
  } else if (mode_ == AwsMode::kEip) {
    call("AssociateAddress", {{"AllocationId", text("/eip/allocation")},
                              {"NetworkInterfaceId", third},
                              {"AllowReassociation", "true"}});
  } else {
    for (const auto& table : world().at("route_tables")) {
      call("CreateRoute", {{"RouteTableId", table.get<std::string>()},
                           {"DestinationCidrBlock", vip_address() + "/32"},
                           {"NetworkInterfaceId", third}});
    }
  }
  EXPECT_EQ(api_holders(), std::set<std::string>{"third"});
}

void RealAwsWorld::take_from_everybody() {
  if (mode_ == AwsMode::kSecondaryIp) {
    for (const std::string& id : holding_interfaces()) {
      call("UnassignPrivateIpAddresses",
           {{"NetworkInterfaceId", id}, {"PrivateIpAddress.1", vip_address()}});
    }
  } else if (mode_ == AwsMode::kEip) {
    const pugi::xml_document addresses = call("DescribeAddresses", {});
    for (const pugi::xpath_node& node : addresses.select_nodes("//associationId")) {
      call("DisassociateAddress", {{"AssociationId", node.node().child_value()}});
    }
  } else {
    for (const auto& table : world().at("route_tables")) {
      call("DeleteRoute", {{"RouteTableId", table.get<std::string>()},
                           {"DestinationCidrBlock", vip_address() + "/32"}});
    }
  }
  EXPECT_EQ(api_holders(), std::set<std::string>{});
}

VipSite RealAwsWorld::site_of(const std::string& host) {
  VipSite site;
  site.host = "host-" + host;
  site.ip = text("/hosts/" + host + "/ip");
  HostSettings& settings = site.settings;
  settings.host = site.host;
  settings.file = "mha-helper.conf";
  settings.vip_type = VipType::kAws;
  settings.requires_sudo = false;
  settings.aws.mode = mode_;
  settings.aws.region = text("/region");
  settings.aws.ca_file = bed_.proxy.ca_file();
  if (mode_ == AwsMode::kEip) {
    settings.aws.allocation_id = text("/eip/allocation");
    return site;
  }
  settings.writer_vip = Cidr{vip_address(), 24, false};
  settings.cluster_interface = hosts_.interface();
  if (mode_ == AwsMode::kRoute) {
    for (const auto& table : world().at("route_tables")) {
      settings.aws.route_table_ids.push_back(table.get<std::string>());
    }
  }
  return site;
}

std::unique_ptr<HttpClient> RealAwsWorld::make_http(CloudKeys /*keys*/) {
  return std::make_unique<CurlHttpClient>(clock_, quiet_);
}

std::optional<std::string> RealAwsWorld::variable(CloudKeys keys, const std::string& name) {
  const std::string user = keys == CloudKeys::kPoor ? "poor" : "good";
  if (name == "AWS_ACCESS_KEY_ID") return text("/users/" + user + "/key");
  if (name == "AWS_SECRET_ACCESS_KEY") {
    return keys == CloudKeys::kWrong ? "wrong" : text("/users/" + user + "/secret");
  }
  if (name == "AWS_ENDPOINT_URL_EC2") return bed_.proxy.url("ec2");
  return std::nullopt;
}

}  // namespace mha
