//! The form refuses what the service would refuse, before anything is sent.

use super::Browser;
use crate::support::service::Service;

/// What is entered, and the field that is wrong.
const REFUSED: [(&[(&str, &str)], &str); 14] = [
    (&[("latency", "90s")], "latency"),
    (&[("latency", "soon")], "latency"),
    (&[("error_rate", "1.5")], "error_rate"),
    (&[("error_rate", "0.1"), ("error_status", "404")], "error_status"),
    (&[("status", "99")], "status"),
    (&[("cpu", "11s")], "cpu"),
    (&[("memory", "1GiB")], "memory"),
    (&[("memory", "1MiB"), ("hold", "61s")], "hold"),
    (&[("body", "2GiB")], "body"),
    (&[("exit", "256")], "exit"),
    (&[("outage", "61s")], "outage"),
    (&[("seed", "-1")], "seed"),
    (&[("hold", "1s")], "hold"),
    (&[("seed", "7"), ("n", "one")], "n"),
];

#[tokio::test]
#[ignore = "needs chromium and chromium-driver"]
async fn the_form_refuses_what_the_service_would_and_names_the_field() {
    let service = Service::start(&[]).await;
    let browser = Browser::open(&service.url()).await;
    browser.says("#state", "The service answers").await;
    for (values, wrong) in REFUSED {
        browser.click("[data-preset=clear]").await;
        for (name, value) in values {
            browser.fill(&format!("#f-{name}"), value).await;
        }
        browser.click("#send").await;
        let problem = browser.text("#problem").await;
        assert!(problem.starts_with(&format!("{wrong}: ")), "{values:?}: {problem:?}");
        let query: Vec<_> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = service.get(&format!("/work?{}", query.join("&"))).await;
        assert_eq!(answer.status, 400, "{values:?}: {}", answer.text());
        assert!(answer.text().contains(wrong), "{values:?}: {}", answer.text());
    }
    assert_eq!(browser.text("#tally").await.split('.').next(), Some("Nothing sent yet"));
}

#[tokio::test]
#[ignore = "needs chromium and chromium-driver"]
async fn what_the_service_alone_refuses_is_said_in_its_words() {
    let service = Service::start(&[]).await;
    let browser = Browser::open(&service.url()).await;
    browser.says("#state", "The service answers").await;
    browser.click("[name=pace][value=burst]").await;
    browser.fill("#burst", "1").await;
    browser.fill("#f-latency", "p99=40ms,p50=900ms").await;
    browser.click("#send").await;
    browser.says("#problem", "400 Bad Request: latency: got p99=40ms,p50=900ms").await;
}

#[tokio::test]
#[ignore = "needs chromium and chromium-driver"]
async fn the_same_from_a_terminal_and_from_a_drill_file_is_what_the_form_does() {
    let service = Service::start(&[]).await;
    let browser = Browser::open(&service.url()).await;
    browser.says("#state", "The service answers").await;
    browser.click("[data-preset=slow-tail]").await;
    let line = browser.text("#curl").await;
    let url = line.strip_prefix("curl '").and_then(|line| line.strip_suffix('\'')).unwrap();
    assert_eq!(service.get(url.strip_prefix(&service.url()).unwrap()).await.status, 200);
    let lines = browser.text("#drill").await;
    let file = format!(
        "name: from the page\ntarget: {}\n{lines}\nexpect: [{{ counts: all phases }}]\n",
        service.url()
    );
    let directory = crate::support::directory::Directory::new("from-the-page");
    directory.write("drill.yaml", &file);
    let ended = crate::support::process::Process::start_in(directory.path(), &["check", "drill.yaml"], &[])
        .ended()
        .await;
    assert_eq!(ended.code, Some(0), "{file}\n{ended:?}");
}
