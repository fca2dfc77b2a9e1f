//! `seatkey demo`: simulator and service together, embedded SQLite, no configuration.

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use time::Duration;
use url::Url;

use super::{
    Failure,
    history::{self, Cast},
    output::{Meter, Progress},
    print_line, script,
    serve::OrderToStop,
    simulated,
};
use crate::{
    app::App,
    clock::{AdvanceableClock as _, OffsetClock, SharedClock},
    config::{self, Config},
    signing,
    simulator::{Seed, Simulator, SimulatorOptions},
    startup::{self, Jobs, Service},
    store::{StoreError, SubscriptionFilter},
    telemetry,
    web::ServerOptions,
};

/// Long enough to see the progress page at work.
const ACTIVATION_DELAY: Duration = Duration::seconds(3);
const EXAMPLE_CATALOG: &str = include_str!("../../deploy/catalog.example.toml");

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// The service's port; the simulator takes the next one, the mail server the one after
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Another database than the embedded one
    #[arg(long)]
    database: Option<String>,
    /// Plays the story without hands
    #[arg(long)]
    script: bool,
    /// With --script: JSON lines
    #[arg(long, requires = "script")]
    json: bool,
    /// Starts at once, without the year of history
    #[arg(long)]
    empty: bool,
}

/// Simulator and service, running.
#[derive(Debug)]
pub struct Demo {
    /// Everything at Microsoft's end.
    pub simulator: Simulator,
    /// The service with its workers.
    pub service: Service,
    /// Where the service is.
    pub public_url: Url,
    /// The time of both.
    pub clock: Arc<OffsetClock>,
    directory: PathBuf,
}

pub(super) fn run(args: &DemoArgs) -> Result<(), Failure> {
    if std::env::var_os("SEATKEY_LOG").is_some() {
        telemetry::install();
    }
    super::block_on(async {
        if args.script {
            // A script takes free ports: it may run beside anything.
            let demo = Demo::start([0, 0, 0], args.database.as_deref(), None).await?;
            let result = script::play(&demo, &mut Progress::new(args.json)).await;
            demo.stop().await;
            return result;
        }
        let mut order = OrderToStop::listen()?;
        let cast = (!args.empty).then(Cast::built_in).transpose()?;
        let ports = [args.port, args.port + 1, args.port + 2];
        let demo = Demo::start(ports, args.database.as_deref(), cast.as_ref()).await?;
        let shown = async {
            if let Some(cast) = &cast {
                demo.tell(cast).await;
            }
            // The history would fill the terminal with what it does to the service.
            telemetry::install();
            demo.introduce();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = shown => {}
            _ = order.wait() => {}
        }
        demo.stop().await;
        Ok(())
    })
}

impl Demo {
    /// Starts both. With a cast its people are in the world, and the clock stands where their history begins.
    ///
    /// # Errors
    /// [`Failure::Usage`] when a port is taken or the database cannot be used.
    pub async fn start(ports: [u16; 3], database: Option<&str>, cast: Option<&Cast>) -> Result<Self, Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::Usage(format!("the demo cannot start: {error}"));
        let directory = std::env::temp_dir().join(format!("seatkey-demo-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir_all(&directory).map_err(|error| failed(&error))?;
        let clock = OffsetClock::behind(cast.map_or(Duration::ZERO, |cast| Duration::days(cast.days.into())));
        let local = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        let options = SimulatorOptions {
            bind: local(ports[1]),
            smtp_bind: local(ports[2]),
            activation_delay: ACTIVATION_DELAY,
            deliver_webhooks: true,
            seed: cast.map_or_else(Seed::default, Cast::seed),
            ..SimulatorOptions::new(Arc::clone(&clock) as _)
        };
        let simulator = Simulator::start(options).await.map_err(|error| failed(&error))?;
        let listener = TcpListener::bind(local(ports[0])).map_err(|error| failed(&error))?;
        let address = listener.local_addr().map_err(|error| failed(&error))?;
        let config = configuration(&simulator, address, &directory, database)?;
        let public_url = config.server.public_url.clone();
        simulated::register(&simulator, &public_url);
        let shared: SharedClock = Arc::clone(&clock) as _;
        let app = startup::build(&config, shared).await.map_err(|error| failed(&error))?;
        if has_a_past(&app).await.map_err(|error| failed(&error))? {
            clock.advance(clock.lag()).map_err(|error| failed(&error))?;
        }
        let options = ServerOptions { management_bind: None, workers: 2 };
        let service = Service::start(app, Some((listener, options)), Jobs::Here).map_err(|error| failed(&error))?;
        Ok(Self { simulator, service, public_url, clock, directory })
    }

    /// Tells the year of history, and shows how far it is. One that breaks off leaves a demo with what was told.
    async fn tell(&self, cast: &Cast) {
        if self.clock.lag() == Duration::ZERO {
            print_line("The database is not empty, so no history is told.");
            return;
        }
        let mut meter = Meter::start("A year of history");
        let told = history::tell(self, cast, |moment| meter.show(&moment)).await;
        match told {
            Ok(()) => meter.end("The history is told"),
            Err(error) => {
                meter.end(&format!("The history broke off: {error}"));
                print_line("The demo goes on with what was told until then.");
                if let Err(error) = history::catch_up(self).await {
                    print_line(&format!("Its clock stays in the past: {error}"));
                }
            }
        }
    }

    fn introduce(&self) {
        let microsoft = self.simulator.base_url();
        print_line("\nSeatkey runs, together with a simulated Microsoft. Nothing leaves this machine.\n");
        print_line(&format!("  1. Buy          {microsoft}portal"));
        print_line("                  choose a person, subscribe to KONNEKT, click \"Configure account now\"");
        print_line(&format!("  2. Read mail    {microsoft}mailbox"));
        print_line(&format!("  3. Move time    {microsoft}"));
        print_line(&format!("  4. See it all   {}console", self.public_url));
        print_line("                  as Mira Sales, Finn Finance, Suri Support or Ada Admin");
        print_line(&format!("  The service     {}", self.public_url));
        print_line("\nPress Ctrl+C to end; everything is forgotten then.\n");
    }

    /// Stops both, and forgets everything.
    pub async fn stop(self) {
        self.service.stop().await;
        self.simulator.stop().await;
        // A left-over directory in the system's place for them is harmless.
        drop(std::fs::remove_dir_all(&self.directory));
    }
}

/// Whether the database has subscriptions already.
async fn has_a_past(app: &App) -> Result<bool, StoreError> {
    Ok(!app.store.list_subscriptions(SubscriptionFilter::default(), None, 1).await?.is_empty())
}

/// The files of the installation, and its configuration.
fn configuration(
    simulator: &Simulator,
    address: SocketAddr,
    directory: &Path,
    database: Option<&str>,
) -> Result<Config, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::Usage(format!("the demo cannot start: {error}"));
    std::fs::write(directory.join("catalog.toml"), EXAMPLE_CATALOG).map_err(|error| failed(&error))?;
    signing::generate(&directory.join("key.pem")).map_err(|error| failed(&error))?;
    let embedded = || format!("sqlite://{}", directory.join("seatkey.db").display());
    let database = database.map_or_else(embedded, str::to_owned);
    let public_url = format!("http://{address}/").parse().map_err(|error: url::ParseError| failed(&error))?;
    let text = simulated::configuration(simulator, &public_url, directory, &database);
    config::from_toml(&text, std::iter::empty()).map_err(|error| failed(&error))
}
