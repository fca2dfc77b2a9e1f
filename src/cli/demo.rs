//! `seatkey demo`: simulator and service together, embedded SQLite, no configuration.

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use time::Duration;
use url::Url;

use super::{Failure, output::Progress, print_line, script, serve::OrderToStop, simulated};
use crate::{
    clock::{OffsetClock, SharedClock},
    config::{self, Config},
    signing,
    simulator::{Simulator, SimulatorOptions},
    startup::{self, Jobs, Service},
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
}

/// Simulator and service, running.
pub(super) struct Demo {
    pub(super) simulator: Simulator,
    pub(super) service: Service,
    pub(super) public_url: Url,
    directory: PathBuf,
}

pub(super) fn run(args: &DemoArgs) -> Result<(), Failure> {
    if std::env::var_os("SEATKEY_LOG").is_some() || !args.script {
        telemetry::install();
    }
    super::block_on(async {
        // A script takes free ports: it may run beside anything.
        let ports = if args.script { [0, 0, 0] } else { [args.port, args.port + 1, args.port + 2] };
        let demo = Demo::start(ports, args.database.as_deref()).await?;
        let result = if args.script {
            script::play(&demo, &mut Progress::new(args.json)).await
        } else {
            demo.introduce();
            OrderToStop::listen()?.wait().await;
            Ok(())
        };
        demo.stop().await;
        result
    })
}

impl Demo {
    async fn start(ports: [u16; 3], database: Option<&str>) -> Result<Self, Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::Usage(format!("the demo cannot start: {error}"));
        let directory = std::env::temp_dir().join(format!("seatkey-demo-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir_all(&directory).map_err(|error| failed(&error))?;
        let clock = OffsetClock::new(None);
        let local = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        let options = SimulatorOptions {
            bind: local(ports[1]),
            smtp_bind: local(ports[2]),
            activation_delay: ACTIVATION_DELAY,
            deliver_webhooks: true,
            ..SimulatorOptions::new(Arc::clone(&clock) as _)
        };
        let simulator = Simulator::start(options).await.map_err(|error| failed(&error))?;
        let listener = TcpListener::bind(local(ports[0])).map_err(|error| failed(&error))?;
        let address = listener.local_addr().map_err(|error| failed(&error))?;
        let config = configuration(&simulator, address, &directory, database)?;
        let public_url = config.server.public_url.clone();
        simulated::register(&simulator, &public_url);
        let clock: SharedClock = clock;
        let app = startup::build(&config, clock).await.map_err(|error| failed(&error))?;
        let options = ServerOptions { management_bind: None, workers: 2 };
        let service = Service::start(app, Some((listener, options)), Jobs::Here).map_err(|error| failed(&error))?;
        Ok(Self { simulator, service, public_url, directory })
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

    async fn stop(self) {
        self.service.stop().await;
        self.simulator.stop().await;
        // A left-over directory in the system's place for them is harmless.
        drop(std::fs::remove_dir_all(&self.directory));
    }
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
