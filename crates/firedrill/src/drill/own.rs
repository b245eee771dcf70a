//! A service of the drill's own, for whoever has none yet.

use anyhow::Context as _;
use clap::Parser as _;

use crate::serve;
use firedrill_net::Target;
use firedrill_server::Handle;
use firedrill_service::Service;

/// A service on a free port of this machine, in threads of its own. Ends when it is dropped.
pub(super) struct OwnService {
    target: Target,
    handle: Handle,
}

/// The flags of a service, as if somebody had typed none.
#[derive(clap::Parser)]
struct Typed {
    #[command(flatten)]
    flags: serve::Flags,
}

impl OwnService {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let typed = Typed::try_parse_from(["firedrill", "--listen", "127.0.0.1:0"])?;
        let service =
            Service::bind(typed.flags.config()?).await.context("cannot start a service to drill")?;
        let target = Target::parse(&format!("http://{}", service.address()))?;
        let handle = service.handle();
        // Threads of its own, so that it does not wait for the drill's.
        let started = std::thread::Builder::new().name("own service".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
            match runtime {
                Ok(runtime) => drop(runtime.block_on(service.run())),
                Err(error) => tracing::error!(%error, "cannot start a service to drill"),
            }
        });
        started.context("cannot start a service to drill")?;
        Ok(Self { target, handle })
    }

    pub(super) const fn target(&self) -> &Target {
        &self.target
    }
}

impl Drop for OwnService {
    fn drop(&mut self) {
        self.handle.interrupt();
    }
}
