//! An hour open, shortened: the page's clock goes faster, so that its seconds pass sooner, each with its scrape
//! and its drawing.

use serde_json::json;

use crate::browser::Browser;
use crate::eventually::eventually;
use crate::process::Process;
use crate::service::Service;

/// What is put before the page's own scripts: clocks and timers that are so much faster and can be held, and a
/// count of scrapes.
const FASTER: &str = "(() => {
    const faster = 40;
    const [date, time, timeout, interval, ask] = [Date.now.bind(Date), performance.now.bind(performance), setTimeout, setInterval, fetch];
    const [began, zero] = [date(), time()];
    Date.now = () => began + (date() - began) * faster;
    performance.now = () => zero + (time() - zero) * faster;
    window.setTimeout = (what, after) => {
        const due = () => { window.rests = window.held; window.held ? timeout(due, 5) : what() };
        timeout(due, (after ?? 0) / faster);
    };
    window.setInterval = (what, every) => interval(what, every / faster);
    window.scrapes = 0;
    window.fetch = (what, how) => { window.scrapes += what === 'metrics' ? 1 : 0; return ask(what, how) };
})()";

/// Until the page's minutes are full and its code is compiled, seconds of the page.
const WARM: i64 = 300;
/// What is compared: so many stretches of so many seconds.
const STRETCHES: usize = 4;
const STRETCH: i64 = 200;

/// What a second may add, bytes. One number kept from each would be eight.
const BYTES: f64 = 200.0;
/// How much more time a second may take at the end than at the beginning: a machine's noise.
const SLOWER: f64 = 1.5;

/// What the page takes at a moment.
#[derive(Debug, Clone, Copy)]
struct Takes {
    scrapes: f64,
    /// In use after a collection.
    heap: f64,
    nodes: f64,
    listeners: f64,
    /// What its thread has worked, seconds.
    worked: f64,
}

impl Takes {
    async fn now(browser: &Browser) -> Self {
        // Between two seconds, so that no scrape is half read.
        browser.run("window.held = true").await;
        browser.until("the page rests", "window.rests === true").await;
        // What only its finaliser lets go of needs a second collection.
        for _ in 0..2 {
            browser.tools("HeapProfiler.collectGarbage", json!({})).await;
        }
        let metrics = browser.tools("Performance.getMetrics", json!({})).await;
        let of = |name: &str| {
            let all = metrics["metrics"].as_array().unwrap().iter();
            all.filter(|metric| metric["name"] == name).find_map(|metric| metric["value"].as_f64()).unwrap()
        };
        let scrapes = browser.run("window.held = false; return window.scrapes").await.as_f64().unwrap();
        Self {
            scrapes,
            heap: of("JSHeapUsedSize"),
            nodes: of("Nodes"),
            listeners: of("JSEventListeners"),
            worked: of("TaskDuration"),
        }
    }
}

/// Waits until so many seconds of the page have passed.
async fn scraped(browser: &Browser, scrapes: i64) {
    eventually(std::time::Duration::from_secs(120), async || {
        let found = browser.run("return window.scrapes").await.as_i64().unwrap();
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
    let browser = Browser::start().await;
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
    let bytes = (last.heap - first.heap) / (last.scrapes - first.scrapes);
    let each: Vec<_> = all
        .array_windows()
        .map(|[one, next]| 1e3 * (next.worked - one.worked) / (next.scrapes - one.scrapes))
        .collect();
    let heaps: Vec<_> = all.iter().map(|takes| takes.heap / 1e3).collect();
    println!("{} seconds of the page: heap {heaps:.0?} kB; {each:.2?} ms of work a second", last.scrapes);
    assert!(bytes < BYTES, "{bytes} bytes a second: {all:#?}");
    assert!(last.nodes - first.nodes < 100.0, "{all:#?}");
    assert!(last.listeners - first.listeners < 10.0, "{all:#?}");
    let best = |some: &[f64]| some.iter().copied().fold(f64::INFINITY, f64::min);
    let (before, after) = each.split_at(STRETCHES / 2);
    assert!(best(after) < best(before) * SLOWER, "{each:?} ms");
    browser.says("#state", "The service answers").await;
}
