# One group for each kind of task, one for the balancer, one for the endpoints. A rule names a group on either end;
# addresses stand at the balancer's front alone.

locals {
  groups = setunion(keys(local.tasks), ["alb", "endpoints"])

  # Who opens connections to whom.
  flows = merge(
    {
      for pair in [
        ["alb", "app"], ["alb", "grafana"],
        ["load", "app"],
        ["prometheus", "app"], ["prometheus", "alertmanager"], ["prometheus", "pager"],
        ["alertmanager", "pager"],
        ["grafana", "prometheus"],
        ["drill", "app"], ["drill", "prometheus"], ["drill", "alertmanager"], ["drill", "grafana"], ["drill", "pager"],
      ] : "${pair[0]}-${pair[1]}" => { from = pair[0], to = pair[1], port = local.tasks[pair[1]].port }
    },
    { for name in keys(local.tasks) : "${name}-endpoints" => { from = name, to = "endpoints", port = 443 } },
  )

  front_ports = local.https ? [80, 443] : [80]
}

resource "aws_security_group" "this" {
  for_each = local.groups

  name        = "${local.prefix}-${each.key}"
  description = "${each.key} of ${local.prefix}"
  vpc_id      = aws_vpc.this.id
}

resource "aws_vpc_security_group_egress_rule" "flow" {
  for_each = local.flows

  security_group_id            = aws_security_group.this[each.value.from].id
  referenced_security_group_id = aws_security_group.this[each.value.to].id
  description                  = "${each.value.from} to ${each.value.to}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_ingress_rule" "flow" {
  for_each = local.flows

  security_group_id            = aws_security_group.this[each.value.to].id
  referenced_security_group_id = aws_security_group.this[each.value.from].id
  description                  = "${each.value.from} to ${each.value.to}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

# The layers of images come from S3, whose gateway is a prefix list and not a group.
resource "aws_vpc_security_group_egress_rule" "layers" {
  for_each = local.tasks

  security_group_id = aws_security_group.this[each.key].id
  prefix_list_id    = aws_vpc_endpoint.s3.prefix_list_id
  description       = "${each.key} to the layers of images"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "front" {
  for_each = { for pair in setproduct(var.allowed_cidrs, local.front_ports) : "${pair[0]}-${pair[1]}" => { cidr = pair[0], port = pair[1] } }

  security_group_id = aws_security_group.this["alb"].id
  cidr_ipv4         = each.value.cidr
  description       = "People, port ${each.value.port}"
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
}
