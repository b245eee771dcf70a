//! Clients that hang up at every byte of a request, and at every byte of an answer.

use crate::support::client::Client;
use crate::support::draws::Draws;
use crate::support::service::Service;

const GET: &str = "GET /work?latency=0&workload=demo HTTP/1.1\r\nhost: test\r\n\r\n";

const POST: &str = "POST /work?workload=demo HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\n\
    content-length: 15\r\n\r\n{\"latency\":\"0\"}";

/// The length of a request's head.
fn head(request: &str) -> usize {
    request.find("\r\n\r\n").unwrap() + 4
}

/// Sends every beginning of a request, each on a connection of its own, and hangs up.
async fn hang_up_at_every_byte(service: &Service, request: &str, how: fn(Client)) {
    for sent in 0..=request.len() {
        let mut client = service.connect().await;
        client.send(&request[..sent]).await;
        how(client);
    }
}

#[tokio::test]
async fn who_closes_at_any_byte_of_a_request_is_counted_once_where_its_head_was_whole() {
    let service = Service::start(&[]).await;
    let before = service.scrape().await;
    let (mut whole, mut cut) = (0, 0);
    for request in [GET, POST] {
        hang_up_at_every_byte(&service, request, drop).await;
        whole += request.len() + 1 - head(request);
        // Nobody knows of a request of which nothing came.
        cut += head(request) - 1;
    }
    service.counted(whole as f64).await;
    let scrape = service.let_go_of_all(&before).await;
    let unreadable = |reason| scrape.sum("firedrill_unreadable_requests_total", &[("reason", reason)]);
    assert_eq!((unreadable("incomplete"), unreadable("malformed")), (cut as f64, 0.0));
    assert_eq!(scrape.works(&[("workload", "demo")]), whole as f64, "by its workload, however it ended");
}

#[tokio::test]
async fn who_resets_at_any_byte_of_a_request_is_counted_once_or_was_never_seen() {
    let service = Service::start(&[]).await;
    let before = service.scrape().await;
    for request in [GET, POST] {
        hang_up_at_every_byte(&service, request, Client::reset).await;
    }
    let scrape = service.let_go_of_all(&before).await;
    let whole = [GET, POST].map(|request| request.len() + 1 - head(request)).iter().sum::<usize>();
    let counted = scrape.works(&[]);
    // A reset may overtake what was sent before it, and then there is nothing to be seen.
    assert!(counted <= whole as f64, "{counted} of {whole} that were whole");
    let done = scrape.sum("firedrill_injected_requests_total", &[]);
    assert!(done <= counted, "{done} done and {counted} counted");
}

#[tokio::test]
async fn who_hangs_up_at_any_byte_of_an_answer_is_counted_once() {
    let service = Service::start(&[]).await;
    let before = service.scrape().await;
    let asked = GET
        .replace("latency=0", "latency=0&body=100")
        .replace("host: test", "host: test\r\nconnection: close");
    let mut client = service.connect().await;
    client.send(&asked).await;
    let length = client.end().await.1.len();
    assert!(length > 200, "a head and a body: {length} bytes");
    for read in 0..=length {
        let mut client = service.connect().await;
        client.send(&asked).await;
        client.take(read).await;
        // With a reset, since the rest has not been read.
        drop(client);
    }
    let scrape = service.counted((1 + length + 1) as f64).await;
    service.let_go_of_all(&before).await;
    let answered = scrape.works(&[("http_response_status_code", "200")]);
    let gone = scrape.works(&[("http_response_status_code", ""), ("error_type", "disconnected")]);
    assert_eq!(answered + gone, (length + 2) as f64, "answered, or given up before that");
    assert!(answered >= (length + 1) as f64, "{answered}: all but the one that waited for nothing");
}

#[tokio::test]
async fn who_hangs_up_anywhere_in_a_large_answer_is_counted_once_and_its_place_is_free() {
    const CLIENTS: usize = 60;
    let mut draws = Draws::of("large answer");
    let service = Service::start(&["--max-work", "4"]).await;
    let before = service.scrape().await;
    for _ in 0..CLIENTS {
        let mut client = service.connect().await;
        client.send(GET.replace("latency=0", "latency=0&body=64MiB")).await;
        let bytes = draws.below(1 << 20);
        assert!(client.take(bytes).await.starts_with(&b"HTTP/1.1 200"[..bytes.min(12)]), "a place was free");
        drop(client);
        service.in_flight(0.0).await;
    }
    let scrape = service.counted(CLIENTS as f64).await;
    service.let_go_of_all(&before).await;
    let labels = [("http_response_status_code", "200"), ("error_type", "disconnected")];
    assert_eq!(scrape.works(&labels), CLIENTS as f64, "nobody took 64 MiB");
}
