//! The page for people.

use crate::support::pager::{FIRING, Pager, RESOLVED, alert, notification};

#[tokio::test]
async fn the_page_shows_what_rang_when_how_late_and_whether_it_resolved() {
    let pager = Pager::start(&[]).await;
    assert!(pager.get("/").await.text().contains("<p>Nothing.</p>"));
    pager.notify(notification([alert("Fresh", "firing", 0)])).await;
    pager.notify(FIRING).await;
    pager.notify(RESOLVED).await;
    let html = pager.get("/").await.text();
    for part in [
        "HighErrorRatio <span class=\"state\">resolved</span>",
        "Half of the requests fail",
        "<a href=\"https://example.com/runbooks/high-error-ratio\"",
        "<code>workload=demo</code>",
        "<time datetime=\"2026-11-22T18:38:24.434224069Z\">",
        "Fresh <span class=\"state\">firing</span>",
        " after it began",
        "1 of the 2 newest fire",
        "Listening since",
    ] {
        assert!(html.contains(part), "no {part} in\n{html}");
    }
}

#[tokio::test]
async fn what_comes_from_outside_stays_text() {
    let pager = Pager::start(&["--heartbeat", "<b>beat</b>"]).await;
    let mut hostile = alert("<script>alert(1)</script>", "firing", 0);
    hostile["labels"]["\"><img src=x onerror=alert(2)>"] = "'><svg onload=alert(3)>".into();
    hostile["annotations"]["summary"] = "</p><iframe src=https://example.com></iframe>".into();
    hostile["annotations"]["runbook_url"] = "javascript:alert(4)".into();
    hostile["generatorURL"] = "https://example.com/\"onmouseover=\"alert(5)".into();
    let mut payload = notification([hostile]);
    payload["receiver"] = "<h1>receiver</h1>".into();
    pager.notify(payload).await;

    let answer = pager.get("/").await;
    let html = answer.text();
    for tag in [
        "<script>",
        "<img",
        "<svg",
        "<iframe",
        "<b>beat",
        "<h1>receiver",
        "href=\"javascript",
        "\"onmouseover",
    ] {
        assert!(!html.contains(tag), "{tag} in\n{html}");
    }
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{html}");
    assert!(html.contains("<code>javascript:alert(4)</code>"), "{html}");
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    // Nor does it break what programs read.
    assert_eq!(pager.pages("").await.len(), 1);
    let metrics = pager.get("/metrics").await.text();
    assert!(metrics.contains("receiver=\"<h1>receiver</h1>\""), "{metrics}");
}

#[tokio::test]
async fn nobody_is_asked_for_what_a_notification_names() {
    let named = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    named.set_nonblocking(true).unwrap();
    let url = format!("http://{}/", named.local_addr().unwrap());
    let pager = Pager::start(&[]).await;
    let mut alert = alert("A", "firing", 0);
    for annotation in ["runbook_url", "summary", "description", "image"] {
        alert["annotations"][annotation] = url.clone().into();
    }
    alert["generatorURL"] = url.clone().into();
    let mut payload = notification([alert]);
    payload["externalURL"] = url.clone().into();
    pager.notify(payload).await;
    assert!(pager.get("/").await.text().contains(&url));
    assert_eq!(pager.pages("").await.len(), 1);
    // Once it has ended it can ask nobody any more, and who was asked has a connection.
    pager.signal(rustix::process::Signal::INT);
    assert_eq!(pager.ended().await.code, Some(0));
    assert_eq!(named.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[tokio::test]
async fn the_page_loads_only_its_style_and_its_script_and_holds_still_on_request() {
    let pager = Pager::start(&[]).await;
    assert!(pager.get("/").await.text().contains("http-equiv=\"refresh\""));
    let still = pager.get("/?refresh=off").await.text();
    assert!(!still.contains("http-equiv=\"refresh\"") && !still.contains("<script"), "{still}");
    assert_eq!(pager.get("/?refresh=1").await.status, 400);
    let style = pager.get("/pager.css").await;
    assert_eq!((style.status, style.header("content-type")), (200, Some("text/css; charset=utf-8")));
    let script = pager.get("/pager.js").await;
    assert_eq!((script.status, script.header("content-type")), (200, Some("text/javascript; charset=utf-8")));
}
