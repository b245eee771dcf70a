# The drill as a task beside what it drills; deploy/drill runs it. What it says is its log, which is all that is left of a
# task: its reports are printed there too, and deploy/drill takes them out.

locals {
  drill = {
    command      = ["drill", "drills/smoke.yaml"]
    health       = null
    memory       = null
    stop_seconds = 30
    secrets      = { FIREDRILL_TOKEN = "token" }
    environment = {
      FIREDRILL_DRILL_TARGET       = "http://app:8080"
      FIREDRILL_DRILL_PROMETHEUS   = "http://prometheus:9090"
      FIREDRILL_DRILL_ALERTMANAGER = "http://alertmanager:9093"
      FIREDRILL_DRILL_GRAFANA      = "http://grafana:3000"
      FIREDRILL_DRILL_PAGER        = "http://pager:8090"
      FIREDRILL_DRILL_OUT          = "/firedrill-runs"
      FIREDRILL_DRILL_PRINT_FILES  = "true"
    }
  }
}
