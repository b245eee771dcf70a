//! An hour open, shortened: the page's clock goes faster, so that its seconds pass sooner, each with its scrape
//! and its drawing.
//!
//! What is measured is what the page keeps. Machine code is left out: V8 goes on translating what runs often for about
//! an hour and a half, 0.2 MB of it, and then stops (docs/performance.md). In that, a small leak would not be seen.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::browser::{Browser, SOON};
use crate::support::eventually::eventually;
use crate::support::process::Process;
use crate::support::service::Service;

/// What is put before the page's own scripts: timers that are so much faster and can be held, clocks that only these
/// move, and a count of scrapes. So each second is one for the page, however slow the machine is; it would leave a gap
/// for a long one, and keep less.
const FASTER: &str = "(() => {
    const faster = 100;
    const [began, zero, timeout, ask] = [Date.now(), performance.now(), setTimeout, fetch];
    let passed = 0;
    Date.now = () => began + passed;
    performance.now = () => zero + passed;
    window.setTimeout = (what, after = 0) => {
        const due = () => {
            window.rests = window.held;
            if (window.held) return timeout(due, 5);
            passed += after;
            what();
        };
        timeout(due, after / faster);
    };
    window.scrapes = 0;
    window.fetch = (what, how) => { window.scrapes += what === 'metrics' ? 1 : 0; return ask(what, how) };
})()";

/// V8 interprets, and makes no machine code.
const NO_MACHINE_CODE: &str = "--js-flags=--jitless";

/// Until the page's minutes and the browser's own list of 250 requests are full, seconds of the page.
const WARM: i64 = 300;
/// What is compared: so many stretches of so many seconds.
const STRETCHES: usize = 4;
const STRETCH: i64 = 200;

/// How long the deadline of a scrape is in memory, by the clock outside: a little longer than the page lets one take.
const DEADLINE: Duration = Duration::from_millis(3_200);

/// What a second may add, bytes. One number kept from each is eight.
const BYTES: f64 = 4.0;
/// How much more time a second may take at the end than at the beginning: a machine's noise.
const SLOWER: f64 = 1.5;

/// What the page takes at a moment.
#[derive(Debug, Clone, Copy)]
struct Takes {
    scrapes: f64,
    /// In use after a collection: objects, and the texts and buffers that are outside of V8's heap.
    heap: f64,
    nodes: f64,
    listeners: f64,
    /// What its thread has worked, seconds.
    worked: f64,
}

impl Takes {
    async fn now(browser: &Browser) -> Self {
        // Between two seconds, so that no scrape is half read.
        value(browser, "held = true").await;
        eventually(SOON, async || {
            let rests = value(browser, "rests").await;
            if rests == true { Ok(()) } else { Err("the page does not rest".to_owned()) }
        })
        .await;
        // Else there would be as many deadlines as the machine has been fast just now.
        sleep(DEADLINE).await;
        // What only its finaliser lets go of needs a second collection.
        for _ in 0..2 {
            browser.tools("HeapProfiler.collectGarbage", json!({})).await;
        }
        let usage = browser.tools("Runtime.getHeapUsage", json!({})).await;
        let bytes = |name: &str| usage[name].as_f64().unwrap();
        let metrics = browser.tools("Performance.getMetrics", json!({})).await;
        let of = |name: &str| {
            let all = metrics["metrics"].as_array().unwrap().iter();
            all.filter(|metric| metric["name"] == name).find_map(|metric| metric["value"].as_f64()).unwrap()
        };
        let scrapes = value(browser, "held = false, scrapes").await.as_f64().unwrap();
        Self {
            scrapes,
            heap: bytes("usedSize") + bytes("backingStorageSize"),
            nodes: of("Nodes"),
            listeners: of("JSEventListeners"),
            worked: of("TaskDuration"),
        }
    }
}

/// Bytes a second: the slope of the line that is nearest to all of them, since each is a little more or less by chance.
fn growth(all: &[Takes]) -> f64 {
    let mean = |of: fn(&Takes) -> f64| {
        all.iter().map(of).sum::<f64>() / f64::from(u32::try_from(all.len()).unwrap())
    };
    let (second, heap) = (mean(|takes| takes.scrapes), mean(|takes| takes.heap));
    let of = |sum: f64, takes: &Takes| sum + (takes.scrapes - second) * (takes.heap - heap);
    let apart = |sum: f64, takes: &Takes| sum + (takes.scrapes - second).powi(2);
    all.iter().fold(0.0, of) / all.iter().fold(0.0, apart)
}

/// What an expression is in the page. A script that chromedriver runs leaves some 50 bytes there; this leaves nothing.
async fn value(browser: &Browser, expression: &str) -> Value {
    let asked = json!({ "expression": expression, "returnByValue": true });
    browser.tools("Runtime.evaluate", asked).await["result"]["value"].take()
}

/// Waits until so many seconds of the page have passed.
async fn scraped(browser: &Browser, scrapes: i64) {
    eventually(Duration::from_secs(120), async || {
        let found = value(browser, "scrapes").await.as_i64().unwrap();
        if found >= scrapes { Ok(()) } else { Err(format!("{found} of {scrapes} scrapes")) }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs chromium and chromium-driver"]
async fn an_open_page_grows_neither_in_memory_nor_in_time() {
    let service = Service::start(&[]).await;
    let url = service.url();
    let _traffic =
        Process::start(&["load", "--rate", "30/s", "--for", "10m", "--work", "error_rate=0.1", &url]);
    let browser = Browser::start_with(&[NO_MACHINE_CODE]).await;
    browser.tools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": FASTER })).await;
    browser.tools("Performance.enable", json!({})).await;
    browser.goto(&url).await;
    browser.says("#state", "The service answers").await;
    scraped(&browser, WARM).await;
    let mut all = vec![Takes::now(&browser).await];
    for nth in 1..=STRETCHES {
        scraped(&browser, WARM + i64::try_from(nth).unwrap() * STRETCH).await;
        all.push(Takes::now(&browser).await);
    }
    let (first, last) = (all[0], all[STRETCHES]);
    let bytes = growth(&all);
    let each: Vec<_> = all
        .array_windows()
        .map(|[one, next]| 1e3 * (next.worked - one.worked) / (next.scrapes - one.scrapes))
        .collect();
    let heaps: Vec<_> = all.iter().map(|takes| takes.heap / 1e3).collect();
    println!(
        "{} seconds of the page: heap {heaps:.1?} kB, {bytes:.1} bytes a second; {each:.2?} ms of work a second",
        last.scrapes
    );
    assert!(bytes < BYTES, "{bytes} bytes a second: {all:#?}");
    assert!(last.nodes - first.nodes < 100.0, "{all:#?}");
    assert!(last.listeners - first.listeners < 10.0, "{all:#?}");
    let best = |some: &[f64]| some.iter().copied().fold(f64::INFINITY, f64::min);
    let (before, after) = each.split_at(STRETCHES / 2);
    assert!(best(after) < best(before) * SLOWER, "{each:?} ms");
    browser.says("#state", "The service answers").await;
}
