//! The service as a process of its own, against a simulator in the test: for crashes and signals.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use seatkey::{
    cli::simulated,
    clock::{OffsetClock, Stopwatch},
    signing,
    simulator::{Simulator, SimulatorOptions, World},
    store::Store,
};
use url::Url;
use uuid::Uuid;

use super::Database;

/// So often a start is tried again that nobody has asked to die.
const PORT_TAKEN: usize = 5;

/// An installation whose service is a child process. Both follow one clock file.
pub(crate) struct Installation {
    pub(crate) simulator: Simulator,
    pub(crate) public_url: Url,
    database_url: String,
    directory: PathBuf,
    service: Option<Process>,
    /// Further processes on the same database, each at an address of its own.
    others: Vec<Replica>,
}

/// One of several processes on the same database, at an address of its own.
pub(crate) struct Replica {
    /// What it does: `serve`, `work`.
    pub(crate) command: &'static [&'static str],
    pub(crate) url: Url,
    directory: PathBuf,
    configuration: String,
    /// `None` = it is dead.
    process: Option<Process>,
}

/// A process that does not outlive its test, however that ends.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended already need not be killed.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Installation {
    /// Sets it up, without starting the service.
    pub(crate) async fn set(database: Database) -> Self {
        let directory = new_directory();
        let database_url = database.address(&directory).await;
        Self::set_in(directory, (database_url.clone(), database_url)).await
    }

    /// The same with a database of the test's own: how the service reaches it, and how the test does.
    pub(crate) async fn set_at(urls: (String, String)) -> Self {
        Self::set_in(new_directory(), urls).await
    }

    async fn set_in(directory: PathBuf, (service_url, database_url): (String, String)) -> Self {
        let clock = OffsetClock::new(Some(directory.join("clock")));
        let simulator = Simulator::start(SimulatorOptions::new(clock)).await.unwrap();
        let public_url: Url = format!("http://127.0.0.1:{}/", new_port()).parse().unwrap();
        simulated::register(&simulator, &public_url);
        std::fs::write(directory.join("catalog.toml"), super::lab::catalog()).unwrap();
        signing::generate(&directory.join("key.pem")).unwrap();
        let text = simulated::configuration(&simulator, &public_url, &directory, &service_url);
        std::fs::write(directory.join("seatkey.toml"), text).unwrap();
        Self { simulator, public_url, database_url, directory, service: None, others: Vec::new() }
    }

    pub(crate) fn world(&self) -> &World {
        self.simulator.world()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Starts the service and waits until it says that it is ready; false when it died before.
    pub(crate) fn start(&mut self, environment: &[(&str, String)]) -> bool {
        self.kill();
        let (mut child, mut ready) = spawn(&self.directory, &["serve"], "seatkey.toml", environment);
        // While it was dead, a connection of another test may have been given its port for a moment.
        for _ in 0..PORT_TAKEN {
            if ready || !environment.is_empty() {
                break;
            }
            (child, ready) = spawn(&self.directory, &["serve"], "seatkey.toml", environment);
        }
        self.service = Some(child);
        ready
    }

    /// Starts one more process on the same database and gives its address.
    pub(crate) fn start_another(&mut self) -> Url {
        let mut another = self.replica(&["serve"]);
        another.start();
        let url = another.url.clone();
        self.others.push(another);
        url
    }

    /// A further process on the same database, not started yet.
    pub(crate) fn replica(&self, command: &'static [&'static str]) -> Replica {
        let port = new_port();
        let mut url = self.public_url.clone();
        url.set_port(Some(port)).unwrap();
        let name = format!("seatkey-{port}.toml");
        let text = std::fs::read_to_string(self.path("seatkey.toml")).unwrap();
        let own = |port: Option<u16>| format!("bind = \"127.0.0.1:{}\"", port.unwrap());
        let text = text.replacen(&own(self.public_url.port()), &own(Some(port)), 1);
        std::fs::write(self.path(&name), text).unwrap();
        Replica { command, url, directory: self.directory.clone(), configuration: name, process: None }
    }

    /// Takes another value in the configuration of what is started from now on.
    pub(crate) fn configure(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path("seatkey.toml")).unwrap();
        assert!(text.contains(from), "{from}");
        std::fs::write(self.path("seatkey.toml"), text.replace(from, to)).unwrap();
    }

    /// A command of the program that ends by itself.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seatkey"));
        command
            .args(arguments)
            .arg("--config")
            .arg(self.path("seatkey.toml"))
            .env("SEATKEY_CLOCK_FILE", self.path("clock"))
            .stdin(Stdio::null());
        command
    }

    /// Where the database is.
    pub(crate) fn database_url(&self) -> &str {
        &self.database_url
    }

    /// A look into the database past the service.
    pub(crate) async fn store(&self) -> Store {
        Store::connect(&self.database_url).await.unwrap()
    }

    /// The process id of the running service.
    pub(crate) fn process_id(&self) -> u32 {
        self.service.as_ref().unwrap().0.id()
    }

    /// Waits for the end of the service and gives its exit code.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.service.take().unwrap().0.wait().unwrap().code()
    }

    /// `SIGKILL` of the first process.
    pub(crate) fn kill(&mut self) {
        drop(self.service.take());
    }

    pub(crate) async fn finish(mut self) {
        self.kill();
        self.others.clear();
        remove(&self.directory);
        self.simulator.stop().await;
    }
}

impl Replica {
    /// Starts it, again, and waits until it is ready; gives how long that took.
    pub(crate) fn start(&mut self) -> Duration {
        for _ in 0..PORT_TAKEN {
            let watch = Stopwatch::start();
            let (process, ready) = spawn(&self.directory, self.command, &self.configuration, &[]);
            if ready {
                self.process = Some(process);
                return watch.elapsed();
            }
        }
        panic!("{:?} does not start", self.command);
    }

    /// `SIGKILL`.
    pub(crate) fn kill(&mut self) {
        drop(self.process.take());
    }

    /// `SIGTERM`; waits for its end and gives the exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        let mut process = self.process.take().unwrap();
        let told = Command::new("sh").args(["-c", &format!("kill -TERM {}", process.0.id())]).status().unwrap();
        assert!(told.success());
        process.0.wait().unwrap().code()
    }
}

/// A process, and whether it became ready; false when it died before.
fn spawn(directory: &Path, command: &[&str], configuration: &str, environment: &[(&str, String)]) -> (Process, bool) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_seatkey"))
        .args(command)
        .arg("--config")
        .arg(directory.join(configuration))
        .env("SEATKEY_CLOCK_FILE", directory.join("clock"))
        .envs(environment.iter().map(|(name, value)| (*name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut ready = false;
    let mut line = String::new();
    while !ready && log.read_line(&mut line).unwrap_or(0) > 0 {
        ready = line.contains("\"message\":\"ready\"");
        line.clear();
    }
    // Somebody has to go on reading, or the service would wait for us one day.
    std::thread::spawn(move || drop(std::io::copy(&mut log.by_ref(), &mut std::io::sink())));
    (Process(child), ready)
}

/// A free port below those that connections are given, which is still free when somebody listens there, again and again.
pub(crate) fn new_port() -> u16 {
    loop {
        let [first, second, ..] = Uuid::new_v4().into_bytes();
        let port = 15_000 + u16::from_be_bytes([first, second]) % 15_000;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn new_directory() -> PathBuf {
    let directory = std::env::temp_dir().join(format!("seatkey-process-{}", Uuid::new_v4().simple()));
    std::fs::create_dir(&directory).unwrap();
    directory
}

fn remove(directory: &Path) {
    std::fs::remove_dir_all(directory).unwrap();
}
