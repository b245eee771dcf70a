//! Where evidence is, and the credentials for it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Error};
use clap::Args;

use firedrill_contract::Token;
use firedrill_drill::evidence::Sources;
use firedrill_net::{Client, Credentials, Target, Trust};

#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Flags {
    /// URL of Prometheus; without it, the drill scrapes the target's /metrics itself
    #[arg(long, value_name = "URL", env = "FIREDRILL_DRILL_PROMETHEUS", value_parser = Target::parse)]
    prometheus: Option<Target>,

    /// File with Prometheus credentials: a bearer token or USER:PASSWORD
    #[arg(
        long,
        value_name = "PATH",
        env = "FIREDRILL_DRILL_PROMETHEUS_CREDENTIALS_FILE",
        requires = "prometheus"
    )]
    prometheus_credentials_file: Option<PathBuf>,

    /// URL of Alertmanager
    #[arg(long, value_name = "URL", env = "FIREDRILL_DRILL_ALERTMANAGER", value_parser = Target::parse)]
    alertmanager: Option<Target>,

    /// File with Alertmanager credentials: a bearer token or USER:PASSWORD
    #[arg(
        long,
        value_name = "PATH",
        env = "FIREDRILL_DRILL_ALERTMANAGER_CREDENTIALS_FILE",
        requires = "alertmanager"
    )]
    alertmanager_credentials_file: Option<PathBuf>,

    /// URL of the pager
    #[arg(long, value_name = "URL", env = "FIREDRILL_DRILL_PAGER", value_parser = Target::parse)]
    pager: Option<Target>,

    /// URL of Grafana
    #[arg(long, value_name = "URL", env = "FIREDRILL_DRILL_GRAFANA", value_parser = Target::parse)]
    grafana: Option<Target>,

    /// File with Grafana credentials: a service account token or USER:PASSWORD
    #[arg(long, value_name = "PATH", env = "FIREDRILL_DRILL_GRAFANA_CREDENTIALS_FILE", requires = "grafana")]
    grafana_credentials_file: Option<PathBuf>,
}

impl Flags {
    /// The sources that there are, without the service itself.
    pub(super) fn sources(&self, trust: &Trust) -> anyhow::Result<Sources> {
        let client = |target: Option<&Target>, file: Option<&Path>| {
            let Some(target) = target else { return Ok(None) };
            let credentials = file.map(read).transpose()?;
            anyhow::Ok(Some(Client::new(target.clone(), credentials).trusting(trust)))
        };
        Ok(Sources {
            prometheus: client(self.prometheus.as_ref(), self.prometheus_credentials_file.as_deref())?,
            alertmanager: client(self.alertmanager.as_ref(), self.alertmanager_credentials_file.as_deref())?,
            pager: client(self.pager.as_ref(), None)?,
            grafana: client(self.grafana.as_ref(), self.grafana_credentials_file.as_deref())?,
            service: None,
        })
    }
}

fn read(path: &Path) -> anyhow::Result<Credentials> {
    let shown = path.display();
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read the credentials file {shown}"))?;
    parse(&text).with_context(|| format!("cannot use the credentials file {shown}"))
}

/// A user and a password where there is a colon, which no bearer token has (RFC 6750, section 2.1).
fn parse(text: &str) -> anyhow::Result<Credentials> {
    match text.trim_end_matches(['\r', '\n']).split_once(':') {
        Some((user, password)) => Ok(Credentials::basic(user, password)?),
        None => Ok(Credentials::bearer(&Token::new(text).map_err(Error::msg)?)),
    }
}
