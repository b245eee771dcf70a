//! News of pages as server-sent events.

use rustix::process::Signal;
use serde_json::Value;

use crate::support::client::{Client, End};
use crate::support::pager::{FIRING, Pager, RESOLVED, alert, notification};
use crate::support::process::within;

/// An open stream of events.
struct Stream(Client);

/// One event, or a comment.
#[derive(Debug, Default)]
struct Event {
    id: String,
    event: String,
    data: Value,
    comment: Option<String>,
}

impl Event {
    /// What happened, and to which alert.
    fn what(&self) -> (&str, &str) {
        (&self.event, self.data["labels"]["alertname"].as_str().unwrap())
    }
}

impl Pager {
    async fn subscribe(&self, headers: &str) -> Stream {
        let mut client = self.connect().await;
        client.send(format!("GET /pages/stream HTTP/1.1\r\nhost: test\r\n{headers}\r\n")).await;
        let head = client.head_alone().await;
        assert_eq!((head.status, head.header("content-type")), (200, Some("text/event-stream")));
        Stream(client)
    }

    async fn subscribers(&self, number: f64) {
        self.scrape_until(&format!("{number} subscribers"), |scrape| {
            scrape.sum("firedrill_pager_subscribers", &[]) == number
        })
        .await;
    }
}

impl Stream {
    async fn next(&mut self) -> Event {
        let bytes = self.0.through(b"\n\n").await;
        let mut event = Event::default();
        // The lengths of HTTP's chunks stand between the lines and look like none of these.
        for line in String::from_utf8(bytes).unwrap().lines() {
            match line.split_once(':') {
                Some(("id", id)) => event.id = id.trim().to_owned(),
                Some(("event", name)) => event.event = name.trim().to_owned(),
                Some(("data", data)) => event.data = serde_json::from_str(data).unwrap(),
                Some(("", comment)) => event.comment = Some(comment.trim().to_owned()),
                _ => {}
            }
        }
        event
    }
}

#[tokio::test]
async fn what_is_kept_comes_first_and_then_each_change() {
    let pager = Pager::start(&[]).await;
    pager.notify(FIRING).await;
    let mut stream = pager.subscribe("").await;
    assert_eq!(stream.next().await.what(), ("firing", "HighErrorRatio"));
    pager.notify(FIRING).await;
    pager.notify(RESOLVED).await;
    pager.notify(notification([alert("Other", "firing", 0)])).await;
    assert_eq!(stream.next().await.what(), ("repeated", "HighErrorRatio"));
    let resolved = stream.next().await;
    assert_eq!(resolved.what(), ("resolved", "HighErrorRatio"));
    assert_eq!(resolved.data, pager.pages("alertname=HighErrorRatio").await[0], "as /pages tells it");
    assert_eq!(stream.next().await.what(), ("firing", "Other"));
}

#[tokio::test]
async fn changes_that_come_at_once_are_told_one_by_one() {
    let pager = Pager::start(&[]).await;
    let mut stream = pager.subscribe("").await;
    pager.subscribers(1.0).await;
    let flaps = |status: &str| {
        let mut alert = alert("Flapping", status, 0);
        alert["startsAt"] = "2026-01-31T12:00:00Z".into();
        alert
    };
    let statuses = ["firing", "resolved"].repeat(30);
    pager.notify(notification(statuses.iter().map(|status| flaps(status)).collect::<Vec<_>>())).await;
    for status in statuses {
        assert_eq!(stream.next().await.what(), (status, "Flapping"));
    }
}

#[tokio::test]
async fn a_client_goes_on_after_the_last_event_that_it_saw() {
    let pager = Pager::start(&[]).await;
    pager.notify(FIRING).await;
    let mut stream = pager.subscribe("").await;
    let seen = stream.next().await.id;
    drop(stream);
    pager.notify(RESOLVED).await;
    pager.notify(FIRING).await;

    let mut stream = pager.subscribe(&format!("last-event-id: {seen}\r\n")).await;
    assert_eq!(stream.next().await.what(), ("resolved", "HighErrorRatio"));
    let last = stream.next().await;
    assert_eq!(last.what(), ("firing", "HighErrorRatio"));

    let mut stream = pager.subscribe(&format!("last-event-id: {}\r\n", last.id)).await;
    pager.notify(notification([alert("New", "firing", 0)])).await;
    assert_eq!(stream.next().await.what(), ("firing", "New"), "nothing is told twice");
}

#[tokio::test]
async fn an_id_of_another_life_tells_nothing_so_everything_that_is_kept_is_told() {
    let pager = Pager::start(&[]).await;
    pager.notify(FIRING).await;
    let id = pager.subscribe("").await.next().await.id;
    let (life, _) = id.split_once('-').unwrap();
    for id in ["1-1", "nonsense", "", &format!("{life}-99"), &format!("{life}--1")] {
        let mut stream = pager.subscribe(&format!("last-event-id: {id}\r\n")).await;
        assert_eq!(stream.next().await.what(), ("firing", "HighErrorRatio"), "{id}");
    }
}

#[tokio::test]
async fn one_that_was_away_for_long_is_told_each_page_as_it_is() {
    let pager = Pager::start(&["--keep", "2"]).await;
    pager.notify(notification([alert("A", "firing", 0)])).await;
    let id = pager.subscribe("").await.next().await.id;
    for name in ["B", "C", "B", "C"] {
        pager.notify(notification([alert(name, "resolved", 0)])).await;
    }
    let mut stream = pager.subscribe(&format!("last-event-id: {id}\r\n")).await;
    assert_eq!(stream.next().await.what(), ("resolved", "B"));
    assert_eq!(stream.next().await.what(), ("resolved", "C"));
}

#[tokio::test]
async fn a_quiet_stream_says_that_it_is_still_there() {
    let pager = Pager::start(&["--keepalive", "50ms"]).await;
    let mut stream = pager.subscribe("").await;
    assert_eq!(stream.next().await.comment.as_deref(), Some("still here"));
}

#[tokio::test]
async fn only_so_many_may_subscribe() {
    let pager = Pager::start(&["--max-subscribers", "1"]).await;
    let stream = pager.subscribe("").await;
    let refused = pager.get("/pages/stream").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    drop(stream);
    pager.subscribers(0.0).await;
    pager.subscribe("").await;
    assert_eq!(pager.get("/pages/stream?since=10m").await.status, 400);
}

/// A page of half a megabyte.
fn large(n: u32) -> Value {
    let mut large = alert(&n.to_string(), "firing", 0);
    large["annotations"]["description"] = "x".repeat(500_000).into();
    notification([large])
}

#[tokio::test]
async fn a_subscriber_that_hangs_is_dropped() {
    let pager = Pager::start(&["--write-timeout", "200ms", "--keep-size", "1GiB"]).await;
    let stream = pager.subscribe("").await;
    stream.0.shrink_window();
    pager.subscribers(1.0).await;
    let dropped = async {
        for n in 0.. {
            // More and more, until the sockets take no more.
            pager.notify(large(n)).await;
            let scrape = pager.scrape().await;
            if scrape.sum("firedrill_pager_subscribers", &[]) == 0.0 {
                return scrape;
            }
        }
        unreachable!()
    };
    let scrape = within(dropped, "the subscriber to be dropped").await;
    assert_eq!(scrape.sum("firedrill_pager_subscribers_dropped_total", &[]), 1.0);
    assert_eq!(scrape.requests("/pages/stream", &[("error_type", "timeout")]), 1.0);
    drop(stream);
}

#[tokio::test]
async fn a_subscriber_that_falls_behind_what_is_kept_is_dropped() {
    let pager = Pager::start(&["--write-timeout", "1h", "--keep-size", "1MiB"]).await;
    let mut stream = pager.subscribe("").await;
    pager.subscribers(1.0).await;
    // Much more than the sockets take, of which little is kept.
    for n in 0..40 {
        pager.notify(large(n)).await;
    }
    let told = stream.0.through(b"\r\n0\r\n\r\n").await;
    assert!(told.len() < 40 * 500_000, "{} bytes", told.len());
    assert_eq!(pager.scrape().await.sum("firedrill_pager_subscribers_dropped_total", &[]), 1.0);
}

#[tokio::test]
async fn a_subscriber_that_leaves_is_no_error() {
    let pager = Pager::start(&[]).await;
    drop(pager.subscribe("").await);
    let scrape = pager
        .scrape_until("the end of the stream", |scrape| scrape.requests("/pages/stream", &[]) == 1.0)
        .await;
    assert_eq!(scrape.requests("/pages/stream", &[("error_type", "")]), 1.0);
    assert_eq!(scrape.sum("firedrill_pager_subscribers_dropped_total", &[]), 0.0);
}

#[tokio::test]
async fn an_open_stream_does_not_hold_up_the_end() {
    let pager = Pager::start(&["--drain", "0", "--grace", "1h"]).await;
    let stream = pager.subscribe("").await;
    pager.signal(Signal::TERM);
    assert_eq!(pager.ended().await.code, Some(0));
    let (end, rest) = stream.0.end().await;
    assert_eq!((end, rest.ends_with(b"0\r\n\r\n")), (End::Closed, true), "in order");
}
