//! `firedrill load URL...`: traffic without verdicts.

mod report;

use std::io::{Write as _, stdout};
use std::num::NonZero;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use clap::Args;
use clap::builder::FalseyValueParser;
use http::{HeaderMap, HeaderValue, Method, header};

use super::{ca_file, flag, open_files, token};
use firedrill_contract::{Caps, Rate, Token, Work};
use firedrill_load::arrivals::Arrivals;
use firedrill_load::load::{Bounds, Load};
use firedrill_load::plan::Plan;
use firedrill_load::request::{Query, Request};
use firedrill_net::{AGENT, Target, shutdown};
use report::Report;

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Target URLs, used in turn, e.g. http://host:8080; /work is the default path
    #[arg(value_name = "URL", required = true, env = "FIREDRILL_LOAD_URLS", value_delimiter = ' ', value_parser = target)]
    targets: Vec<Target>,

    /// Request rate, from 1/h to 100000/s
    #[arg(long, env = "FIREDRILL_LOAD_RATE", default_value = "5/s", value_parser = rate)]
    rate: Rate,

    /// Duration, from 1ms to 720h [default: until stopped]
    #[arg(long = "for", value_name = "DURATION", env = "FIREDRILL_LOAD_FOR", value_parser = flag::span)]
    span: Option<Duration>,

    /// Parameters of /work as a query, e.g. 'latency=p50=20ms,p99=300ms&error_rate=0.01'; what exceeds
    /// the limits of the service is answered 400 [default: none]
    #[arg(long, value_name = "QUERY", env = "FIREDRILL_LOAD_WORK", value_parser = wish)]
    work: Option<Wish>,

    /// Workload that the requests count as, 1 to 64 characters [default: none]
    #[arg(long, value_name = "NAME", env = "FIREDRILL_LOAD_WORKLOAD", value_parser = workload)]
    workload: Option<String>,

    /// Random seed: request n of a seed always does the same [default: random]
    #[arg(long, value_name = "NUMBER", env = "FIREDRILL_LOAD_SEED")]
    seed: Option<u64>,

    /// Request timeout, from sending to the end of the response, from 1ms to 1h
    #[arg(long, value_name = "DURATION", env = "FIREDRILL_LOAD_TIMEOUT", default_value = "30s", value_parser = flag::wait)]
    timeout: Duration,

    /// Maximum requests in flight, from 1 to 100000; what is due above it is counted as not sent
    #[arg(long, value_name = "NUMBER", env = "FIREDRILL_LOAD_MAX_IN_FLIGHT", default_value = "1000",
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    max_in_flight: u32,

    #[command(flatten)]
    token: token::Flags,

    #[command(flatten)]
    ca: ca_file::Flags,

    /// Print the report as JSON
    #[arg(long, env = "FIREDRILL_LOAD_JSON", value_parser = FalseyValueParser::new())]
    json: bool,
}

/// What `--work` asks for: names and values.
#[derive(Debug, Clone)]
struct Wish(Vec<(String, String)>);

pub(super) fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    let token = flags.token.read()?;
    let connections = u64::from(flags.max_in_flight) * flags.targets.len() as u64;
    open_files::allow(connections, "--max-in-flight")?;
    let seed = flags.seed.unwrap_or_else(flag::random_seed);
    let request = request(&flags, seed, token.as_ref())?;
    let arrivals = Arrivals::constant(flags.rate, flags.span);
    let in_flight = NonZero::new(flags.max_in_flight).unwrap_or(NonZero::<u32>::MIN);
    let bounds = Bounds { timeout: flags.timeout, in_flight };
    let plan = Plan::steady(seed, arrivals, request);
    let load = Load::new(flags.targets.clone(), plan, bounds)?.trusting(flags.ca.trust()?);

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start")?;
    let summary = runtime.block_on(async {
        let stopping = shutdown::on_signals().context("cannot handle SIGTERM and SIGINT")?;
        let targets: Vec<_> = flags.targets.iter().map(ToString::to_string).collect();
        tracing::info!(rate = %flags.rate, seed, ?targets, "sending");
        load.run(stopping).await.context("cannot send")
    })?;
    // A look-up that still hangs must not hold the end up.
    runtime.shutdown_background();

    let report = Report::new(&summary, &flags.targets, flags.rate, seed);
    let text = if flags.json { serde_json::to_string_pretty(&report)? + "\n" } else { report.to_string() };
    let mut out = stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write the report")?;
    Ok(ExitCode::SUCCESS)
}

fn request(flags: &Flags, seed: u64, token: Option<&Token>) -> anyhow::Result<Request> {
    let seed = seed.to_string();
    let wished = flags.work.iter().flat_map(|wish| &wish.0).map(|(name, value)| (&**name, &**value));
    let workload = flags.workload.iter().map(|workload| ("workload", &**workload));
    let query = Query::new(wished.chain(workload).chain([("seed", &*seed)]), Some("n"));
    let agent = HeaderValue::from_static(AGENT);
    let mut headers = HeaderMap::from_iter([(header::USER_AGENT, agent)]);
    if let Some(token) = token {
        headers.insert(header::AUTHORIZATION, token::bearer(token));
    }
    Ok(Request {
        method: Method::GET,
        path: None,
        query,
        headers,
        body: Bytes::new(),
        hang_up: None,
        work: None,
    })
}

fn target(url: &str) -> Result<Target, String> {
    let target = Target::parse(url).map_err(|error| error.to_string())?.or_path("/work");
    match target.query() {
        Some(_) => Err("expected a URL without a query: --work says what to ask for".to_owned()),
        None => Ok(target),
    }
}

fn rate(text: &str) -> Result<Rate, String> {
    let rate: Rate = text.parse().map_err(|error| format!("{error}"))?;
    Arrivals::check_rate(rate).map_err(str::to_owned)
}

fn wish(query: &str) -> Result<Wish, String> {
    let work = Work::from_query(query, &Caps::WIDEST).map_err(|refusal| refusal.to_string())?;
    if work.workload.is_some() {
        return Err("workload: give it as --workload".to_owned());
    }
    if work.seed.is_some() {
        return Err("seed: give it as --seed, from which n counts up".to_owned());
    }
    Ok(Wish(form_urlencoded::parse(query.as_bytes()).into_owned().collect()))
}

fn workload(name: &str) -> Result<String, String> {
    let work = Work::parse([("workload", name)], &Caps::WIDEST).map_err(|refusal| refusal.to_string())?;
    work.workload.ok_or_else(|| "expected a name".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_checked_but_its_caps_are_left_to_the_service() {
        let error = wish("latency=soon").unwrap_err();
        assert!(error.starts_with("latency: got"), "{error}");
        assert!(wish("cpu=9s&memory=1GiB").is_ok(), "above the default cap of a service");
        assert!(wish("cpu=25h").is_err());
        let Wish(pairs) = wish("latency=p50=20ms,p99=300ms&error_rate=0.01").unwrap();
        assert_eq!(pairs[0], ("latency".to_owned(), "p50=20ms,p99=300ms".to_owned()));
    }

    #[test]
    fn what_has_a_flag_is_not_part_of_the_work() {
        assert!(wish("workload=demo").unwrap_err().contains("--workload"));
        assert!(wish("seed=7").unwrap_err().contains("--seed"));
        assert!(wish("n=7").is_err());
    }

    #[test]
    fn rates_and_targets_outside_their_bounds_are_refused() {
        assert!(rate("1/h").is_ok() && rate("100000/s").is_ok());
        assert!(rate("0.5/h").is_err() && rate("100001/s").is_err());
        assert!(target("http://app:8080/work?cpu=1s").unwrap_err().contains("--work"));
    }
}
