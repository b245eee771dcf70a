variables {
  creator           = "Ada Lovelace"
  region            = "eu-west-1"
  github_repository = "example/firedrill"
}

run "the_state_is_safe" {
  command = plan

  assert {
    condition     = one(aws_s3_bucket_versioning.state.versioning_configuration).status == "Enabled"
    error_message = "An earlier state must be there to go back to."
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.state.block_public_acls, aws_s3_bucket_public_access_block.state.block_public_policy,
      aws_s3_bucket_public_access_block.state.ignore_public_acls, aws_s3_bucket_public_access_block.state.restrict_public_buckets,
    ])
    error_message = "Nothing in it may become public."
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.state.rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms"
    error_message = "It must be encrypted."
  }
}

run "images_are_what_they_were" {
  command = plan

  assert {
    condition     = alltrue([for repository in aws_ecr_repository.this : repository.image_tag_mutability == "IMMUTABLE" && one(repository.image_scanning_configuration).scan_on_push])
    error_message = "A tag always names the same image, and each is scanned."
  }

  assert {
    condition     = toset([for repository in aws_ecr_repository.this : repository.name]) == toset(["firedrill/firedrill", "firedrill/drills", "firedrill/prometheus", "firedrill/alertmanager", "firedrill/grafana"])
    error_message = "The stack's tasks name these five."
  }

  assert {
    condition     = toset(keys(aws_ecr_lifecycle_policy.this)) == local.images
    error_message = "Old images go."
  }
}

run "only_one_repositorys_environments_are_trusted" {
  command = plan

  assert {
    condition = alltrue([
      for key, environment in { plan = "aws-plan", apply = "aws", publish = "release" } :
      one(flatten([for condition in one(data.aws_iam_policy_document.github[key].statement).condition : tolist(condition.values) if endswith(condition.variable, ":sub")])) == "repo:example/firedrill:environment:${environment}"
    ])
    error_message = "The subject is an environment, whole."
  }

  assert {
    condition     = alltrue(flatten([for document in data.aws_iam_policy_document.github : [for condition in one(document.statement).condition : condition.test == "StringEquals" && !can(regex("[*?]", join("", condition.values)))]]))
    error_message = "No condition may take more than one value."
  }

  assert {
    condition     = alltrue([for document in data.aws_iam_policy_document.github : anytrue([for condition in one(document.statement).condition : endswith(condition.variable, ":aud") && toset(condition.values) == toset(["sts.amazonaws.com"])])])
    error_message = "The token must have been made for AWS."
  }
}

run "a_repository_that_is_named_by_numbers" {
  command = plan

  variables {
    github_repository = "example@123456/firedrill@456789"
  }

  assert {
    condition = alltrue([
      for document in data.aws_iam_policy_document.github :
      anytrue([for condition in one(document.statement).condition : alltrue([for value in condition.values : startswith(value, "repo:example@123456/firedrill@456789:environment:")])])
    ])
    error_message = "The subject has the owner's and the repository's number, which nobody else ever gets."
  }
}

run "no_workflow_reads_a_secret" {
  command = plan

  assert {
    condition = !anytrue(flatten([
      for document in [data.aws_iam_policy_document.plan, data.aws_iam_policy_document.network, data.aws_iam_policy_document.compute, data.aws_iam_policy_document.access] :
      [for statement in document.statement : [for action in statement.actions : can(regex("^(secretsmanager:(GetSecretValue|Get\\*|\\*)|\\*)", action))]]
    ]))
    error_message = "Terraform draws secrets and writes them; it never needs to read one."
  }
}

run "what_is_asked_for_by_the_way_is_allowed" {
  command = plan

  assert {
    condition     = contains(flatten([for statement in data.aws_iam_policy_document.plan.statement : statement.actions]), "aps:DescribeLoggingConfiguration")
    error_message = "The provider asks a workspace for its logging whether there is any or not."
  }

  assert {
    condition = anytrue([
      for statement in data.aws_iam_policy_document.compute.statement :
      contains(statement.actions, "cloudwatch:PutMetricAlarm") && anytrue([for resource in statement.resources : endswith(resource, ":alarm:TargetTracking-service/firedrill-*")])
    ])
    error_message = "Who sets a scaling policy is asked for leave to make its alarms."
  }
}

run "the_account_has_githubs_provider_already" {
  command = plan

  variables {
    github_oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0 && local.github_provider == var.github_oidc_provider_arn
    error_message = "There can be only one."
  }
}

run "stacks_with_names" {
  command = plan

  variables {
    zone_ids = ["Z0123456789ABC"]
  }

  assert {
    condition     = anytrue([for statement in data.aws_iam_policy_document.network.statement : statement.sid == "Records" && toset(statement.resources) == toset(["arn:aws:route53:::hostedzone/Z0123456789ABC"])])
    error_message = "Records may be made in these zones alone."
  }
}

run "stacks_without_names" {
  command = plan

  assert {
    condition     = !anytrue([for statement in data.aws_iam_policy_document.network.statement : statement.sid == "Records"])
    error_message = "Records may be made nowhere."
  }
}

run "no_creator" {
  command = plan

  variables {
    creator = ""
  }

  expect_failures = [var.creator]
}

run "a_creator_that_nobody_is" {
  command = plan

  variables {
    creator = "todo"
  }

  expect_failures = [var.creator]
}

run "every_repository" {
  command = plan

  variables {
    github_repository = "example/*"
  }

  expect_failures = [var.github_repository]
}

run "only_one_of_two_numbers" {
  command = plan

  variables {
    github_repository = "example@123456/firedrill"
  }

  expect_failures = [var.github_repository]
}

run "one_environment_for_all" {
  command = plan

  variables {
    environments = { plan = "aws", apply = "aws", publish = "release" }
  }

  expect_failures = [var.environments]
}

run "a_zones_name_for_its_id" {
  command = plan

  variables {
    zone_ids = ["example.com"]
  }

  expect_failures = [var.zone_ids]
}

run "another_provider" {
  command = plan

  variables {
    github_oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/gitlab.com"
  }

  expect_failures = [var.github_oidc_provider_arn]
}

run "no_region" {
  command = plan

  variables {
    region = "ireland"
  }

  expect_failures = [var.region]
}
