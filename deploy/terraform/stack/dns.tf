# Tasks find one another by the names of compose.yaml (`app`, `prometheus`, ...), so that one configuration serves
# both. Cloud Map keeps an A record for each healthy task; the VPC's DHCP options give tasks the search domain that
# completes the short names (docs/decisions/0007-short-names-in-ecs.md).

resource "aws_service_discovery_private_dns_namespace" "this" {
  name        = local.domain
  description = "Tasks of ${local.prefix}"
  vpc         = aws_vpc.this.id
}

resource "aws_vpc_dhcp_options" "this" {
  domain_name         = local.domain
  domain_name_servers = ["AmazonProvidedDNS"]
}

resource "aws_vpc_dhcp_options_association" "this" {
  vpc_id          = aws_vpc.this.id
  dhcp_options_id = aws_vpc_dhcp_options.this.id
}

resource "aws_service_discovery_service" "this" {
  for_each = { for name, task in local.tasks : name => task if task.port != null }

  name          = each.key
  force_destroy = true # a task that has not signed off yet must not hold `destroy` up

  dns_config {
    namespace_id   = aws_service_discovery_private_dns_namespace.this.id
    routing_policy = "MULTIVALUE" # all of them, up to eight; the other policy answers with one

    dns_records {
      type = "A"
      ttl  = 5 # Prometheus asks every 5 s
    }
  }

  # ECS says which tasks are healthy. The threshold is deprecated, always 1, and yet needed: an empty block is
  # dropped by the provider (hashicorp/terraform-provider-aws#44285), and the service replaced by each plan.
  health_check_custom_config {
    failure_threshold = 1
  }
}
