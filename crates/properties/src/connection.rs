//! What has to hold whatever comes on a connection to the service.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use firedrill_contract::{Caps, OpenTo, Size, Token, Workloads};
use firedrill_drill::evidence::fuzz::{Told, exposed};
use firedrill_server::{self as server, Timeouts};
use firedrill_service::fuzz::Exposed;
use firedrill_service::{Config, Service};

/// A header that each answer has, and that no body can.
const OF_AN_ANSWER: &[u8] = b"\r\nx-content-type-options: nosniff\r\n";

/// So long that no input is waited for in vain, and so short that a test can wait.
const PATIENCE: Duration = Duration::from_millis(10);

/// The service that connections are made to, until one ends it.
static RUNNING: Mutex<Option<Running>> = Mutex::new(None);

struct Running {
    runtime: Runtime,
    address: SocketAddr,
    exposed: Exposed,
    ended: JoinHandle<u8>,
}

/// What a client does once it has sent all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// Waits until the service closes the connection.
    Waits,
    /// Says that it sends no more, and waits.
    Ends,
    /// Goes away in the middle of what it is answered.
    HangsUp,
}

/// A connection: its first byte is what the client does in the end, and what follows is what it sends.
///
/// # Panics
/// Where a request is answered twice, is counted otherwise than once, or is in flight after its connection;
/// or where a handler panics that was not asked to.
pub fn http(input: &[u8]) {
    let Some((first, sent)) = input.split_first() else { return };
    let then = [Then::Waits, Then::Ends, Then::HangsUp][usize::from(first % 3)];
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    let service =
        running.take().filter(|service| !service.ended.is_finished()).unwrap_or_else(Running::start);
    let Running { runtime, address, exposed, ended } = &service;
    runtime.block_on(async {
        let Some(stream) = connect(*address, ended).await else { return };
        let (came, whole) = talk(stream, sent, then).await;
        let told = over(exposed).await;
        held(sent, &came, whole, &told);
        exposed.forget();
    });
    *running = Some(service);
}

impl Running {
    fn start() -> Self {
        let mut runtime = Builder::new_current_thread();
        // Nobody waits for what only time brings. The tokio of fuzzers alone can do so.
        #[cfg(fuzzing)]
        runtime.start_paused(true);
        let runtime = runtime.enable_all().build().expect("there is a runtime");
        let service = runtime.block_on(Service::bind(config())).expect("it can listen");
        let (address, exposed) = (service.address(), Exposed::new(&service));
        exposed.forget();
        let ended = runtime.spawn(service.run());
        Self { runtime, address, exposed, ended }
    }
}

/// A service that does all that it can be asked for, and little of it. Its token is `t`.
fn config() -> Config {
    Config {
        server: server::Config {
            listen: "127.0.0.1:0".to_owned(),
            max_connections: 8,
            max_header: Size(8 << 10),
            timeouts: Timeouts { header: 2 * PATIENCE, idle: PATIENCE, write: 2 * PATIENCE },
            drain: PATIENCE,
            grace: PATIENCE,
            log_requests: false,
            count_requests: true,
        },
        token: Some(Token::new("t").expect("it is a token")),
        workloads: Workloads::new(["demo", "web"]).expect("they are workloads"),
        seed: 7,
        caps: Caps {
            latency: 20 * PATIENCE,
            cpu: Duration::from_micros(100),
            memory: Size(64 << 10),
            hold: PATIENCE,
            body: Size(256 << 10),
            outage: PATIENCE,
        },
        open: OpenTo { latency: 10 * PATIENCE, body: Size(64 << 10) },
        max_work: 4,
        cpu_threads: 1,
        max_memory_total: Size(64 << 10),
        max_request_body: Size(1 << 10),
        body_timeout: 2 * PATIENCE,
        links: Vec::new(),
    }
}

/// Nothing where the service has ended; an outage passes.
async fn connect(address: SocketAddr, ended: &JoinHandle<u8>) -> Option<TcpStream> {
    while !ended.is_finished() {
        match TcpStream::connect(address).await {
            Ok(stream) => return Some(stream),
            Err(_) => sleep(PATIENCE / 10).await,
        }
    }
    None
}

/// What came back, and whether that is all of it: a reset may take what has not been read.
async fn talk(mut stream: TcpStream, sent: &[u8], then: Then) -> (Vec<u8>, bool) {
    let (mut from, mut to) = stream.split();
    // The service may close before it has read all.
    let sends = async {
        let _ = to.write_all(sent).await;
        if then == Then::Ends {
            let _ = to.shutdown().await;
        }
    };
    let mut came = Vec::new();
    let takes = async {
        if then == Then::HangsUp {
            let _ = from.read_buf(&mut came).await;
            false
        } else {
            from.read_to_end(&mut came).await.is_ok()
        }
    };
    let ((), whole) = tokio::join!(sends, takes);
    (came, whole)
}

/// What the service exposes when the connection is over.
async fn over(exposition: &Exposed) -> Vec<Told> {
    loop {
        let told = exposed(&exposition.text()).expect("what it exposes is in the format");
        if sum(&told, "firedrill_connections", |_| true) == 0.0 {
            return told;
        }
        sleep(PATIENCE / 10).await;
    }
}

fn held(sent: &[u8], came: &[u8], whole: bool, told: &[Told]) {
    let of = |types: &[&str]| {
        sum(told, "http_server_request_duration_seconds_count", |error| {
            types.is_empty() || types.contains(&error)
        })
    };
    let counted = of(&[]);
    let begun = sent.windows(3).filter(|three| three.ends_with(b"\n\n") || three == b"\n\r\n").count();
    let answered = came.windows(OF_AN_ANSWER.len()).filter(|some| *some == OF_AN_ANSWER).count();
    assert!(counted <= float(begun), "of {begun} requests {counted} were counted");
    assert!(float(answered) <= counted, "{answered} answers to {counted} requests");
    // Of what there was to take, only what is counted as not answered did not come.
    let unanswered = of(&["disconnected", "reset", "timeout", "shutdown"]);
    assert!(
        !whole || float(answered) >= counted - unanswered,
        "{answered} answers to {counted} requests, {unanswered} of them without one"
    );
    for now in ["http_server_active_requests", "firedrill_work_in_flight"] {
        assert_eq!(sum(told, now, |_| true), 0.0, "{now}");
    }
    let asked = sum(told, "firedrill_injected_errors_total", |error| error == "panic");
    assert!(of(&["panic"]) <= asked, "a handler panicked");
}

/// Of the samples of a metric whose `error_type` is one of these.
fn sum(told: &[Told], name: &str, wanted: impl Fn(&str) -> bool) -> f64 {
    let samples = told.iter().filter(|(of, labels, _)| {
        let error = labels.iter().find(|(label, _)| label == "error_type");
        of == name && wanted(error.map_or("", |(_, error)| error))
    });
    samples.map(|(_, _, value)| value).sum()
}

#[expect(clippy::cast_precision_loss, reason = "there are few")]
fn float(count: usize) -> f64 {
    count as f64
}
