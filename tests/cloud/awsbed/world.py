"""A region with a cluster in it: instances in one subnet, an Elastic IP, route tables, users."""
import ipaddress
import json

REGION = "eu-west-1"

# What docs/vip-aws.rst recommends, for all modes at once.
LEAST = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:DescribeInstances",
         "ec2:DescribeInstanceTypes", "ec2:DescribeAddresses", "ec2:DescribeRouteTables",
         "ec2:DescribeVpcs", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
         "ec2:AssociateAddress", "ec2:DisassociateAddress", "ec2:CreateRoute", "ec2:ReplaceRoute",
         "ec2:DeleteRoute"]


def policy(actions):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": actions, "Resource": "*"}]})


def make_user(client, name, actions):
    client.must("iam", "CreateUser", UserName=name)
    client.must("iam", "PutUserPolicy", UserName=name, PolicyName="p",
                PolicyDocument=policy(actions))
    made = client.must("iam", "CreateAccessKey", UserName=name)
    return {"key": made.text("AccessKeyId"), "secret": made.text("SecretAccessKey")}


def make_role(client, name, actions):
    """Keys of a session with the role, as an instance would get them."""
    client.must("iam", "CreateRole", RoleName=name,
                AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}))
    client.must("iam", "PutRolePolicy", RoleName=name, PolicyName="p", PolicyDocument=policy(actions))
    made = client.must("sts", "AssumeRole", RoleSessionName="bed",
                       RoleArn=f"arn:aws:iam::123456789012:role/{name}")
    return {"AccessKeyId": made.text("AccessKeyId"),
            "SecretAccessKey": made.text("SecretAccessKey"), "Token": made.text("SessionToken")}


def make_instance(client, subnet, address):
    made = client.must("ec2", "RunInstances", ImageId="ami-12c6146b", MinCount=1, MaxCount=1,
                       InstanceType="t3.micro", NetworkInterface__1__DeviceIndex=0,
                       NetworkInterface__1__SubnetId=subnet,
                       NetworkInterface__1__PrivateIpAddress=address)
    instance = made.text("instanceId")
    seen = client.must("ec2", "DescribeNetworkInterfaces", Filter__1__Name="attachment.instance-id",
                       Filter__1__Value__1=instance)
    interface = seen.text("networkInterfaceId")
    client.must("ec2", "ModifyNetworkInterfaceAttribute", NetworkInterfaceId=interface,
                SourceDestCheck__Value="false")
    return {"instance": instance, "interface": interface, "ip": address}


def make(client, vpc_range, subnet_range, hosts):
    """With checks of signatures off; gives back what a test wants to know."""
    if not ipaddress.ip_network(subnet_range).subnet_of(ipaddress.ip_network(vpc_range)):
        raise ValueError(f"{subnet_range} is not in {vpc_range}")
    vpc = client.must("ec2", "CreateVpc", CidrBlock=vpc_range).text("vpcId")
    subnet = client.must("ec2", "CreateSubnet", VpcId=vpc, CidrBlock=subnet_range).text("subnetId")
    tables = [client.must("ec2", "DescribeRouteTables", Filter__1__Name="vpc-id",
                          Filter__1__Value__1=vpc).text("routeTableId")]
    tables.append(client.must("ec2", "CreateRouteTable", VpcId=vpc).text("routeTableId"))
    eip = client.must("ec2", "AllocateAddress", Domain="vpc")
    return {"region": client.region, "vpc": vpc, "subnet": subnet, "subnet_range": subnet_range,
            "hosts": {name: make_instance(client, subnet, ip) for name, ip in hosts.items()},
            "eip": {"allocation": eip.text("allocationId"), "public_ip": eip.text("publicIp")},
            "route_tables": tables,
            "users": {"good": make_user(client, "good", LEAST),
                      "poor": make_user(client, "poor", ["ec2:Describe*"])},
            "role": make_role(client, "dbrole", LEAST)}
