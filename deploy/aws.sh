# What deploy/up, down, status and drill share. Sourced, not run.
# shellcheck shell=bash
# SC2034, SC2154: what is set here is used by the scripts, and `name` is set by them.
# shellcheck disable=SC2034,SC2154

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
me=deploy/$(basename "$0")
stack_directory=${FIREDRILL_STACK:-$root/deploy/terraform/stack}
kinds=(app load prometheus alertmanager grafana pager drill)
images=(firedrill drills prometheus alertmanager grafana)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The AWS CLI asks and pages nobody, and neither does Terraform.
export AWS_PAGER='' TF_INPUT=0 TF_IN_AUTOMATION=1

die() { # die MESSAGE: one line, and exit code 2 for what could not be done
  printf '%s: %s\n' "$me" "$*" >&2
  exit 2
}

help_wanted() { # prints the comment at the head of the script where it is asked for
  case ${1:-} in
    -h | --help)
      sed -n '2,/^[^#]/{/^#/!d;s/^# \{0,1\}//;p}' "$0"
      exit 0
      ;;
  esac
}

value_of() { # value_of FLAG VALUE...: the value, where there is one
  [ -n "${2:-}" ] || die "$1 needs a value; see $me --help"
  printf '%s' "$2"
}

need() { # need PROGRAM...
  local program
  for program in "$@"; do command -v "$program" >/dev/null || die "$program is not installed"; done
}

require_name() { # require_name NAME: as the stack's variable takes it
  [[ ${1:-} =~ ^[a-z]([a-z0-9-]{0,12}[a-z0-9])?$ ]] ||
    die "got the name \"${1:-}\", expected 1 to 14 of a-z, 0-9 and -, beginning with a letter and not ending with -"
}

# Runs the AWS CLI. A failure is one line: what AWS said, and what to do where that is known.
call() {
  local said
  aws "$@" 2>"$scratch/aws" && return
  said=$(tr '\n' ' ' <"$scratch/aws" | sed 's/  */ /g;s/^ //;s/ $//')
  case $said in
    *ExpiredToken* | *'token has expired'* | *'Token has expired'* | *'session has expired'*) die 'the AWS credentials have expired: log in again' ;;
    *'Unable to locate credentials'*) die 'there are no AWS credentials: log in, or set AWS_PROFILE' ;;
    *InvalidClientTokenId* | *UnrecognizedClientException* | *SignatureDoesNotMatch*) die "AWS does not know these credentials: log in again ($said)" ;;
    *) die "aws $1 $2: $said" ;;
  esac
}

choose_region() { # choose_region REGION: that, or the environment's
  region=${1:-${AWS_REGION:-${AWS_DEFAULT_REGION:-}}}
  [ -n "$region" ] || die 'no region: give --region or set AWS_REGION'
  export AWS_REGION=$region AWS_DEFAULT_REGION=$region
}

find_account() { account=$(call sts get-caller-identity --query Account --output text) || exit; }

# Runs Terraform in the stack's directory. What it says of errors is shown when it has failed, and a lock as one line.
stack_terraform() {
  local code=0
  terraform -chdir="$stack_directory" "$@" 2>"$scratch/terraform" || code=$?
  [ "$code" != 0 ] || return 0
  if grep -q 'Error acquiring the state lock' "$scratch/terraform"; then
    local id who created
    id=$(sed -n 's/^[│ ]*ID: *//p' "$scratch/terraform" | head -n 1)
    who=$(sed -n 's/^[│ ]*Who: *//p' "$scratch/terraform" | head -n 1)
    created=$(sed -n 's/^[│ ]*Created: *//p' "$scratch/terraform" | head -n 1)
    die "the state of $name is locked by ${who:-somebody} since ${created:-some time}: wait, or where that process is no more: terraform -chdir=$stack_directory force-unlock ${id:-ID}"
  fi
  cat "$scratch/terraform" >&2
  die "terraform $1 failed with $code, as said above"
}

init_stack() {
  find_account
  local bucket=firedrill-state-$account-$region
  aws s3api head-bucket --bucket "$bucket" >/dev/null 2>&1 ||
    die "there is no bucket $bucket that these credentials can read: has deploy/terraform/bootstrap been applied in $region?"
  stack_terraform init -reconfigure -no-color \
    -backend-config="bucket=$bucket" -backend-config="key=stacks/$name.tfstate" -backend-config="region=$region" >/dev/null
}

tagged() { # tagged NAME: the ARNs of all that the tagging API knows of this stack
  call resourcegroupstaggingapi get-resources --tag-filters Key=project,Values=firedrill "Key=name,Values=$1" \
    --query 'ResourceTagMappingList[].ResourceARN' --output text | tr '\t' '\n' | sed '/^None$/d;/^$/d'
}
