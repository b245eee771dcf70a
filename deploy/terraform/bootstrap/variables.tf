variable "creator" {
  description = "Who answers for what is made: a person's or a team's name or address, the value of the tag `creator`. There is no default."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9 ._:/=+@-]{1,127}$", var.creator))
    error_message = "creator: got \"${var.creator}\", expected 2 to 128 letters, digits, spaces and ._:/=+@-, beginning with a letter or a digit: who answers for this."
  }

  validation {
    condition     = !contains(["unknown", "none", "null", "todo", "changeme", "creator", "terraform", "root"], lower(var.creator))
    error_message = "creator: got \"${var.creator}\", expected somebody who can be asked."
  }
}

variable "region" {
  description = "Where it all is, e.g. eu-west-1."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region: got \"${var.region}\", expected a region's code such as eu-west-1."
  }
}

variable "github_repository" {
  # https://docs.github.com/en/actions/reference/security/oidc#immutable-subject-claims
  description = "Whose workflows may deploy, as GitHub's tokens name it: OWNER@NUMBER/REPOSITORY@NUMBER for a repository made, renamed or moved since 15 July 2026, OWNER/REPOSITORY for an older one."
  type        = string

  validation {
    # No `*` and no `:`, which would mean more than one repository in the condition that it goes into.
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]*(/[A-Za-z0-9._-]+|@[0-9]+/[A-Za-z0-9._-]+@[0-9]+)$", var.github_repository))
    error_message = "github_repository: got \"${var.github_repository}\", expected OWNER@NUMBER/REPOSITORY@NUMBER, or OWNER/REPOSITORY for a repository from before 15 July 2026."
  }
}

variable "environments" {
  description = "The GitHub environments that may plan, apply and publish images."
  type        = object({ plan = string, apply = string, publish = string })
  default     = { plan = "aws-plan", apply = "aws", publish = "release" }

  validation {
    condition     = alltrue([for name in values(var.environments) : can(regex("^[A-Za-z0-9._-]+$", name))]) && length(distinct(values(var.environments))) == 3
    error_message = "environments: got ${jsonencode(var.environments)}, expected three different names of letters, digits and ._-: what may plan must not be able to apply."
  }
}

variable "github_oidc_provider_arn" {
  description = "The account's identity provider for GitHub where it has one already: there can be only one."
  type        = string
  default     = null

  validation {
    condition     = var.github_oidc_provider_arn == null || can(regex("^arn:[a-z-]+:iam::[0-9]{12}:oidc-provider/token\\.actions\\.githubusercontent\\.com$", var.github_oidc_provider_arn))
    error_message = "github_oidc_provider_arn: got \"${coalesce(var.github_oidc_provider_arn, "null")}\", expected arn:aws:iam::ACCOUNT:oidc-provider/token.actions.githubusercontent.com."
  }
}

variable "zone_ids" {
  description = "The public Route 53 zones in which stacks may make records. None: stacks have no names of their own, or people make them."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.zone_ids : can(regex("^Z[A-Z0-9]+$", id))])
    error_message = "zone_ids: got ${jsonencode(var.zone_ids)}, expected ids such as Z0123456789ABC."
  }
}
