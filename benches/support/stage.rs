//! A whole installation in this process: simulator, database, application.

use std::{net::TcpListener, path::PathBuf, sync::Arc};

use seatkey::{
    app::App,
    cli::simulated,
    clock::{SharedClock, SteppedClock},
    config, http,
    marketplace::Client,
    signing,
    simulator::{Simulator, SimulatorOptions},
    startup,
};
use time::{OffsetDateTime, macros::datetime};
use url::Url;
use uuid::Uuid;

use super::{microsoft::Microsoft, postgres::Cluster};

/// The present of every benchmark; it stands still.
pub(crate) const NOW: OffsetDateTime = datetime!(2026-01-15 10:12 UTC);
/// What is sold.
pub(crate) const CATALOG: &str = include_str!("../../deploy/catalog.example.toml");

/// Which database.
#[derive(Clone, Copy)]
pub(crate) enum Database<'a> {
    /// A file: WAL, `synchronous=FULL`.
    Sqlite,
    /// A database of a real cluster with `fsync` on.
    Postgres(&'a Cluster),
}

impl Database<'_> {
    /// Its name in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }
}

/// An installation whose service is not started.
pub(crate) struct Stage {
    /// Microsoft's end.
    pub(crate) simulator: Simulator,
    /// The database.
    pub(crate) database_url: String,
    /// Where the files are.
    pub(crate) directory: PathBuf,
    /// The configuration, as a text like any other.
    pub(crate) configuration: String,
    clock: Arc<SteppedClock>,
}

impl Stage {
    /// A fresh world and an empty database.
    pub(crate) async fn set(database: Database<'_>) -> Self {
        let directory = std::env::temp_dir().join(format!("seatkey-bench-{}", Uuid::new_v4().simple()));
        std::fs::create_dir(&directory).unwrap();
        let clock = SteppedClock::at(NOW);
        let simulator = Simulator::start(SimulatorOptions::new(Arc::clone(&clock) as _)).await.unwrap();
        let database_url = match database {
            Database::Sqlite => format!("sqlite://{}", directory.join("seatkey.db").display()),
            Database::Postgres(cluster) => cluster.new_database().await,
        };
        std::fs::write(directory.join("catalog.toml"), CATALOG).unwrap();
        signing::generate(&directory.join("key.pem")).unwrap();
        // The port is free now; nobody else of this machine asks for this very one in the meantime.
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let public_url: Url = format!("http://{free}/").parse().unwrap();
        simulated::register(&simulator, &public_url);
        let configuration = simulated::configuration(&simulator, &public_url, &directory, &database_url);
        Self { simulator, database_url, directory, configuration, clock }
    }

    /// The time.
    pub(crate) fn clock(&self) -> SharedClock {
        Arc::clone(&self.clock) as _
    }

    /// The application with the simulator as Microsoft.
    pub(crate) async fn app(&self) -> App {
        let config = config::from_toml(&self.configuration, std::iter::empty()).unwrap();
        startup::build(&config, self.clock()).await.unwrap()
    }

    /// The application with a Microsoft that answers at once.
    pub(crate) async fn app_with(&self, microsoft: &Microsoft, status: &str) -> App {
        let tokens = Arc::new(super::microsoft::OneToken);
        let marketplace = Client::new(microsoft.base_url(status), http::client().unwrap(), tokens, self.clock());
        App { marketplace, ..self.app().await }
    }

    /// Leaves nothing behind.
    pub(crate) async fn strike(self) {
        self.simulator.stop().await;
        std::fs::remove_dir_all(&self.directory).unwrap();
    }
}
