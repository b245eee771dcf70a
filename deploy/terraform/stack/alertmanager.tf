locals {
  alertmanager = {
    command = concat(
      [for flag in local.compose.alertmanager.command : flag if !startswith(flag, "--web.external-url=")],
      ["--web.external-url=http://alertmanager:9093"],
    )
    health       = ["CMD", "wget", "-q", "--spider", "http://127.0.0.1:9093/-/ready"]
    memory       = null
    stop_seconds = 30
    secrets      = {}
    environment  = {}
  }
}
