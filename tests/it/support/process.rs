//! The service as a process of its own, against a simulator in the test: for crashes and signals.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread::JoinHandle,
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

/// A process of the program, and its log. It does not outlive its test, however that ends.
pub(crate) struct Process {
    child: Child,
    log: Arc<Mutex<String>>,
    /// Reads the log: a process that nobody listens to would wait for us one day.
    reader: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts it and waits until it says that it is ready.
    pub(crate) fn start(command: &mut Command) -> Self {
        Self::try_start(command).unwrap_or_else(|log| panic!("{command:?} does not start:\n{log}"))
    }

    /// The same for one that may die before; then its log is given.
    fn try_start(command: &mut Command) -> Result<Self, String> {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::<Mutex<String>>::default();
        let kept = Arc::clone(&log);
        let (ready, is_ready) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                kept.lock().unwrap().push_str(&format!("{line}\n"));
                if line.contains("\"message\":\"ready\"") {
                    // Nobody listens any more where it was said before.
                    let _ = ready.send(());
                }
            }
        });
        let started = Self { child, log, reader: Some(reader) };
        match is_ready.recv() {
            Ok(()) => Ok(started),
            Err(_) => Err(started.log()),
        }
    }

    /// `SIGTERM`; waits for its end and gives the exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        let told = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.child.id())]).status().unwrap();
        assert!(told.success());
        let code = self.child.wait().unwrap().code();
        self.reader.take().unwrap().join().unwrap();
        code
    }

    /// What it has logged until now.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended already need not be killed.
        drop(self.child.kill());
        drop(self.child.wait());
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

    /// Starts the service and waits until it says that it is ready.
    pub(crate) fn start(&mut self) {
        self.kill();
        self.service = Some(Process::start(&mut self.command(&["serve"])));
    }

    /// The same with further variables; false when it died before it was ready.
    pub(crate) fn try_start(&mut self, environment: &[(&str, String)]) -> bool {
        self.kill();
        let mut command = self.command(&["serve"]);
        command.envs(environment.iter().map(|(name, value)| (*name, value)));
        self.service = Process::try_start(&mut command).ok();
        self.service.is_some()
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

    /// A command of the program.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        command(&self.directory, "seatkey.toml", arguments)
    }

    /// Where the database is.
    pub(crate) fn database_url(&self) -> &str {
        &self.database_url
    }

    /// A look into the database past the service.
    pub(crate) async fn store(&self) -> Store {
        Store::connect(&self.database_url).await.unwrap()
    }

    /// `SIGTERM` of the service; waits for its end and gives the exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        self.service.take().unwrap().stop()
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
        let watch = Stopwatch::start();
        self.process = Some(Process::start(&mut command(&self.directory, &self.configuration, self.command)));
        watch.elapsed()
    }

    /// `SIGKILL`.
    pub(crate) fn kill(&mut self) {
        drop(self.process.take());
    }

    /// `SIGTERM`; waits for its end and gives the exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        self.process.take().unwrap().stop()
    }
}

fn command(directory: &Path, configuration: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seatkey"));
    command.args(arguments).arg("--config").arg(directory.join(configuration));
    command.env("SEATKEY_CLOCK_FILE", directory.join("clock")).stdin(Stdio::null());
    command
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
