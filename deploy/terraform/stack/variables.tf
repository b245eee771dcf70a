variable "name" {
  description = "Which stack this is. Several can stand side by side; it is in every resource's name and tags."
  type        = string

  validation {
    # A target group's name has 32 characters: "firedrill-", the name, "-grafana".
    condition     = can(regex("^[a-z]([a-z0-9-]{0,12}[a-z0-9])?$", var.name))
    error_message = "name: got \"${var.name}\", expected 1 to 14 of a-z, 0-9 and -, beginning with a letter and not ending with -."
  }
}

variable "creator" {
  description = "Who answers for what is made: a person's or a team's name or address, the value of the tag `creator`. There is no default."
  type        = string

  validation {
    # What every service takes in a tag's value, as resources of many services share this one.
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

variable "ttl" {
  description = "Until when it may stand, e.g. 2026-12-01T18:00:00Z, or \"never\". The nightly job takes down what is older."
  type        = string
  default     = "never"

  validation {
    condition     = var.ttl == "never" || (can(timeadd(var.ttl, "0s")) && endswith(var.ttl, "Z"))
    error_message = "ttl: got \"${var.ttl}\", expected \"never\" or a time in UTC such as 2026-12-01T18:00:00Z."
  }
}

variable "alert_email" {
  description = "Who is told by the budget and by the alarms on what Prometheus cannot see."
  type        = string

  validation {
    condition     = can(regex("^[^@[:space:]]+@[^@[:space:]]+\\.[^@[:space:]]+$", var.alert_email))
    error_message = "alert_email: got \"${var.alert_email}\", expected an address such as ops@example.com."
  }
}

variable "monthly_budget" {
  description = "US dollars a month above which alert_email is told. It stops nothing."
  type        = number
  default     = 200

  validation {
    condition     = var.monthly_budget > 0
    error_message = "monthly_budget: got ${var.monthly_budget}, expected more than 0."
  }
}

# What runs

variable "image_tag" {
  description = "Which images run: a tag that all five of bootstrap's repositories have."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$", var.image_tag)) && var.image_tag != "latest"
    error_message = "image_tag: got \"${var.image_tag}\", expected an image's tag that says which one it is, such as v1.2.0 or a commit; not latest."
  }
}

variable "architecture" {
  description = "The processors that tasks run on: arm64 (a fifth cheaper) or amd64. The images must have it."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "amd64"], var.architecture)
    error_message = "architecture: got \"${var.architecture}\", expected arm64 or amd64."
  }
}

variable "app_tasks" {
  description = "How many tasks the service has: never fewer than min, at most max."
  type        = object({ min = number, max = number })
  default     = { min = 2, max = 4 }

  validation {
    condition     = var.app_tasks.min >= 2 && var.app_tasks.min <= var.app_tasks.max
    error_message = "app_tasks: got ${var.app_tasks.min} to ${var.app_tasks.max}, expected a min of at least 2, one for each zone, and a max that is no less."
  }

  validation {
    # A DNS answer of Cloud Map names eight tasks at most, so Prometheus would miss the ninth. A new version comes up
    # beside the old one: app.tf's `surge`, in percent of as many as there are, rounded down, must not be more than eight.
    condition     = floor(var.app_tasks.max * ceil(100 * (max(var.app_tasks.min, 1) + 1) / max(var.app_tasks.min, 1)) / 100) <= 8
    error_message = "app_tasks: got ${var.app_tasks.min} to ${var.app_tasks.max}, expected a max of at most 5 with a min of 2, 6 with 3, 7 with 4 to 7: Prometheus finds eight tasks, those that a deployment adds included. Give each task more with app_size."
  }
}

variable "app_size" {
  description = "One task of the service: CPU units (1024 are one) and MiB, in a combination that Fargate has. held_mib is what requests may ask it to hold, four fifths of the container's own limit."
  type        = object({ cpu = number, memory = number, held_mib = optional(number, 256) })
  default     = { cpu = 256, memory = 512 }

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096], var.app_size.cpu)
    error_message = "app_size: got ${var.app_size.cpu} CPU units, expected 256, 512, 1024, 2048 or 4096."
  }

  validation {
    # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html
    condition = (
      var.app_size.memory >= 2 * var.app_size.cpu && var.app_size.memory <= min(8 * var.app_size.cpu, 30720) &&
      (var.app_size.memory % 1024 == 0 || (var.app_size.memory == 512 && var.app_size.cpu == 256))
    )
    error_message = "app_size: got ${var.app_size.memory} MiB with ${var.app_size.cpu} CPU units, expected twice to eight times as many MiB as units, whole GiB (or 512 MiB), and at most 30720."
  }

  validation {
    condition     = var.app_size.held_mib > 0 && var.app_size.held_mib * 5 / 4 <= var.app_size.memory
    error_message = "app_size: got held_mib = ${var.app_size.held_mib} with ${var.app_size.memory} MiB of memory, expected at most four fifths of the memory."
  }
}

variable "requests_per_target" {
  description = "How many requests a minute one task should have; above it there will be more tasks."
  type        = number
  default     = 6000

  validation {
    condition     = var.requests_per_target >= 1
    error_message = "requests_per_target: got ${var.requests_per_target}, expected at least 1 a minute."
  }
}

variable "load_rate" {
  description = "The steady traffic of the demonstration, as `firedrill load --rate` takes it."
  type        = string
  default     = "5/s"

  validation {
    condition     = can(regex("^[0-9]+(\\.[0-9]+)?/(s|m|h)$", var.load_rate))
    error_message = "load_rate: got \"${var.load_rate}\", expected a rate such as 5/s."
  }
}

variable "secrets_version" {
  description = "Count it up to draw a new token and a new password for Grafana's administrator; the tasks that use them are replaced."
  type        = number
  default     = 1

  validation {
    condition     = var.secrets_version >= 1 && floor(var.secrets_version) == var.secrets_version
    error_message = "secrets_version: got ${var.secrets_version}, expected a whole number from 1, larger than before."
  }
}

# Who reaches it

variable "vpc_cidr" {
  description = "The VPC's addresses, a /16 to /22."
  type        = string
  default     = "10.42.0.0/16"

  validation {
    condition     = can(cidrnetmask(var.vpc_cidr)) && try(tonumber(split("/", var.vpc_cidr)[1]) >= 16 && tonumber(split("/", var.vpc_cidr)[1]) <= 22, false)
    error_message = "vpc_cidr: got \"${var.vpc_cidr}\", expected an IPv4 range from /16 to /22 such as 10.42.0.0/16."
  }
}

variable "allowed_cidrs" {
  description = "Who may reach the load balancer. By default everybody."
  type        = list(string)
  default     = ["0.0.0.0/0"]

  validation {
    condition     = length(var.allowed_cidrs) > 0 && alltrue([for cidr in var.allowed_cidrs : can(cidrnetmask(cidr))])
    error_message = "allowed_cidrs: got ${jsonencode(var.allowed_cidrs)}, expected at least one IPv4 range such as 203.0.113.0/24."
  }
}

variable "domain_name" {
  description = "The name that people use, e.g. firedrill.example.com. Needs certificate_arn or zone_id."
  type        = string
  default     = null

  validation {
    condition     = var.domain_name == null || can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain_name))
    error_message = "domain_name: got \"${coalesce(var.domain_name, "null")}\", expected a host's name such as firedrill.example.com."
  }

  validation {
    condition     = var.domain_name == null || var.certificate_arn != null || var.zone_id != null
    error_message = "domain_name: got one without certificate_arn and zone_id: give a certificate for it, or the zone in which one can be proven."
  }

  validation {
    condition     = var.domain_name != null || (var.certificate_arn == null && var.zone_id == null)
    error_message = "domain_name: got none with a certificate_arn or a zone_id: which name do people use?"
  }
}

variable "zone_id" {
  description = "The public Route 53 zone of domain_name: the name is pointed at the balancer there, and a certificate is made where none is given."
  type        = string
  default     = null

  validation {
    condition     = var.zone_id == null || can(regex("^Z[A-Z0-9]+$", var.zone_id))
    error_message = "zone_id: got \"${coalesce(var.zone_id, "null")}\", expected a hosted zone's id such as Z0123456789ABC."
  }
}

variable "certificate_arn" {
  description = "A certificate of this region's Certificate Manager for domain_name."
  type        = string
  default     = null

  validation {
    condition     = var.certificate_arn == null || can(regex("^arn:[a-z-]+:acm:[a-z0-9-]+:[0-9]{12}:certificate/.+$", var.certificate_arn))
    error_message = "certificate_arn: got \"${coalesce(var.certificate_arn, "null")}\", expected arn:aws:acm:REGION:ACCOUNT:certificate/ID."
  }
}

variable "expose_metrics" {
  description = "Whether /metrics can be read from outside."
  type        = bool
  default     = false
}

variable "waf" {
  description = "Whether a web application firewall limits how much one address may ask for."
  type        = bool
  default     = false
}

variable "waf_requests" {
  description = "With waf: requests in five minutes above which an address is blocked for a while."
  type        = number
  default     = 3000

  validation {
    condition     = var.waf_requests >= 10 && var.waf_requests <= 2000000000
    error_message = "waf_requests: got ${var.waf_requests}, expected 10 to 2000000000."
  }
}

# What is kept and watched

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 14

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365], var.log_retention_days)
    error_message = "log_retention_days: got ${var.log_retention_days}, expected one that CloudWatch has: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180 or 365."
  }
}

variable "container_insights" {
  description = "Whether CloudWatch keeps metrics of each task, which costs extra."
  type        = bool
  default     = false
}

variable "remote_write" {
  description = "Whether Prometheus also writes to a workspace of Amazon Managed Service for Prometheus."
  type        = bool
  default     = false
}
