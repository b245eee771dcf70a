# Two zones. The balancer alone is in subnets that reach the internet; tasks have no way out but the endpoints.

data "aws_availability_zones" "this" {
  #checkov:skip=CKV_AWS_394:Subnets stay where they were made, below.
  state = "available"

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  zones = slice(data.aws_availability_zones.this.names, 0, 2)

  # Four equal parts of the VPC: two for the balancer, two for tasks.
  subnets = {
    for index, subnet in setproduct(["public", "private"], range(2)) :
    "${subnet[0]}-${subnet[1]}" => {
      zone = local.zones[subnet[1]]
      cidr = cidrsubnet(var.vpc_cidr, 2, index)
    }
  }
  public  = [for name in ["public-0", "public-1"] : aws_subnet.this[name].id]
  private = [for name in ["private-0", "private-1"] : aws_subnet.this[name].id]
}

resource "aws_vpc" "this" {
  #checkov:skip=CKV2_AWS_11:Tasks have no way out, and the service counts what comes in; a flow log costs more than it would say.
  cidr_block           = var.vpc_cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
}

resource "aws_subnet" "this" {
  for_each = local.subnets

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.value.zone
  cidr_block              = each.value.cidr
  map_public_ip_on_launch = false

  lifecycle {
    ignore_changes = [availability_zone] # a zone that is new, or full, must not move a stack that stands
  }
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id
}

resource "aws_route" "internet" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.this.id
}

resource "aws_route_table_association" "this" {
  for_each = local.subnets

  subnet_id      = aws_subnet.this[each.key].id
  route_table_id = startswith(each.key, "public") ? aws_route_table.public.id : aws_route_table.private.id
}

# AWS makes these three with each VPC. They are taken over to be tagged, and so that what is put into the VPC
# without saying more gets neither a route nor a port.

resource "aws_default_route_table" "this" {
  default_route_table_id = aws_vpc.this.default_route_table_id
}

resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_default_network_acl" "this" {
  default_network_acl_id = aws_vpc.this.default_network_acl_id
  # Left out, Terraform would drop the subnets that AWS puts here and want them back at each plan.
  subnet_ids = [for subnet in aws_subnet.this : subnet.id]

  # As AWS makes it: the security groups say who may talk to whom.
  ingress {
    rule_no    = 100
    action     = "allow"
    protocol   = "-1"
    cidr_block = "0.0.0.0/0"
    from_port  = 0
    to_port    = 0
  }

  egress {
    rule_no    = 100
    action     = "allow"
    protocol   = "-1"
    cidr_block = "0.0.0.0/0"
    from_port  = 0
    to_port    = 0
  }
}
