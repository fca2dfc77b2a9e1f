//! `seatkey serve`, `seatkey work` and `seatkey migrate`.

use std::{net::TcpListener, path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Failure, print_line};
use crate::{
    app::{App, schedule_check_up},
    clock::{FileOffsetClock, SharedClock, SystemClock},
    config::{self, Config},
    startup::{self, Jobs, Service, StartError},
    store::Store,
    telemetry,
    web::ServerOptions,
};

#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    /// The configuration; default: `SEATKEY_CONFIG`, else `seatkey.toml` where there is one
    #[arg(long)]
    config: Option<PathBuf>,
}

impl ConfigArgs {
    /// Configuration and clock of a command that does its work and ends.
    pub(super) fn load_with_clock(&self) -> Result<(Config, SharedClock), Failure> {
        let config = self.load()?;
        let clock = clock(&config)?;
        Ok((config, clock))
    }

    /// The configuration alone.
    pub(super) fn load(&self) -> Result<Config, Failure> {
        let named = self.config.clone().or_else(|| std::env::var_os("SEATKEY_CONFIG").map(PathBuf::from));
        let default = PathBuf::from("seatkey.toml");
        let path = named.or_else(|| default.exists().then_some(default));
        config::load(path.as_deref()).map_err(|error| Failure::Usage(error.to_string()))
    }
}

/// The database of a command that does its work and ends.
pub(super) async fn connect(config: &Config) -> Result<Store, Failure> {
    startup::connect(config).await.map_err(not_opened)
}

/// A database that is not there is no fault of the configuration, as far as anybody can tell.
pub(super) fn not_opened(error: StartError) -> Failure {
    match error {
        StartError::Store(error) => Failure::No(error.to_string()),
        other => Failure::Usage(other.to_string()),
    }
}

pub(super) fn migrate(args: &ConfigArgs) -> Result<(), Failure> {
    let config = args.load()?;
    super::block_on(async {
        let no = |error: crate::store::StoreError| Failure::No(error.to_string());
        let store = connect(&config).await?;
        store.migrate().await.map_err(no)?;
        store.close().await;
        print_line("The schema is up to date.");
        Ok(())
    })
}

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Pages only; jobs are run by `seatkey work`
    #[arg(long)]
    no_workers: bool,
}

/// `seatkey work`: jobs without pages.
pub(super) fn work(args: &ConfigArgs) -> Result<(), Failure> {
    telemetry::install();
    let config = args.load()?;
    let clock = clock(&config)?;
    super::block_on(async {
        let order = OrderToStop::listen()?;
        let failed = |error: StartError| Failure::Usage(error.to_string());
        let app = startup::build(&config, clock).await.map_err(failed)?;
        ask_for_check_up(&app).await;
        let service = Service::start(app, None, Jobs::Here).map_err(failed)?;
        // Nobody sends workers anything: there is nothing to drain.
        run_until_told(order, service.managed_at(config.server.management_bind), Duration::ZERO).await;
        Ok(())
    })
}

/// A balancer gets the drain time to notice that this process stops; a person at a terminal, or a second order, does not wait.
async fn run_until_told(mut order: OrderToStop, service: Service, drain: Duration) {
    tracing::info!("ready");
    if order.wait().await == Order::Drain && !drain.is_zero() {
        service.say_not_ready();
        tracing::info!(seconds = drain.as_secs(), "no longer ready; requests are still answered");
        tokio::select! {
            () = tokio::time::sleep(drain) => {}
            _ = order.wait() => {}
        }
    }
    tracing::info!("stopping");
    service.stop().await;
}

pub(super) fn serve(args: &ServeArgs) -> Result<(), Failure> {
    telemetry::install();
    let config = args.config.load()?;
    let jobs = if args.no_workers { Jobs::Elsewhere } else { Jobs::Here };
    let clock = clock(&config)?;
    super::block_on(async {
        let order = OrderToStop::listen()?;
        let failed = |error: StartError| Failure::Usage(error.to_string());
        let app = startup::build(&config, clock).await.map_err(failed)?;
        let listener = TcpListener::bind(config.server.bind)
            .map_err(|error| Failure::Usage(format!("{} cannot be listened on: {error}", config.server.bind)))?;
        ask_for_check_up(&app).await;
        let options = ServerOptions {
            management_bind: Some(config.server.management_bind),
            workers: std::thread::available_parallelism().map_or(2, usize::from),
        };
        let service = Service::start(app, Some((listener, options)), jobs).map_err(failed)?;
        tracing::info!(bind = %config.server.bind, url = %config.server.public_url, "listening");
        run_until_told(order, service, Duration::from_secs(config.server.drain_seconds.into())).await;
        Ok(())
    })
}

/// A real service looks every hour whether what it depends on is well. (The demo depends on nothing but itself.)
async fn ask_for_check_up(app: &App) {
    if let Err(error) = schedule_check_up(app).await {
        tracing::warn!(%error, "the check-up could not be asked for");
    }
}

/// The machine's time; in tests and the demo that of an offset file, which is refused wherever real money could be met.
fn clock(config: &Config) -> Result<SharedClock, Failure> {
    let Some(path) = std::env::var_os("SEATKEY_CLOCK_FILE") else { return Ok(Arc::new(SystemClock)) };
    let addresses = [&config.marketplace.base_url, &config.entra.authority];
    let metering = config.marketplace.metering_base_url.as_ref();
    if addresses.into_iter().chain(metering).all(config::is_loopback) {
        return Ok(FileOffsetClock::following(PathBuf::from(path)));
    }
    Err(Failure::Usage("SEATKEY_CLOCK_FILE is for loopback only: remove it, or point everything at a simulator".into()))
}

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// `SIGTERM`, by whoever runs several replicas: others are told first.
    Drain,
    /// `SIGINT`, by a person at a terminal: at once.
    Stop,
}

/// `SIGTERM` or `SIGINT`, listened for from the moment it is made: an order that comes before anybody waits is not lost.
pub(super) struct OrderToStop {
    terminate: Signal,
    interrupt: Signal,
}

impl OrderToStop {
    pub(super) fn listen() -> Result<Self, Failure> {
        let signal = |kind| signal(kind).map_err(|error| Failure::No(format!("signals cannot be caught: {error}")));
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    pub(super) async fn wait(&mut self) -> Order {
        tokio::select! {
            _ = self.terminate.recv() => Order::Drain,
            _ = self.interrupt.recv() => Order::Stop,
        }
    }
}
