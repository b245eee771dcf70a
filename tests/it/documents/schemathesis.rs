//! A service answers as its `/openapi.json` says, whatever it is asked.

use tokio::process::Command;

use crate::support::repository;
use crate::support::service::Service;

/// Takes, on a slow machine, a minute.
#[tokio::test]
#[ignore = "needs schemathesis on PATH: eval \"$(.ci/schemathesis)\""]
async fn schemathesis_finds_no_answer_that_is_not_documented() {
    // Without the token, nothing that it asks for ends or stalls the service.
    let flags = ["--open-latency", "100ms", "--open-body", "64KiB"];
    let service = Service::start_with(&flags, &[("FIREDRILL_TOKEN", "which-it-is-not-told")]).await;
    let here = repository::path("tests/schemathesis");
    let ran = Command::new("schemathesis")
        .args(["--config-file", "schemathesis.toml", "--no-color", "run"])
        .arg(format!("http://{}/openapi.json", service.address))
        .current_dir(&here)
        .envs([("SCHEMATHESIS_HOOKS", "hooks"), ("PYTHONDONTWRITEBYTECODE", "1")])
        .env("PYTHONPATH", &here)
        .output()
        .await;
    let ran = ran.unwrap_or_else(|error| panic!("schemathesis: {error}; .ci/schemathesis installs it"));
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    let scrape = service.scrape().await;
    assert!(scrape.works(&[]) > 100.0, "it asked for work: {said}");
}
