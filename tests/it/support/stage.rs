//! A whole installation for one test: simulator, service and database under one stepped clock.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    sync::Arc,
};

use seatkey::{
    cli::{
        browser::{Browser, Page},
        simulated,
    },
    clock::{AdvanceableClock as _, Clock as _, SharedClock, SteppedClock, SystemClock},
    config,
    jobs::Runner,
    signing,
    simulator::{Purchase, Seed, Simulator, SimulatorOptions, World},
    startup,
    store::Store,
    templates::Templates,
    web::{Server, ServerOptions},
};
use time::{Duration, OffsetDateTime, macros::datetime};
use url::Url;
use uuid::Uuid;

use super::postgres;

/// People of the simulated world.
pub(crate) mod people {
    /// The buyer, of Contoso GmbH.
    pub(crate) const ALEX: &str = "a1e4b2c3-7d60-4f51-8a92-3b1c5d7e9f01";
    /// A colleague of Alex.
    pub(crate) const JO: &str = "a1e4b2c3-7d60-4f51-8a92-3b1c5d7e9f02";
    /// A buyer in the United States.
    pub(crate) const FABRIKAM: &str = "b2f5c3d4-8e71-4062-9ba3-4c2d6e8f0a11";
    /// Somebody of another tenant whose e-mail address is that of Alex.
    pub(crate) const FABRIKAM_WITH_ALEX_EMAIL: &str = "b2f5c3d4-8e71-4062-9ba3-4c2d6e8f0a12";
    /// A reseller.
    pub(crate) const NORDWIND: &str = "c306d4e5-9f82-4173-acb4-5d3e7f901b21";
    /// A personal account.
    pub(crate) const PAT: &str = "00000000-0000-0000-8f2a-1b3c5d7e9f01";
    /// Another personal account.
    pub(crate) const SAM: &str = "00000000-0000-0000-9e1d-2c4b6a8f0e12";
}

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    /// A file in a folder of its own.
    Sqlite,
    /// A database of its own in the tests' cluster.
    Postgres,
    /// In the memory of the test, gone with its one connection.
    Memory,
}

impl Database {
    /// The address of a new, empty one.
    pub(crate) async fn address(self, directory: &Path) -> String {
        match self {
            Self::Sqlite => format!("sqlite://{}", directory.join("seatkey.db").display()),
            Self::Postgres => postgres::new_database().await,
            Self::Memory => "sqlite::memory:".to_owned(),
        }
    }
}

/// The stage of a story.
pub(crate) struct Stage {
    pub(crate) simulator: Simulator,
    pub(crate) clock: Arc<SteppedClock>,
    pub(crate) app: seatkey::app::SharedApp,
    pub(crate) public_url: Url,
    /// Kept while the service is started anew, so that nobody else of this machine is given its port.
    listener: TcpListener,
    server: Option<Server>,
    configuration: String,
    database_url: String,
    directory: PathBuf,
}

const START: OffsetDateTime = datetime!(2026-01-15 10:12 UTC);

impl Stage {
    /// A fresh world and an empty database.
    pub(crate) async fn set(database: Database) -> Self {
        Self::set_with(database, &catalog()).await
    }

    /// The same with a catalog of one's own.
    pub(crate) async fn set_with(database: Database, catalog: &str) -> Self {
        Self::set_in(database, catalog, Seed::default()).await
    }

    /// The same among other people.
    pub(crate) async fn set_in(database: Database, catalog: &str, seed: Seed) -> Self {
        let directory = std::env::temp_dir().join(format!("seatkey-test-{}", Uuid::new_v4().simple()));
        std::fs::create_dir(&directory).unwrap();
        let clock = SteppedClock::at(START);
        let simulator = Simulator::start(SimulatorOptions { seed, ..SimulatorOptions::new(Arc::clone(&clock) as _) });
        let simulator = simulator.await.unwrap();
        let database_url = database.address(&directory).await;
        std::fs::write(directory.join("catalog.toml"), catalog).unwrap();
        signing::generate(&directory.join("key.pem")).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let public_url: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        simulated::register(&simulator, &public_url);
        let configuration = simulated::configuration(&simulator, &public_url, &directory, &database_url);
        let (app, server) = start(&configuration, &clock, &listener, None).await;
        let server = Some(server);
        Self { simulator, clock, app, public_url, listener, server, configuration, database_url, directory }
    }

    /// Everything at Microsoft's end.
    pub(crate) fn world(&self) -> &World {
        self.simulator.world()
    }

    /// A subscription of Alex to KONNEKT, not configured yet.
    pub(crate) fn buy(&self) -> Uuid {
        self.buy_as(Purchase::of("konnekt", "konnekt-yearly", people::ALEX.parse().unwrap()))
    }

    pub(crate) fn buy_as(&self, purchase: Purchase) -> Uuid {
        self.world().purchase(purchase)
    }

    /// "Configure account now" in a person's browser.
    pub(crate) async fn configure(&self, browser: &mut Browser, id: Uuid) -> Page {
        let (_, address) = self.world().landing_address(id).unwrap();
        browser.open(address.parse().unwrap()).await.unwrap()
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        self.public_url.join(path).unwrap()
    }

    /// Fills in the form and gives the review.
    pub(crate) async fn review(&self, browser: &mut Browser, id: Uuid, users: &str) -> Page {
        let form = browser.open(self.url(&format!("subscriptions/{id}/enrol"))).await.unwrap();
        let fields = enrolment_fields(&form, users);
        browser.post_form(self.url(&format!("subscriptions/{id}/enrol/review")), &fields).await.unwrap()
    }

    /// Submits a review.
    pub(crate) async fn submit(&self, browser: &mut Browser, id: Uuid, review: &Page) -> Page {
        let fields = [("csrf", review.field("csrf").unwrap()), ("quote", review.field("quote").unwrap())];
        browser.post_form(self.url(&format!("subscriptions/{id}/enrol/submit")), &fields).await.unwrap()
    }

    /// From "Configure account now" to the submitted order.
    pub(crate) async fn enrol(&self, browser: &mut Browser, id: Uuid, users: &str) -> Page {
        let form = self.configure(browser, id).await;
        assert!(form.url.path().ends_with("/enrol"), "{} was shown: {}", form.url, form.text);
        let review = self.review(browser, id, users).await;
        assert_eq!(review.status, 200, "{}", review.text);
        self.submit(browser, id, &review).await
    }

    /// Runs due jobs, moving time on to the next one, until none is left.
    pub(crate) async fn settle(&self) {
        let runner = Runner::new(Arc::clone(&self.app));
        for _ in 0..200 {
            runner.run_due().await.unwrap();
            let Some(next) = self.app.store.find_next_job_time().await.unwrap() else { return };
            let wait = next - self.clock.now();
            self.clock.advance(wait.max(Duration::SECOND)).unwrap();
        }
        panic!("the jobs do not come to an end");
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by).unwrap();
    }

    /// A new process on the same database: nothing is kept but what was committed. (A database in memory lives on with its
    /// one connection.)
    pub(crate) async fn restart(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
        let in_memory = self.configuration.contains(":memory:").then(|| self.app.store.clone());
        let (app, server) = start(&self.configuration, &self.clock, &self.listener, in_memory).await;
        (self.app, self.server) = (app, Some(server));
    }

    /// A backup of the database, taken while nothing runs; gives its address.
    pub(crate) async fn back_up(&mut self) -> String {
        self.stop().await;
        let copy = self.copy(&self.database_url.clone()).await;
        self.restart().await;
        copy
    }

    /// The database is as it was at the backup, which stays as it is; everything else has gone on.
    pub(crate) async fn restore(&mut self, backup: &str) {
        self.stop().await;
        let restored = self.copy(backup).await;
        self.configuration = self.configuration.replace(&self.database_url, &restored);
        self.database_url = restored;
        self.restart().await;
    }

    async fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
        self.app.store.clone().close().await;
    }

    async fn copy(&self, url: &str) -> String {
        let Some(file) = url.strip_prefix("sqlite://") else { return postgres::copy_database(url).await };
        let copy = self.file(&format!("{}.db", Uuid::new_v4().simple()));
        // The last connection has brought the log into the file.
        std::fs::copy(file, &copy).unwrap();
        format!("sqlite://{}", copy.display())
    }

    /// The publisher changes the catalog, and the service is started anew.
    pub(crate) async fn change_catalog(&mut self, from: &str, to: &str) {
        let catalog = std::fs::read_to_string(self.file("catalog.toml")).unwrap();
        assert!(catalog.contains(from), "the catalog has no {from}");
        std::fs::write(self.file("catalog.toml"), catalog.replacen(from, to, 1)).unwrap();
        self.restart().await;
    }

    /// A file of the installation.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// What a command of the program says about this installation, at the time of the stage.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let (code, told, complaint) = self.ask(arguments);
        assert_eq!(code, Some(0), "{arguments:?} says no: {complaint}");
        told
    }

    /// The same, whatever the answer: the exit code, what is printed, and what is complained about.
    pub(crate) fn ask(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let ahead = self.clock.now() - SystemClock.now();
        std::fs::write(self.file("clock"), ahead.whole_microseconds().to_string()).unwrap();
        std::fs::write(self.file("seatkey.toml"), &self.configuration).unwrap();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_seatkey"))
            .args(arguments)
            .arg("--config")
            .arg(self.file("seatkey.toml"))
            .env("SEATKEY_CLOCK_FILE", self.file("clock"))
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    /// Adds lines to the configuration; they count from the next start on.
    pub(crate) fn configure_service(&mut self, lines: &str) {
        self.configuration.push_str(lines);
    }

    /// Changes a line of the configuration; it counts from the next start on.
    pub(crate) fn change_configuration(&mut self, from: &str, to: &str) {
        assert!(self.configuration.contains(from), "the configuration has no {from}");
        self.configuration = self.configuration.replacen(from, to, 1);
    }

    /// The configuration, for a command of the command line.
    pub(crate) fn write_configuration(&self) -> PathBuf {
        let path = self.file("seatkey.toml");
        std::fs::write(&path, &self.configuration).unwrap();
        path
    }

    /// What a start with the present configuration would come to.
    pub(crate) async fn try_build(&self) -> Result<seatkey::app::App, startup::StartError> {
        let config = config::from_toml(&self.configuration, std::iter::empty()).unwrap();
        startup::build(&config, Arc::clone(&self.clock) as SharedClock).await
    }

    /// Another process on the same database: nothing of what the first one knows by heart.
    pub(crate) async fn another(&self) -> seatkey::app::SharedApp {
        let config = config::from_toml(&self.configuration, std::iter::empty()).unwrap();
        let mut app = build(&config, Arc::clone(&self.clock) as SharedClock).await;
        app.store = self.app.store.clone();
        Arc::new(app)
    }

    /// The end of every story: ledger and audit log verify, nothing is left to do, and nothing waits for a person.
    pub(crate) async fn finish(self) {
        assert_eq!(super::years::flaws(&self).await.0, Vec::<String>::new(), "the hash chain does not verify");
        self.finish_tampered().await;
    }

    /// The end of a story in which somebody has tampered with the ledger.
    pub(crate) async fn finish_tampered(self) {
        assert_eq!(self.app.store.find_next_job_time().await.unwrap(), None, "a job is left behind");
        assert_eq!(self.app.store.count_dead_jobs().await.unwrap(), 0, "a job waits for a person");
        self.strike().await;
    }

    /// Everything is stopped and removed, however it stands.
    pub(crate) async fn strike(mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
        self.simulator.stop().await;
        std::fs::remove_dir_all(&self.directory).unwrap();
    }
}

/// The example catalog, and an offer whose plans Microsoft bills.
pub(crate) fn catalog() -> String {
    let billed_by_microsoft = r#"
[[offer]]
id = "sample-seats"
name = "Sample"
publisher = "Sample (example)"
support_url = "https://sample.example/"
support_email = "support@sample.example"

[[offer.plan]]
id = "team"
name = "Sample Team, monthly"
term_unit = "P1M"
model = "per_user"
"#;
    format!("{}{billed_by_microsoft}", include_str!("../../../deploy/catalog.example.toml"))
}

/// The answers of the form.
pub(crate) fn enrolment_fields(form: &Page, users: &str) -> [(&'static str, String); 5] {
    [
        ("csrf", form.field("csrf").unwrap()),
        ("users", users.to_owned()),
        ("organisation", "Contoso GmbH".to_owned()),
        ("email", "alex.weber@contoso.example".to_owned()),
        ("technical_contact", "jo.brandt@contoso.example".to_owned()),
    ]
}

async fn start(
    configuration: &str,
    clock: &Arc<SteppedClock>,
    listener: &TcpListener,
    store: Option<Store>,
) -> (seatkey::app::SharedApp, Server) {
    let config = config::from_toml(configuration, std::iter::empty()).unwrap();
    let shared: SharedClock = Arc::clone(clock) as _;
    let mut app = build(&config, shared).await;
    app.store = store.unwrap_or(app.store);
    let app = Arc::new(app);
    let options = ServerOptions { management_bind: None, workers: 1 };
    let server = Server::start(&app, listener.try_clone().unwrap(), options).unwrap();
    (app, server)
}

/// The built-in templates are checked by a test of their own, not at every start of every story.
async fn build(config: &config::Config, clock: SharedClock) -> seatkey::app::App {
    if config.templates.path.is_some() {
        return startup::build(config, clock).await.unwrap();
    }
    startup::build_with(config, clock, Templates::load(None).unwrap()).await.unwrap()
}
