# What is not taken: every variable named at a run's end must refuse what it is given there.

variables {
  name        = "demo"
  creator     = "Ada Lovelace"
  region      = "eu-west-1"
  alert_email = "ops@example.com"
  image_tag   = "v1.0.0"
}

run "the_first_of_each" {
  command = plan

  variables {
    # A creator is needed.
    creator = ""
    # A name too long.
    name = "abcdefghijklmno"
    # No region.
    region = "ireland"
    # A ttl that is no time.
    ttl = "24h"
    # No address.
    alert_email = "ops"
    # No budget.
    monthly_budget = 0
    # The latest image.
    image_tag = "latest"
    # Other processors.
    architecture = "riscv64"
    # One task.
    app_tasks = { min = 1, max = 2 }
    # A size that fargate lacks.
    app_size = { cpu = 300, memory = 1024 }
    # No requests.
    requests_per_target = 0
    # A rate without a time.
    load_rate = "5"
    # Half a version.
    secrets_version = 1.5
    # A vpc too small.
    vpc_cidr = "10.0.0.0/24"
    # Nobody allowed.
    allowed_cidrs = []
    # A domain without a certificate.
    domain_name = "firedrill.example.com"
    # A limit below what waf takes.
    waf_requests = 9
    # A retention that cloudwatch lacks.
    log_retention_days = 10
  }

  expect_failures = [
    var.creator,
    var.name,
    var.region,
    var.ttl,
    var.alert_email,
    var.monthly_budget,
    var.image_tag,
    var.architecture,
    var.app_tasks,
    var.app_size,
    var.requests_per_target,
    var.load_rate,
    var.secrets_version,
    var.vpc_cidr,
    var.allowed_cidrs,
    var.domain_name,
    var.waf_requests,
    var.log_retention_days,
  ]
}

run "the_second_of_each" {
  command = plan

  variables {
    # A creator of one letter.
    creator = "a"
    # A name with capitals.
    name = "Demo"
    # A ttl elsewhere than in utc.
    ttl = "2026-12-01T18:00:00+01:00"
    # An image and its digest.
    image_tag = "v1@sha256:0"
    # More at least than at most.
    app_tasks = { min = 4, max = 3 }
    # Too little memory for the processors.
    app_size = { cpu = 1024, memory = 1024 }
    # A vpc that is none.
    vpc_cidr = "ten"
    # An address without its range.
    allowed_cidrs = ["203.0.113.7"]
    # A certificate without a domain.
    certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/6f2c0a1e"
  }

  expect_failures = [
    var.creator,
    var.name,
    var.ttl,
    var.image_tag,
    var.app_tasks,
    var.app_size,
    var.vpc_cidr,
    var.allowed_cidrs,
    var.domain_name,
  ]
}

run "the_third_of_each" {
  command = plan

  variables {
    # A creator that nobody is.
    creator = "Unknown"
    # A name that ends with a hyphen.
    name = "demo-"
    # More tasks than an answer names.
    app_tasks = { min = 2, max = 6 }
    # More held than there is.
    app_size = { cpu = 256, memory = 512, held_mib = 512 }
    # A zone without a domain.
    zone_id = "Z0123456789ABC"
  }

  expect_failures = [
    var.creator,
    var.name,
    var.app_tasks,
    var.app_size,
    var.domain_name,
  ]
}

run "the_fourth_of_each" {
  command = plan

  variables {
    # More tasks than an answer names, of three.
    app_tasks = { min = 3, max = 7 }
    # A memory between two of fargates.
    app_size = { cpu = 1024, memory = 3000 }
    # A creator with signs that tags have not.
    creator = "Ada <ada@example.com>"
    # A url for a domain.
    domain_name = "https://example.com"
    zone_id     = "Z0123456789ABC"
  }

  expect_failures = [
    var.app_size,
    var.app_tasks,
    var.creator,
    var.domain_name,
  ]
}

run "the_fifth_of_each" {
  command = plan

  variables {
    # More tasks than an answer names, of more.
    app_tasks = { min = 7, max = 8 }
    # More memory than fargate has.
    app_size = { cpu = 4096, memory = 32768 }
    # A zones name for its id.
    zone_id     = "example.com"
    domain_name = "firedrill.example.com"
  }

  expect_failures = [
    var.app_size,
    var.app_tasks,
    var.zone_id,
  ]
}

run "the_sixth_of_each" {
  command = plan

  variables {
    # Another services arn.
    certificate_arn = "arn:aws:iam::123456789012:server-certificate/x"
    domain_name     = "firedrill.example.com"
  }

  expect_failures = [
    var.certificate_arn,
  ]
}
